/**
 * A path that a client would find who goes back and tries again. OpenSSL tries one path and a pool lives with it
 * (docs/protocol/verdict.md), so authorities that have signed each other can work in a browser and fail on a pool.
 */
import type { X509Certificate } from 'node:crypto'
import { readFacts } from './certificate-facts.js'
import { isLikelyIssuedBy } from './issued.js'
import { validate } from './validate.js'
import type { Question, Verdict } from './verdict.js'

/** Paths tried: each costs a whole validation, and sets of certificates made to be slow have exponentially many. */
const PATHS_BUDGET = 16
const STEPS_BUDGET = 1_000
/** Browsers stop at about as many. */
const LONGEST = 10

/** Looks for a path without a defect that is another than `taken`; whether the leaf has the right name is not asked. */
export function findOtherPath(question: Question, taken: Verdict): Verdict | undefined {
  const before = describe(taken.path)
  for (const path of listPaths(question)) {
    if (describe(path) === before) continue
    const [root] = path.slice(-1)
    const anchors = question.anchors.filter(({ certificate }) => root && certificate.raw.equals(root.raw))
    const verdict = validate({ ...question, presented: path, anchors })
    const isSound = verdict.defects.every(({ code }) => code === 'NAME_MISMATCH') // no path changes the leaf's name
    if (isSound && describe(verdict.path) !== before) return verdict
  }
  return undefined
}

/** Every way up from the leaf to a self-signed trust anchor, as far as the budget goes. */
function listPaths({ presented, anchors }: Question): X509Certificate[][] {
  const trusted = anchors.map(({ certificate }) => certificate)
  const candidates = [...new Map([...trusted, ...presented].map((one) => [one.fingerprint256, one])).values()]
  const roots = new Set(trusted.map(({ fingerprint256 }) => fingerprint256))
  const found: X509Certificate[][] = []
  let steps = STEPS_BUDGET
  const climb = (path: readonly X509Certificate[]): void => {
    const top = path.at(-1)
    if (!top || found.length >= PATHS_BUDGET || steps-- <= 0) return
    if (readFacts(top).isSelfSigned) {
      if (roots.has(top.fingerprint256)) found.push([...path])
      return
    }
    if (path.length >= LONGEST) return
    for (const candidate of candidates) {
      const isNew = !path.some(({ fingerprint256 }) => fingerprint256 === candidate.fingerprint256)
      if (isNew && isLikelyIssuedBy(readFacts(top), readFacts(candidate))) climb([...path, candidate])
    }
  }
  climb(presented.slice(0, 1))
  return found
}

function describe(path: readonly X509Certificate[]): string {
  return path.map(({ fingerprint256 }) => fingerprint256).join(' ')
}
