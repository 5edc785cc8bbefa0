/**
 * What a host of the pool would say of an appliance, from files alone: its bundle as stunnel loads it, the path as OpenSSL
 * takes it, the key as its two suites need it, and the error that xapi makes of it (docs/protocol/verdict.md).
 */
import type { X509Certificate } from 'node:crypto'
import { type Bundle, type Defect, loadHostStore, type Question, validate } from '../x509/index.js'
import type { TlsFailure } from './failure.js'
import { type PoolError, poolErrorOf } from './pool-error.js'

export interface PoolQuestion extends Omit<Question, 'anchors'> {
  /** The bytes of the host's bundle file; undefined where there is none. */
  readonly bundle: Buffer | undefined
  /** Of the appliance, for the errors that name it. */
  readonly port: number
}

/** What keeps the handshake from coming to a certificate at all. */
export type HandshakeObstacle = 'bundle' | 'key'

export interface PoolVerdict {
  readonly accepted: boolean
  /** The first text stunnel would log; empty when accepted. */
  readonly reason: string
  /** OpenSSL's X509_V_ERR number of the first defect; 0 when accepted, and where no certificate was verified. */
  readonly opensslNumber: number
  /** Empty when accepted. */
  readonly xapiError: PoolError | readonly []
  readonly bundle: Bundle
  /** What stands before the certificates: the pool reports it instead of any defect of theirs. */
  readonly obstacle: HandshakeObstacle | undefined
  readonly path: readonly X509Certificate[]
  readonly fromServer: number
  readonly defects: readonly Defect[]
}

const REQUEST_TIMEOUT_MS = 30_000

/**
 * Predicts. What only the endpoint itself shows (versions, suites, curve, a client certificate demanded) is taken to be in order.
 *
 * @throws CERTIFICATE_MISSING, VALIDATION_TOO_COSTLY.
 */
export function checkAsPool(question: PoolQuestion): PoolVerdict {
  const { presented, name, port } = question
  const bundle = loadHostStore(question.bundle, question.crls)
  const { anchors, crls } = bundle.state === 'loaded' ? bundle : { anchors: [], crls: question.crls }
  const { path, fromServer, defects, reason, opensslNumber } = validate({ ...question, anchors, crls })
  const obstacle = findObstacle(bundle, presented[0])
  const failure = obstacle ? OBSTACLES[obstacle].failure : reason ? { kind: 'verify' as const, reason } : undefined
  return {
    accepted: failure === undefined,
    reason: obstacle ? OBSTACLES[obstacle].logText : reason,
    opensslNumber: obstacle ? 0 : opensslNumber,
    xapiError: failure ? poolErrorOf(failure, `${name}:${port}`, REQUEST_TIMEOUT_MS) : [],
    bundle,
    obstacle,
    path,
    fromServer,
    defects,
  }
}

const OBSTACLES: Readonly<Record<HandshakeObstacle, { failure: TlsFailure; logText: string }>> = {
  bundle: { failure: { kind: 'stunnel', indicator: 'Configuration failed' }, logText: 'Configuration failed' },
  key: { failure: { kind: 'reset' }, logText: 'sslv3 alert handshake failure' },
}

/** Both suites a pool offers are ECDHE-RSA: with any other key the server finds no shared cipher. */
function findObstacle(bundle: Bundle, leaf: X509Certificate | undefined): HandshakeObstacle | undefined {
  if (bundle.state === 'unusable') return 'bundle'
  return leaf && isRsa(leaf) ? undefined : 'key'
}

function isRsa(certificate: X509Certificate): boolean {
  try {
    return certificate.publicKey.asymmetricKeyType?.startsWith('rsa') ?? false
  } catch {
    return false
  }
}
