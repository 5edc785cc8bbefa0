/** Whether another certificate may be served at once: a reload is safe where no host that verifies now would stop to. */
import type { X509Certificate } from 'node:crypto'
import { predict } from '../connection/predict.js'
import type { Evidence } from './evidence.js'

/** Without a pool it is not known who connects. What cannot be predicted for a host that verifies counts as a no. */
export function breaksNothing(evidence: Evidence, presented: readonly X509Certificate[]): boolean {
  const { pool, appliance, hosts, proofs, stores: _, ...recorded } = evidence
  if (!pool || !appliance) return false
  if (!pool.verifies) return true
  const verifying = hosts.filter((_host, index) => proofs[index]?.kind === 'accepted')
  const observation = { ...recorded, pool, appliance, hosts }
  return verifying.every((host) => predict(observation, host, { presented }).kind === 'accepted')
}
