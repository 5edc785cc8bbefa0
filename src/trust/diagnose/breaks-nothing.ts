/** Whether another certificate may be served at once: a reload is safe where no host that verifies now would stop to. */
import type { X509Certificate } from 'node:crypto'
import { rehearse } from '../connection/rehearse.js'
import type { Evidence } from './evidence.js'

/** Without a pool nobody knows who connects. What cannot be predicted for a host that verifies is no yes. */
export function breaksNothing(evidence: Evidence, presented: readonly X509Certificate[]): boolean {
  const { pool, appliance, known, observedAt } = evidence
  if (!pool || !appliance) return false
  const { facts, hosts, installed, crls, proofs } = pool
  if (!facts.verifies) return true
  const connection = { pool: facts, hosts, installed, crls, appliance, known, observedAt }
  const verifying = hosts.filter((_, index) => proofs[index]?.kind === 'accepted')
  return verifying.every((host) => rehearse(connection, host, { presented }).kind === 'accepted')
}
