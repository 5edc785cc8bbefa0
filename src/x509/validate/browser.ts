/**
 * An approximation of what a strict client such as a browser says: it tries another path where one fails, compares names with the
 * alternative names alone, addresses included, and has rules that OpenSSL has not. Which authorities it trusts, certificate
 * transparency and its own revocation checks are left out.
 */
import type { X509Certificate } from 'node:crypto'
import { DAY_MS } from '../issue/signing.js'
import { subjectInSentence } from '../summary.js'
import { type CertificateFacts, isLikelyIssuedBy, readFacts } from './certificate-facts.js'
import { SERVER_AUTH } from './extensions.js'
import { checkHostStrictly } from './host-name.js'
import { validate } from './validate.js'
import type { Question, Verdict } from './verdict.js'

/** Found in addition to the defects of `validate`; OpenSSL has no number for them. */
export interface BrowserDefect {
  readonly code: keyof typeof BROWSER_RULES
  readonly certificate: X509Certificate
  readonly message: string
  readonly remedy: string
}

export interface BrowserVerdict {
  /** `defects` without the host-name rule and the revocation lists of pools. */
  readonly verdict: Verdict
  readonly browserDefects: readonly BrowserDefect[]
}

const REQUEST = 'wlb cert request'

const BROWSER_RULES = {
  BROWSER_NAME_MISMATCH: {
    message: 'does not speak for the name in its alternative names, and the common name is not looked at',
    remedy: REQUEST,
  },
  BROWSER_PURPOSE_MISSING: {
    message: 'does not say that it is for TLS servers (extended key usage)',
    remedy: REQUEST,
  },
  BROWSER_LEAF_IS_AUTHORITY: { message: 'is an authority, and may not be a server as well', remedy: REQUEST },
  BROWSER_LIFETIME: { message: 'is valid for more than 825 days', remedy: REQUEST },
} as const

const LIFETIME_DAYS = 825

/** @throws CERTIFICATE_MISSING, VALIDATION_TOO_COSTLY. */
export function judgeAsBrowser(question: Question): BrowserVerdict {
  const unrevoked = { ...question, crls: undefined }
  const verdict = withoutNames(validate(unrevoked))
  const other = verdict.accepted ? undefined : findOtherPath(unrevoked, verdict)
  const [leaf] = question.presented
  return {
    verdict: other ? withoutNames(other) : verdict,
    browserDefects: leaf ? checkLeaf(readFacts(leaf), question.name) : [],
  }
}

function withoutNames(verdict: Verdict): Verdict {
  const defects = verdict.defects.filter(({ code }) => code !== 'NAME_MISMATCH')
  const [first] = defects
  const { logText = '', opensslNumber = 0 } = first ?? {}
  return { ...verdict, defects, accepted: !first, reason: logText, opensslNumber }
}

function checkLeaf(facts: CertificateFacts, name: string): BrowserDefect[] {
  const { certificate, extendedKeyUsage = [], basicConstraints, notBefore, notAfter } = facts
  const days = notBefore && notAfter ? (+notAfter - +notBefore) / DAY_MS : 0
  const broken: [BrowserDefect['code'], boolean][] = [
    ['BROWSER_NAME_MISMATCH', !checkHostStrictly(certificate, name)],
    ['BROWSER_PURPOSE_MISSING', !extendedKeyUsage.includes(SERVER_AUTH)],
    ['BROWSER_LEAF_IS_AUTHORITY', basicConstraints?.ca === true],
    ['BROWSER_LIFETIME', days > LIFETIME_DAYS],
  ]
  const subject = subjectInSentence(certificate)
  return broken.flatMap(([code, isBroken]) => {
    const { message, remedy } = BROWSER_RULES[code]
    return isBroken ? [{ code, certificate, message: `${subject} ${message}.`, remedy }] : []
  })
}

/** Paths tried: each costs a whole validation, and sets of certificates made to be slow have exponentially many. */
const PATHS_BUDGET = 16
const STEPS_BUDGET = 1_000
/** Browsers stop at about as many. */
const LONGEST = 10

/**
 * Looks for a path without a defect that is another than `taken`, as a client finds it that goes back and tries again. OpenSSL
 * tries one path only (docs/protocol/verdict.md), so authorities that have signed each other can work in a browser and fail on a
 * pool. The leaf's name is not checked.
 */
export function findOtherPath(question: Question, taken: Verdict): Verdict | undefined {
  const before = pathKey(taken.path)
  for (const path of listPaths(question)) {
    if (pathKey(path) === before) continue
    const [root] = path.slice(-1)
    const anchors = question.anchors.filter(({ certificate }) => root && certificate.raw.equals(root.raw))
    const verdict = validate({ ...question, presented: path, anchors })
    const isSound = verdict.defects.every(({ code }) => code === 'NAME_MISMATCH') // no path changes the leaf's name
    if (isSound && pathKey(verdict.path) !== before) return verdict
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

function pathKey(path: readonly X509Certificate[]): string {
  return path.map(({ fingerprint256 }) => fingerprint256).join(' ')
}
