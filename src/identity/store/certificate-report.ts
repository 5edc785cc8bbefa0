/** Describes the appliance's certificate, on disk and as it is served. */
import { X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { paths, readSettings } from '../../config/index.js'
import { probeServed, reachable } from '../../tls/index.js'
import {
  type CertificateSummary,
  checkHost,
  describeCertificate,
  readExtension,
  readPemBlocks,
} from '../../x509/index.js'
import { settleIfLeft } from './identity-change.js'
import { checkStoredIdentity, readIdentity } from './identity-files.js'

export interface Identity extends CertificateSummary {
  /** Where it is. */
  readonly certificate: string
  readonly keyFile: string
  /** The certificates after the leaf in the file, in sending order. */
  readonly chain: readonly CertificateSummary[]
  /** Host names of this appliance that the certificate does not carry. */
  readonly missingNames: readonly MissingName[]
}

/**
 * Reads the pair on disk and proves that it fits. `hostname`: instead of the one in the settings.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, IDENTITY_INCOMPLETE when a file is missing, and the codes of an identity that
 *   cannot be served.
 */
export async function describeIdentity(
  root: string,
  { machineName = hostname(), hostname: given }: { readonly machineName?: string; readonly hostname?: string } = {},
): Promise<Identity> {
  const place = paths(root)
  const configured = given ?? (await readSettings(place.settings)).hostname
  await settleIfLeft(place)
  const identity = await readIdentity(place)
  const leaf = checkStoredIdentity(place, identity)
  const [, ...issuers] = readPemBlocks(identity.certificatePem).filter(({ label }) => label === 'CERTIFICATE')
  return {
    certificate: place.certificate,
    keyFile: place.key,
    ...describeCertificate(leaf),
    chain: issuers.map(({ der }) => describeCertificate(new X509Certificate(der))),
    missingNames: findMissingNames(leaf, configured, machineName),
  }
}

/** What a handshake with the appliance's own port shows. */
export type ServedCertificate =
  | {
      readonly state: 'served'
      readonly address: string
      readonly port: number
      readonly fingerprintSha256: string
      readonly notAfter: Date
      /** Whether the leaf on disk is the leaf in service. */
      readonly sameAsOnDisk: boolean
    }
  | { readonly state: 'unreachable'; readonly address: string; readonly port: number; readonly why: string }

export interface CertificateReport extends Identity {
  /** Whole days until the certificate expires; negative afterwards. */
  readonly daysLeft: number
  readonly served: ServedCertificate
}

const PROBE_TIMEOUT_MS = 5000
const DAY_MS = 86_400_000

/** Compares the pair on disk with a handshake: a file may have changed under a running appliance. */
export async function reportCertificate(root: string, now: Date, machineName = hostname()): Promise<CertificateReport> {
  const { address, port } = await readSettings(paths(root).settings)
  const identity = await describeIdentity(root, { machineName })
  const daysLeft = Math.floor((identity.notAfter.getTime() - now.getTime()) / DAY_MS)
  const seen = await probeServed({ address: reachable(address), port, timeoutMs: PROBE_TIMEOUT_MS })
  const [leaf] = seen.state === 'served' ? seen.chain : []
  if (seen.state !== 'served' || !leaf) {
    const why = seen.state === 'served' ? 'no certificate was sent' : seen.why
    return { ...identity, daysLeft, served: { state: 'unreachable', address, port, why } }
  }
  const { fingerprintSha256 } = seen
  const sameAsOnDisk = fingerprintSha256 === identity.fingerprintSha256
  const { notAfter } = describeCertificate(leaf)
  return {
    ...identity,
    daysLeft,
    served: { state: 'served', address, port, fingerprintSha256, notAfter, sameAsOnDisk },
  }
}

export interface MissingName {
  /** The configured host name, or what the machine calls itself. */
  readonly of: 'settings' | 'machine'
  readonly name: string
}

/**
 * Host names that the certificate does not carry. A self-signed one got its name when it was made, and pools compare it
 * with the name they connect to: after the machine was renamed they refuse it. A short machine name is covered by every
 * full name that begins with it.
 */
export function findMissingNames(leaf: X509Certificate, configured: string, machine: string): readonly MissingName[] {
  const own = machine.toLowerCase()
  const isKnown = /^localhost\b/.test(own) || checkHost(leaf, own) || (!own.includes('.') && carriesShort(leaf, own))
  return [
    ...(checkHost(leaf, configured) ? [] : [{ of: 'settings' as const, name: configured }]),
    ...(isKnown || own === configured.toLowerCase() ? [] : [{ of: 'machine' as const, name: machine }]),
  ]
}

function carriesShort(leaf: X509Certificate, short: string): boolean {
  const alternative = readExtension(leaf, () => leaf.subjectAltName) ?? ''
  const names = `${leaf.subject}, ${alternative}`.toLowerCase()
  return [...names.matchAll(/(?:^|[\n ,])(?:cn=|dns:)([^.,\s]+)/g)].some(([, label]) => label === short)
}
