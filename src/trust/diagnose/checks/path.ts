/** Whether the hosts trust what is served, and find it in order: what they say, and the whole of what they would say. */
import type { PoolVerdict } from '../../../tls/index.js'
import type { Defect } from '../../../x509/index.js'
import { mayAnotherAnchorCure } from '../../connection/predict.js'
import { defectsSaid, isCrlDefect, isStoreError } from '../evidence/refusal-defects.js'
import type { View } from '../evidence/view.js'
import type { Draft, Severity } from '../finding.js'
import { errorOf, type Flaw } from '../flaw.js'
import { explainDate } from './dates.js'
import { explainName } from './names.js'
import { explainEnd } from './path-end.js'
import { explainQuality } from './quality.js'
import { explainCrl } from './revocation.js'

const END: ReadonlySet<string> = new Set([
  ...['SELF_SIGNED_UNTRUSTED', 'ROOT_UNTRUSTED', 'ISSUER_MISSING', 'ROOT_MISSING', 'SIGNATURE_WRONG'],
])
const DATES: ReadonlySet<string> = new Set(['EXPIRED', 'NOT_YET_VALID'])

export function findPath(view: View): readonly Draft[] {
  const severity: Severity = view.verifies ? 'error' : 'warning'
  const flaws = withoutEchoes([...saidFlaws(view), ...judgedFlaws(view)])
  return flaws.flatMap((flaw) =>
    explain(view, flaw).map((draft) => ({ severity, error: errorOf(flaw.code), ...draft })),
  )
}

/** What may not sign as an authority is, to OpenSSL, unsuitable for the purpose of one as well. */
function withoutEchoes(flaws: readonly Flaw[]): readonly Flaw[] {
  const unfit = flaws.filter(({ code }) => code === 'AUTHORITY_INVALID').map(({ depth }) => depth)
  return flaws.filter(({ code, depth }) => code !== 'PURPOSE_UNSUITABLE' || !unfit.includes(depth))
}

/** What hosts said, a group of them at a time; where some verify, the store of the others is what differs. */
function saidFlaws(view: View): readonly Flaw[] {
  const { results, anyAnchored, isForecast } = view
  const refused = results.filter(({ outcome, error }) => outcome === 'refused' && defectsSaid(error).length > 0)
  const texts = [...new Set(refused.map(({ error }) => error.join('\0')))]
  return texts.flatMap((text) => {
    const group = refused.filter(({ error }) => error.join('\0') === text)
    const [first] = group
    const store = first && isStoreError(first.error)
    if (!first || (anyAnchored && (store === 'anchors' || store === 'bundle'))) return []
    const verdict = view.judge(first.host)
    return defectsSaid(first.error).flatMap((code): Flaw[] => {
      if (isForecast && DATES.has(code)) return [] // that was today
      const found = verdict?.defects.find((defect) => defect.code === code)
      const { depth, certificate, message = '' } = found ?? {}
      return [{ code, depth, certificate, message, fromStore: isFromStore(verdict, depth), results: group, verdict }]
    })
  })
}

/** What a host has not come to say yet, found here; what it would have said before, it has not found. */
function judgedFlaws(view: View): readonly Flaw[] {
  const { results, coordinator, anyVerified, isForecast, pool } = view
  const result = results.find(({ host }) => host === coordinator)
  const verdict = view.judge(coordinator)
  if (!verdict) return []
  const named = defectsSaid(result?.error ?? [])
  // pools before March 2025 say that verification failed, and not why
  const isOpen = result?.error[0] === 'SSL_VERIFY_ERROR' && named.length === 0
  const all = verdict.defects.filter((defect) => isOpen || isCertain(view, defect, named))
  const flaws = all.map(
    ({ code, depth, certificate, message }): Flaw => ({
      code,
      depth,
      certificate,
      message,
      verdict,
      results: [],
      fromStore: isFromStore(verdict, depth),
    }),
  )
  if (isForecast && anyVerified) return flaws.filter(({ code }) => DATES.has(code) || isCrlDefect(code))
  if (anyVerified) return []
  if (!pool || named.length === 0) return flaws
  const from = flaws.findIndex(({ code }) => named.some((one) => one === code))
  const isLater = ({ code }: Flaw) => isForecast && (DATES.has(code) || isCrlDefect(code))
  return flaws.filter((flaw, index) => index >= from || isLater(flaw))
}

/**
 * How a path ends is certain where all anchors are known, or no unknown one could cure it. A host that has judged the path
 * knows better.
 */
function isCertain({ pool, unknownAnchors, installed }: View, defect: Defect, named: readonly string[]): boolean {
  if (!END.has(defect.code)) return true
  const hasLooked = named.length > 0 && named[0] !== 'LEAF_KEY_TOO_WEAK'
  if (!pool || installed.length === 0 || hasLooked) return false
  return unknownAnchors === 0 || !mayAnotherAnchorCure(defect)
}

function isFromStore(verdict: PoolVerdict | undefined, depth: number | undefined): boolean {
  return verdict !== undefined && depth !== undefined && depth >= verdict.fromServer
}

function explain(view: View, flaw: Flaw): readonly Draft[] {
  if (flaw.code === 'LEAF_WANTED' || END.has(flaw.code)) return explainEnd(view, flaw)
  if (DATES.has(flaw.code)) return explainDate(view, flaw)
  if (isCrlDefect(flaw.code)) return explainCrl(view, flaw)
  if (flaw.code === 'NAME_MISMATCH') return explainName(view, flaw)
  return explainQuality(view, flaw)
}
