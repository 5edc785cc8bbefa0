/** The verdict of a pool or of a strict client, in one shape for printing. */
import type { X509Certificate } from 'node:crypto'
import { checkAsPool, type Obstacle } from '../../../tls/index.js'
import { judgeAsBrowser, lint, loadBundle, type Warning } from '../../../x509/index.js'
import type { CheckQuestion } from './question.js'

export interface Judgement {
  readonly as: 'pool' | 'browser'
  readonly accepted: boolean
  readonly reason: string
  readonly opensslNumber: number
  readonly xapiError: readonly string[]
  readonly path: readonly X509Certificate[]
  readonly fromServer: number
  readonly defects: readonly Finding[]
  readonly warnings: readonly Warning[]
}

export interface Finding {
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
  const describe = ({ code, message, remedy }: Obstacle): Finding => {
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
