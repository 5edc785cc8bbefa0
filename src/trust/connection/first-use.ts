/**
 * Enrolment on first use: the certificate seen from here, and the one the appliance says it has, side by side. Where both
 * are known and equal nobody sits in between; where only one is, a person has to compare.
 */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { probeServed } from '../../tls/index.js'

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
  /** SHA-256 of the leaf the appliance has on its disk, where somebody there could be asked. */
  readonly stated?: string
  /** Seen and stated, and the same. */
  readonly agreed: boolean
}

/**
 * Looks at the port, and asks the appliance itself by `state`, where there is a way: its file here, or over SSH.
 *
 * @throws APPLIANCE_NOT_SERVING when there is no handshake, and what `state` throws.
 */
export async function askFingerprint(
  endpoint: ApplianceEndpoint,
  state?: () => Promise<X509Certificate>,
): Promise<FirstUse> {
  const [served, stated] = await Promise.all([probeServed(endpoint), state?.()])
  if (served.state === 'unreachable') throw notServing(endpoint, served.why)
  const seen = served.fingerprintSha256
  const theirs = stated?.fingerprint256
  return {
    endpoint,
    chain: served.chain,
    seen,
    ...(theirs !== undefined && { stated: theirs }),
    agreed: theirs === seen,
  }
}

function notServing({ address, port }: ApplianceEndpoint, why: string): WlbError {
  return new WlbError(
    'APPLIANCE_NOT_SERVING',
    'The appliance shows no certificate there.',
    { address, port, why },
    `nc -vz ${address} ${port}`,
  )
}
