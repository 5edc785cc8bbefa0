/**
 * The verdict of a host of the pool with everything that is known of the endpoint: what stands in the way before the
 * certificates, the certificates themselves, and what comes after them (docs/protocol/verdict.md).
 */
import type { X509Certificate } from 'node:crypto'
import { loadBundle } from '../x509/index.js'
import type { EndpointFacts } from './endpoint.js'
import { describeObstacle, isTooLong, type Obstacle } from './obstacles.js'
import { checkAsPool, type PoolQuestion, type PoolVerdict } from './pool-check.js'
import { type PoolError, poolErrorOf } from './pool-error.js'

export interface ConnectionVerdict extends Omit<PoolVerdict, 'obstacle'> {
  /** What a pool meets before it looks at a certificate. */
  readonly obstacles: readonly Obstacle[]
  /** What it meets when the certificates have convinced it. */
  readonly afterwards: readonly Obstacle[]
}

/** Endpoints that answered; of one that did not there is nothing to say. */
export type AnsweredFacts = Exclude<EndpointFacts, { readonly state: 'silent' | 'unreachable' }>

export interface ConnectionQuestion extends Omit<PoolQuestion, 'presented'> {
  /** From files; what an endpoint sends stands in its facts. */
  readonly presented?: readonly X509Certificate[]
}

const REQUEST_TIMEOUT_MS = 30_000
const NO_SHARED_CIPHER = 'sslv3 alert handshake failure'

/**
 * Predicts, from files or with what `observeEndpoint` found.
 *
 * @throws CERTIFICATE_MISSING when there are neither certificates nor a reason why they are not seen.
 */
export function checkConnection(question: ConnectionQuestion, facts?: AnsweredFacts): ConnectionVerdict {
  const presented = facts ? ('certificates' in facts ? facts.certificates : []) : (question.presented ?? [])
  const before: Obstacle[] = []
  const isJudged = presented.length > 0 || facts === undefined
  const verdict = isJudged ? checkAsPool({ ...question, presented }) : undefined
  const bundle = verdict?.bundle ?? loadBundle(question.bundle)
  if (bundle.state === 'unusable') {
    before.push(describeObstacle('BUNDLE_UNUSABLE', 'Configuration failed', bundle.why))
  }
  const handshake = facts ? describeFacts(facts) : describeFiles(presented, verdict)
  if (handshake) before.push(handshake)
  const isDemanded = facts?.state === 'agreed' && facts.clientCertificate === 'demanded'
  const after = isDemanded ? [describeObstacle('CLIENT_CERTIFICATE_DEMANDED', NO_SHARED_CIPHER)] : []

  const { path = [], fromServer = 0, defects = [] } = verdict ?? {}
  const judged = { bundle, path, fromServer, defects, obstacles: before, afterwards: after }
  const [defect] = defects
  const obstacle = before[0] ?? (defect ? undefined : after[0])
  if (!obstacle && !defect) return { ...judged, accepted: true, reason: '', opensslNumber: 0, xapiError: [] }
  const reason = obstacle?.logText ?? defect?.logText ?? ''
  const xapiError: PoolError = poolErrorOf(
    obstacle?.failure ?? { kind: 'verify', reason },
    `${question.name}:${question.port}`,
    REQUEST_TIMEOUT_MS,
  )
  return { ...judged, accepted: false, reason, opensslNumber: obstacle ? 0 : (defect?.opensslNumber ?? 0), xapiError }
}

function describeFacts(facts: AnsweredFacts): Obstacle | undefined {
  switch (facts.state) {
    case 'agreed':
      return undefined
    case 'not-tls':
      return describeObstacle('NOT_TLS', 'wrong version number', facts.firstLine)
    case 'refused':
      return describeObstacle(facts.obstacle, ALERT_TEXTS[facts.alert] ?? `alert ${facts.alert}`, facts.alert)
  }
}

/** OpenSSL's texts for the alerts of servers that refuse. */
const ALERT_TEXTS: Readonly<Record<string, string>> = {
  '': 'unexpected eof while reading',
  'handshake failure': NO_SHARED_CIPHER,
  'illegal parameter': 'sslv3 alert illegal parameter',
  'protocol version': 'tlsv1 alert protocol version',
  'insufficient security': 'tlsv1 alert insufficient security',
  'internal error': 'tlsv1 alert internal error',
  'unrecognized name': 'tlsv1 unrecognized name',
}

function describeFiles(presented: readonly X509Certificate[], verdict: PoolVerdict | undefined): Obstacle | undefined {
  if (isTooLong(presented.map(({ raw }) => raw))) {
    return describeObstacle('CERTIFICATES_TOO_LONG', 'excessive message size')
  }
  return verdict?.obstacle === 'key' ? describeObstacle('KEY_NOT_RSA', NO_SHARED_CIPHER) : undefined
}
