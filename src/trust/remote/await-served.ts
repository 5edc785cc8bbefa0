/** Until a port serves a certificate: asked again and again, because a service that was restarted takes its time. */
import { probeServed } from '../../tls/index.js'
import type { ApplianceEndpoint } from '../connection/first-use.js'

export interface ServedProof {
  readonly isServed: boolean
  /** SHA-256 of what was served last, or why nothing was. */
  readonly seen: string
}

const PAUSE_MS = 100

/** Resolves as soon as the port shows the leaf with this SHA-256, or when the time is over. */
export async function awaitServed(
  endpoint: ApplianceEndpoint,
  fingerprintSha256: string,
  timeoutMs: number,
): Promise<ServedProof> {
  const until = Date.now() + timeoutMs
  for (;;) {
    const served = await probeServed({ ...endpoint, timeoutMs: Math.min(endpoint.timeoutMs, timeoutMs) })
    const seen = served.state === 'served' ? served.fingerprintSha256 : served.why
    if (seen === fingerprintSha256) return { isServed: true, seen }
    if (Date.now() > until) return { isServed: false, seen }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
