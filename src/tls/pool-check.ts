/**
 * Predicts what a host of the pool says of an appliance: its bundle as stunnel loads it, what ends the connection before the
 * certificates, the path as OpenSSL takes it, what ends the connection afterwards, and xapi's error (docs/protocol/verdict.md).
 */
import type { X509Certificate } from 'node:crypto'
import { type Bundle, type Defect, loadHostStore, type Question, validate } from '../x509/index.js'
import type { EndpointFacts } from './endpoint.js'
import { isTooLong, makeObstacle, type Obstacle } from './obstacles.js'
import { type PoolError, poolErrorOf } from './pool-client.js'

export interface PoolQuestion extends Omit<Question, 'anchors' | 'presented'> {
  /** From files; what an endpoint sends is in its facts. */
  readonly presented?: readonly X509Certificate[]
  /** The bytes of the host's bundle file; undefined where there is none. */
  readonly bundle: Buffer | undefined
  /** Of the appliance, for the errors that name it. */
  readonly port: number
}

/** Facts of an endpoint that answered; without an answer there is no verdict. */
export type AnsweredFacts = Exclude<EndpointFacts, { readonly state: 'silent' | 'unreachable' }>

export interface PoolVerdict {
  readonly accepted: boolean
  /** The first text stunnel would log; empty when accepted. */
  readonly reason: string
  /** OpenSSL's X509_V_ERR number of the first defect; 0 when accepted, and where no certificate was verified. */
  readonly opensslNumber: number
  /** Empty when accepted. */
  readonly xapiError: PoolError | readonly []
  readonly bundle: Bundle
  /** What ends the connection before certificates are judged; a pool reports this instead of any defect. */
  readonly obstacles: readonly Obstacle[]
  readonly path: readonly X509Certificate[]
  readonly fromServer: number
  readonly defects: readonly Defect[]
  /** What ends the connection after the certificates were accepted. */
  readonly afterwards: readonly Obstacle[]
}

const REQUEST_TIMEOUT_MS = 30_000
const NO_SHARED_CIPHER = 'sslv3 alert handshake failure'

/**
 * Predicts, from files or with what `observeEndpoint` found. From files, what only the endpoint itself shows (versions,
 * suites, curve, a client certificate demanded) is taken to be in order.
 *
 * @throws CERTIFICATE_MISSING when there are neither certificates nor a reason why they are not seen.
 * @throws VALIDATION_TOO_COSTLY.
 */
export function checkAsPool(question: PoolQuestion, facts?: AnsweredFacts): PoolVerdict {
  const presented = facts ? ('certificates' in facts ? facts.certificates : []) : (question.presented ?? [])
  const bundle = loadHostStore(question.bundle, question.crls)
  const { anchors, crls } = bundle.state === 'loaded' ? bundle : { anchors: [], crls: question.crls }
  const isJudged = presented.length > 0 || facts === undefined
  const judged = isJudged ? validate({ ...question, presented, anchors, crls }) : NOT_JUDGED

  const handshake = facts ? obstacleAt(facts) : obstacleInFiles(presented)
  const obstacles = [
    ...(bundle.state === 'unusable' ? [makeObstacle('BUNDLE_UNUSABLE', 'Configuration failed', bundle.why)] : []),
    ...(handshake ? [handshake] : []),
  ]
  const isDemanded = facts?.state === 'agreed' && facts.clientCertificate === 'demanded'
  const afterwards = isDemanded ? [makeObstacle('CLIENT_CERTIFICATE_DEMANDED', NO_SHARED_CIPHER)] : []

  const { path, fromServer, defects } = judged
  const obstacle = obstacles[0] ?? (defects.length > 0 ? undefined : afterwards[0])
  const reason = obstacle?.logText ?? judged.reason
  const failure = obstacle?.failure ?? (defects.length > 0 ? { kind: 'verify' as const, reason } : undefined)
  return {
    accepted: failure === undefined,
    reason,
    opensslNumber: obstacle ? 0 : judged.opensslNumber,
    xapiError: failure ? poolErrorOf(failure, `${question.name}:${question.port}`, REQUEST_TIMEOUT_MS) : [],
    bundle,
    obstacles,
    path,
    fromServer,
    defects,
    afterwards,
  }
}

const NOT_JUDGED = { path: [], fromServer: 0, defects: [], reason: '', opensslNumber: 0 }

function obstacleAt(facts: AnsweredFacts): Obstacle | undefined {
  switch (facts.state) {
    case 'agreed':
      return undefined
    case 'not-tls':
      return makeObstacle('NOT_TLS', 'wrong version number', facts.firstLine)
    case 'refused':
      return makeObstacle(facts.obstacle, ALERT_TEXTS[facts.alert] ?? `alert ${facts.alert}`, facts.alert)
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

function obstacleInFiles(presented: readonly X509Certificate[]): Obstacle | undefined {
  if (isTooLong(presented.map(({ raw }) => raw))) {
    return makeObstacle('CERTIFICATES_TOO_LONG', 'excessive message size')
  }
  const [leaf] = presented
  return leaf && !isRsa(leaf) ? makeObstacle('KEY_NOT_RSA', NO_SHARED_CIPHER) : undefined
}

/** Both suites a pool offers are ECDHE-RSA: with any other key the server finds no shared cipher. */
function isRsa(certificate: X509Certificate): boolean {
  try {
    return certificate.publicKey.asymmetricKeyType?.startsWith('rsa') ?? false
  } catch {
    return false
  }
}
