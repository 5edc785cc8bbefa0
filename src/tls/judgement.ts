/** The verdict of a pool or of a strict client on certificates, in one shape, and its `--json` document. */
import type { X509Certificate } from 'node:crypto'
import { describeCertificate, judgeAsBrowser, lint, loadBundle, type Warning } from '../x509/index.js'
import type { Obstacle } from './obstacles.js'
import { type AnsweredFacts, checkAsPool } from './pool-check.js'

export interface CheckQuestion {
  readonly presented: readonly X509Certificate[]
  /** Undefined where files were asked about. */
  readonly facts: AnsweredFacts | undefined
  readonly endpoint: { readonly host: string; readonly port: number } | undefined
  readonly name: string
  readonly port: number
  readonly bundle: Buffer
  /** For people: where the trust comes from. */
  readonly trust: string
  readonly crls: readonly Buffer[] | undefined
  readonly now: Date
}

export interface Judgement {
  readonly as: 'pool' | 'browser'
  readonly accepted: boolean
  readonly reason: string
  readonly opensslNumber: number
  readonly xapiError: readonly string[]
  readonly path: readonly X509Certificate[]
  readonly fromServer: number
  readonly defects: readonly CheckFinding[]
  readonly warnings: readonly Warning[]
}

export interface CheckFinding {
  readonly code: string
  readonly depth: number
  /** Undefined where it is about the connection as a whole. */
  readonly certificate: X509Certificate | undefined
  /** Where OpenSSL has one. */
  readonly opensslNumber?: number
  readonly message: string
  readonly remedy: string
}

/** @throws CERTIFICATE_MISSING, VALIDATION_TOO_COSTLY. */
export function judge(question: CheckQuestion, as: 'pool' | 'browser'): Judgement {
  return as === 'pool' ? judgeAsPool(question) : judgeForBrowser(question)
}

function judgeAsPool(question: CheckQuestion): Judgement {
  const verdict = checkAsPool(question, question.facts)
  const { path, obstacles, afterwards, bundle } = verdict
  const anchors = bundle.state === 'loaded' ? bundle.anchors : []
  const describe = ({ code, message, remedy }: Obstacle): CheckFinding => {
    const certificate = code === 'KEY_NOT_RSA' ? path[0] : undefined
    return { code, depth: 0, certificate, message, remedy }
  }
  return {
    as: 'pool',
    ...verdict,
    defects: [...obstacles.map(describe), ...verdict.defects, ...afterwards.map(describe)],
    warnings: lint({ ...question, anchors }, verdict),
  }
}

function judgeForBrowser(question: CheckQuestion): Judgement {
  const bundle = loadBundle(question.bundle)
  const anchors = bundle.state === 'loaded' ? bundle.anchors : []
  const { verdict, browserDefects } = judgeAsBrowser({ ...question, anchors })
  const defects = [...verdict.defects, ...browserDefects.map((defect) => ({ ...defect, depth: 0 }))]
  return {
    as: 'browser',
    ...verdict,
    accepted: defects.length === 0,
    reason: defects[0]?.message ?? '',
    xapiError: [],
    defects,
    warnings: [],
  }
}

/** `wlb cert check`. Field names are a contract with scripts (docs/check.md). */
export function checkDocument(
  judgement: Judgement,
  { name, endpoint, now, trust, crls, facts }: CheckQuestion,
): object {
  const { as, accepted, reason, opensslNumber, xapiError, path, fromServer, defects, warnings } = judgement
  return {
    accepted,
    reason,
    opensslNumber,
    xapiError,
    path: path.map(subjectOf),
    defects: defects.map(describeFinding),
    warnings: warnings.map(({ code, certificate, message, remedy }) => ({
      code,
      certificate: subjectOf(certificate),
      message,
      remedy,
    })),
    as,
    name,
    at: now.toISOString(),
    trust,
    crls: crls?.length ?? 0,
    fromServer,
    ...(facts && { endpoint: { ...endpoint, ...describeFacts(facts) } }),
  }
}

function describeFinding({ code, depth, certificate, opensslNumber, message, remedy }: CheckFinding): object {
  return {
    code,
    depth,
    certificate: certificate ? subjectOf(certificate) : '',
    opensslNumber: opensslNumber ?? 0,
    message,
    remedy,
  }
}

function describeFacts(facts: AnsweredFacts): object {
  if (!('certificates' in facts)) return facts
  return { ...facts, certificates: facts.certificates.map(subjectOf) }
}

function subjectOf(certificate: Parameters<typeof describeCertificate>[0]): string {
  return describeCertificate(certificate).subject
}
