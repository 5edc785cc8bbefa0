/** What the doctor calculates beyond one host: the error a call through the pool ends with, and whether a reload is safe. */

import type { X509Certificate } from 'node:crypto'
import type { Prediction } from '../connection/connection.js'
import { predict, predictReach } from '../connection/predict.js'
import { causeOf } from './catalogue/catalogue.js'
import type { Evidence } from './evidence/evidence.js'
import type { View } from './evidence/view.js'
import type { Draft } from './finding.js'

/** `drafts` in the order in which they are mended. */
export function predictCall(view: View, drafts: readonly Draft[]): readonly string[] {
  const today = predictToday(view)
  if (!view.isForecast) return today
  const [code] = today
  if (code !== undefined && code !== 'SSL_VERIFY_ERROR') return today
  if (!view.verifies) return []
  const first = drafts.find((draft) => (draft.severity ?? causeOf(draft.code).severity) === 'error' && draft.error)
  return first?.error ?? []
}

function predictToday(view: View): readonly string[] {
  const { pool, evidence, results, verifies } = view
  if (!pool) return errorOf(predictVerified(view))
  const { call, appliance } = evidence
  if (call.kind === 'answered') return []
  if (call.kind === 'refused') return call.error
  if (!pool.licensed) return ['LICENSE_RESTRICTION', 'WLB']
  if (pool.wlbUrl === '') return ['WLB_NOT_INITIALIZED']
  const [coordinator] = results
  if (coordinator?.outcome === 'accepted') return []
  if (coordinator?.outcome === 'refused') return coordinator.error
  if (verifies) return errorOf(predictVerified(view))
  return appliance ? errorOf(predictReach(appliance, view.name)) : []
}

/** What the coordinator would say with verification on. */
export function predictVerified({ evidence, coordinator, name, now }: View): Prediction {
  return predict(evidence, coordinator, { name, now })
}

function errorOf(prediction: Prediction): readonly string[] {
  return prediction.kind === 'refused' ? prediction.error : []
}

/** Without a pool it is not known who connects. What cannot be predicted for a host that verifies counts as a no. */
export function breaksNothing(evidence: Evidence, presented: readonly X509Certificate[]): boolean {
  const { pool, appliance, hosts, proofs, stores: _, ...recorded } = evidence
  if (!pool || !appliance) return false
  if (!pool.verifies) return true
  const verifying = hosts.filter((_host, index) => proofs[index]?.kind === 'accepted')
  const observation = { ...recorded, pool, appliance, hosts }
  return verifying.every((host) => predict(observation, host, { presented }).kind === 'accepted')
}
