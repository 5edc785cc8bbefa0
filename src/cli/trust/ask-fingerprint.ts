/** The question of enrolment: is the certificate that is seen from here the one the appliance has? */
import { WlbError } from '../../base/error.js'
import type { FirstUse } from '../../trust/connection/first-use.js'
import type { FetchFlags } from './commands.js'
import { compareByEye, ON_THE_APPLIANCE } from './compare-by-eye.js'

/**
 * Decides by the fingerprint that was given, or by what the appliance states itself; else by asking: nothing
 * that merely came over the wire is taken. A no to the question is false.
 *
 * @throws FINGERPRINT_MISMATCH, FINGERPRINTS_DIFFER when one is known and it is another; USAGE_NEEDS_FINGERPRINT when there is
 * nobody to ask.
 */
export async function confirmFingerprint(
  found: FirstUse,
  { fingerprint }: Pick<FetchFlags, 'fingerprint'>,
): Promise<boolean> {
  if (fingerprint !== undefined && fingerprint !== found.seen) throw mismatch(found, fingerprint)
  if (found.stated !== undefined && !found.agreed) throw differ(found, found.stated)
  if (fingerprint !== undefined || found.agreed) return true
  if (!process.stdin.isTTY) throw needsFingerprint(found)
  return compareByEye(`The certificate that ${place(found)} shows`, found.seen, ON_THE_APPLIANCE)
}

function place({ endpoint: { address, port } }: FirstUse): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

function mismatch(found: FirstUse, given: string): WlbError {
  return new WlbError(
    'FINGERPRINT_MISMATCH',
    'The appliance shows another certificate than the one whose fingerprint was given.',
    { appliance: place(found), given, seen: found.seen },
    'openssl x509 -in /etc/ssl/certs/server.pem -noout -fingerprint -sha256, on the appliance',
  )
}

function differ(found: FirstUse, stated: string): WlbError {
  return new WlbError(
    'FINGERPRINTS_DIFFER',
    'What is served is not what the appliance has on its disk: its TLS service was not restarted, or something sits in between.',
    { appliance: place(found), stated, seen: found.seen },
    'killall stunnel; stunnel, on the appliance',
  )
}

function needsFingerprint(found: FirstUse): WlbError {
  return new WlbError(
    'USAGE_NEEDS_FINGERPRINT',
    'There is nobody to compare the fingerprint of the certificate.',
    { appliance: place(found), seen: found.seen, missing: '--fingerprint' },
    `wlb trust fetch --from-tls ${place(found)} --fingerprint ${found.seen}`,
  )
}
