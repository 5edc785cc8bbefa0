/** The exact error a call through the pool ends with: as it was, or as it will be. */
import { floatText, poolErrorOf } from '../../tls/index.js'
import { formatWlbAddress } from '../../xapi/pool/wlb-address.js'
import { causeOf } from './catalogue/index.js'
import type { Draft } from './finding.js'
import type { View } from './view.js'

const SILENCE_S = 30
const WITHOUT_BUNDLE = ['INTERNAL_ERROR', 'Connection failed: configuration failed.'] as const
/** X509_V_ERR numbers of paths that end in the wrong place, and those of them another anchor might cure. */
const ENDS: ReadonlySet<number> = new Set([2, 7, 18, 19, 20])
const MAY_BE_CURED: ReadonlySet<number> = new Set([2, 7, 20])
const NONE: ReadonlySet<number> = new Set()

/** `drafts` in the order in which they are mended. */
export function predict(view: View, drafts: readonly Draft[]): readonly string[] {
  const today = predictToday(view)
  if (!view.isForecast) return today
  const [code] = today
  if (code !== undefined && code !== 'SSL_VERIFY_ERROR') return today
  if (!view.verifies) return []
  const first = drafts.find((draft) => (draft.severity ?? causeOf(draft.code).severity) === 'error' && draft.error)
  return first?.error ?? []
}

function predictToday(view: View): readonly string[] {
  const { pool, voices } = view
  if (!pool) return predictVerified(view) ?? []
  if (pool.call.kind === 'answered') return []
  if (pool.call.kind === 'refused') return pool.call.error
  if (!pool.facts.licensed) return ['LICENSE_RESTRICTION', 'WLB']
  if (pool.facts.wlbUrl === '') return ['WLB_NOT_INITIALIZED']
  const [coordinator] = voices
  if (coordinator?.said === 'accepted') return []
  if (coordinator?.said === 'refused') return coordinator.error
  return (view.verifies ? predictVerified(view) : predictUnverified(view)) ?? []
}

/** With the flag on; undefined where nobody can tell. */
export function predictVerified(view: View): readonly string[] | undefined {
  const { pool, installed, coordinator, unknownAnchors } = view
  const onDisk = view.judgeDisk(coordinator)
  const isBundleSeen = onDisk !== undefined && !onDisk.obstacles.some(({ code }) => code === 'BUNDLE_UNUSABLE')
  if (onDisk ? !isBundleSeen : pool && installed.length === 0) return WITHOUT_BUNDLE
  const broken = predictUnverified(view)
  if (broken === undefined || broken.length > 0) return broken
  if (onDisk) return onDisk.xapiError
  const verdict = view.judge(coordinator)
  if (!verdict) return undefined
  // without a pool nobody knows where a path may end; with one, a certificate known by fingerprint only may be the end
  const open = pool ? (unknownAnchors > 0 ? MAY_BE_CURED : NONE) : ENDS
  const [first] = verdict.defects.filter(({ opensslNumber }) => !open.has(opensslNumber))
  if (first) return ['SSL_VERIFY_ERROR', first.logText]
  return pool && verdict.defects.length > 0 ? undefined : []
}

/** What fails whatever is trusted: the network, and the limits of TLS. */
function predictUnverified(view: View): readonly string[] | undefined {
  const endpoint = view.evidence.appliance?.endpoint
  switch (endpoint?.state) {
    case undefined:
      return undefined
    case 'silent':
      return ['WLB_TIMEOUT', floatText(SILENCE_S)]
    case 'unreachable': {
      if (!endpoint.indicator) return undefined
      const failure = { kind: 'stunnel', indicator: endpoint.indicator } as const
      return poolErrorOf(failure, formatWlbAddress({ host: view.name, port: view.port }), SILENCE_S * 1000)
    }
    case 'refused':
    case 'not-tls':
      return ['WLB_CONNECTION_RESET']
    case 'agreed':
      return endpoint.clientCertificate === 'demanded' ? ['WLB_CONNECTION_RESET'] : []
  }
}
