/**
 * The part that logs when what is served is out of its dates by this machine's clock: at the start, at each reload, and when
 * that changes while the appliance runs, because a certificate ended or the clock was set. It is served all the same: a pool
 * may not verify, and no service would be worse.
 */
import { X509Certificate } from 'node:crypto'
import { describeCertificate, readPemBlocks, standingAt } from '../../x509/index.js'
import type { Given } from '../appliance-files.js'
import type { Opened } from '../part-list.js'
import type { ListenerPart } from '../soap-listener.js'

export interface DatesPart {
  /** Logs each certificate that is out of its dates now, whether it was logged before or not. */
  logDates(): void
}

/** A clock that is set wakes nobody. */
const ROUND_MS = 15_000

export async function servedDates({ listener, clock, log }: Given & ListenerPart): Promise<Opened<DatesPart>> {
  let logged = new Map<string, string>()
  let cancel = () => {}

  const compare = (before: ReadonlyMap<string, string>) => {
    const now = clock.now()
    const found = new Map<string, string>()
    const blocks = readPemBlocks(listener.identity().certificatePem).filter(({ label }) => label === 'CERTIFICATE')
    for (const { der } of blocks) {
      const { subject, notBefore, notAfter, fingerprintSha256 } = describeCertificate(new X509Certificate(der))
      const standing = standingAt({ notBefore, notAfter }, now)
      const was = before.get(fingerprintSha256) ?? 'in its dates'
      found.set(fingerprintSha256, standing)
      if (standing === was) continue
      const facts = { subject, notBefore, notAfter, now, fingerprintSha256 }
      if (standing === 'expired') log.error(facts, 'the certificate has expired')
      else if (standing === 'not yet valid') log.error(facts, 'the certificate is not valid yet; is the clock right?')
      else log.info(facts, 'the certificate is in its dates again')
    }
    logged = found
  }
  const round = () => {
    cancel = clock.schedule(round, ROUND_MS)
    compare(logged)
  }

  const logDates = () => compare(new Map())
  logDates()
  cancel = clock.schedule(round, ROUND_MS)
  return { provides: { logDates }, close: async () => cancel() }
}
