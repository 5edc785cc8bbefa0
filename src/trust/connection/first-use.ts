/**
 * Enrolment on first use: the certificate that is served and the one the appliance itself states. Where both are known and
 * equal there is no man in the middle; where only one is known, a person has to compare fingerprints.
 */
import type { X509Certificate } from 'node:crypto'
import { probeServed } from '../../tls/index.js'
import { fail } from '../errors.js'

export interface ApplianceEndpoint {
  readonly address: string
  readonly port: number
  /** Sent along, where `address` is none of its names. */
  readonly serverName?: string
  readonly timeoutMs: number
}

export interface FirstUse {
  readonly endpoint: ApplianceEndpoint
  /** What the port serves now, leaf first. */
  readonly chain: readonly X509Certificate[]
  /** SHA-256 of the leaf that is served. */
  readonly seen: string
  /** SHA-256 of the leaf the appliance has on its disk, where it could be asked. */
  readonly stated?: string
  /** Served and stated fingerprints match. */
  readonly agreed: boolean
}

/**
 * Asks the port for its certificate, and the appliance itself by `state` where possible: its file here, or over SSH.
 *
 * @throws APPLIANCE_NOT_SERVING when there is no handshake, and what `state` throws.
 */
export async function askFingerprint(
  endpoint: ApplianceEndpoint,
  state?: () => Promise<X509Certificate>,
): Promise<FirstUse> {
  const [served, stated] = await Promise.all([probeServed(endpoint), state?.()])
  if (served.state === 'unreachable')
    throw fail('APPLIANCE_NOT_SERVING', { address: endpoint.address, port: endpoint.port, why: served.why })
  const seen = served.fingerprintSha256
  const theirs = stated?.fingerprint256
  return {
    endpoint,
    chain: served.chain,
    seen,
    stated: theirs,
    agreed: theirs === seen,
  }
}
