/** The exact error a call through the pool ends with: as it was, or as it will be. */
import type { Prediction } from '../connection/connection.js'
import { predict, predictReach } from '../connection/predict.js'
import { causeOf } from './catalogue/index.js'
import type { Draft } from './finding.js'
import type { View } from './view.js'

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
  const { pool, evidence, voices, verifies } = view
  if (!pool) return errorOf(predictVerified(view))
  const { call, appliance } = evidence
  if (call.kind === 'answered') return []
  if (call.kind === 'refused') return call.error
  if (!pool.licensed) return ['LICENSE_RESTRICTION', 'WLB']
  if (pool.wlbUrl === '') return ['WLB_NOT_INITIALIZED']
  const [coordinator] = voices
  if (coordinator?.said === 'accepted') return []
  if (coordinator?.said === 'refused') return coordinator.error
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
