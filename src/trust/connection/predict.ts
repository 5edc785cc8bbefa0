/**
 * What each host's TLS client would say, from what is known here: the one calculation that plan, status, renew and doctor
 * use. A pool tells names and fingerprints of what is installed, not the certificates themselves; nothing is assumed about
 * those whose bytes are not known.
 */
import type { X509Certificate } from 'node:crypto'
import { checkAsPool, floatText, type PoolVerdict, poolErrorOf } from '../../tls/index.js'
import { type Defect, isSelfSigned } from '../../x509/index.js'
import { formatWlbAddress, type HostFacts } from '../../xapi/index.js'
import type { ApplianceFacts, Connection, HostProof, HostVerdict, Observation, Prediction } from './connection.js'
import { linkedCrls } from './disks.js'

/** What would be, instead of what is. */
export interface Prospect {
  /** Another time than the one observed; the host's clock offset is added to it. */
  readonly now?: Date
  readonly anchors?: readonly X509Certificate[]
  readonly presented?: readonly X509Certificate[]
  /** The name that would be connected to. */
  readonly name?: string
  /** Revocation lists in PEM; a host checks revocation as soon as it has one. */
  readonly crls?: readonly string[]
}

const REQUEST_TIMEOUT_MS = 30_000
/** The error of a host whose bundle cannot be loaded: its TLS client does not start, so nothing else matters. */
const WITHOUT_BUNDLE = ['INTERNAL_ERROR', 'Connection failed: configuration failed.'] as const

/**
 * OpenSSL's numbers for the defects that an installed certificate of unknown bytes may cure: 2 and 20 (an issuer is
 * missing), 7 (a signature fails: an anchor of the same name may have the right key) and 19 (a self-signed certificate that
 * the server sends is not trusted: a renewed root of the same name and key, or a cross-signed one, is found in the trust
 * store first). Not 18, the self-signed leaf: it must be installed itself, byte for byte, and then its fingerprint would be
 * among those the pool lists. Measured with OpenSSL 3.0.19 and stunnel 5.68 (test/trust/predict.test.ts).
 */
const CURABLE: ReadonlySet<number> = new Set([2, 7, 19, 20])

export function mayAnotherAnchorCure({ opensslNumber }: Pick<Defect, 'opensslNumber'>): boolean {
  return CURABLE.has(opensslNumber)
}

/**
 * Predicts a connection with verification on, whether the pool verifies or not. Without a pool, whatever certificate the
 * path ends in is taken to be installed.
 */
export function predict(observation: Observation, host: HostFacts | undefined, prospect: Prospect = {}): Prediction {
  const { appliance, pool, crls } = observation
  if (!appliance) return { kind: 'unknown', why: 'nobody said where the appliance is' }
  const { anchors, unknownAnchors, store } = trustOf(observation, host, prospect)
  const isGuess = store === undefined && anchors.length === 0 && unknownAnchors > 0
  const reach = prospect.presented ? ACCEPTED : predictReach(appliance, prospect.name)
  if (reach.kind !== 'accepted' && !('certificates' in appliance.endpoint)) {
    const hasNone = store ? store.bundle === undefined : anchors.length === 0 && !isGuess
    return hasNone ? { kind: 'refused', error: WITHOUT_BUNDLE } : reach
  }
  const verdict = verdictOf(observation, host, prospect)
  if (!verdict) return reach
  const [obstacle] = verdict.obstacles.filter(({ code }) => !isGuess || code !== 'BUNDLE_UNUSABLE')
  if (obstacle) return { kind: 'refused', error: poolErrorOf(obstacle.failure, '', REQUEST_TIMEOUT_MS) }
  if (unknownAnchors === 0 && !verdict.accepted) return { kind: 'refused', error: verdict.xapiError }
  const [defect] = verdict.defects.filter((one) => !mayAnotherAnchorCure(one))
  if (defect) return { kind: 'refused', error: ['SSL_VERIFY_ERROR', defect.logText] }
  if (verdict.defects.length > 0) return { kind: 'unknown', why: whyOpen(unknownAnchors, isGuess) }
  if (!verdict.accepted) return { kind: 'refused', error: verdict.xapiError }
  if (pool && !store && prospect.crls === undefined && (crls === undefined || crls.length > 0))
    return { kind: 'unknown', why: 'what the revocation lists of the pool say is not known here' }
  return ACCEPTED
}

const ACCEPTED = { kind: 'accepted' } as const

function whyOpen(unknownAnchors: number, isGuess: boolean): string {
  return isGuess
    ? 'the pool tells only the fingerprints of what is installed'
    : `${unknownAnchors} installed certificates are known by fingerprint only`
}

/** Predicts what fails whatever a host trusts: the network, and the limits of TLS. */
export function predictReach({ endpoint, port, ...appliance }: ApplianceFacts, name = appliance.name): Prediction {
  switch (endpoint.state) {
    case 'silent':
      return { kind: 'refused', error: ['WLB_TIMEOUT', floatText(REQUEST_TIMEOUT_MS / 1000)] }
    case 'unreachable': {
      if (!endpoint.indicator)
        return { kind: 'unknown', why: `seen from here the appliance is out of reach: ${endpoint.why}` }
      const failure = { kind: 'stunnel', indicator: endpoint.indicator } as const
      return {
        kind: 'refused',
        error: poolErrorOf(failure, formatWlbAddress({ host: name, port }), REQUEST_TIMEOUT_MS),
      }
    }
    case 'refused':
    case 'not-tls':
      return { kind: 'refused', error: ['WLB_CONNECTION_RESET'] }
    case 'agreed':
      return endpoint.clientCertificate === 'demanded' ? { kind: 'refused', error: ['WLB_CONNECTION_RESET'] } : ACCEPTED
  }
}

/** Everything a host would find fault with; undefined where the appliance shows nothing to judge. */
export function verdictOf(
  observation: Observation,
  host: HostFacts | undefined,
  prospect: Prospect = {},
): PoolVerdict | undefined {
  const { appliance, observedAt } = observation
  if (!appliance) return undefined
  const { endpoint, port } = appliance
  const facts =
    prospect.presented || endpoint.state === 'silent' || endpoint.state === 'unreachable' ? undefined : endpoint
  if (!facts && !prospect.presented) return undefined
  const { anchors, store } = trustOf(observation, host, prospect)
  const lists = prospect.crls && prospect.crls.length > 0 ? prospect.crls : undefined
  return checkAsPool(
    {
      presented: prospect.presented,
      bundle: store ? store.bundle : bundleOf(anchors),
      crls: store ? linkedCrls(store) : lists,
      name: prospect.name ?? appliance.name,
      now: new Date((prospect.now ?? observedAt).getTime() + (host?.clockOffsetMs ?? 0)),
      port,
    },
    facts,
  )
}

/** What a host trusts: its disk where that was seen, else what the pool lists. */
function trustOf(observation: Observation, host: HostFacts | undefined, { anchors, presented }: Prospect) {
  const { pool, installed, stores } = observation
  if (anchors) return { anchors, unknownAnchors: 0, store: undefined }
  const sight = host && stores?.get(host.uuid)
  if (sight?.state === 'seen') return { anchors: [], unknownAnchors: 0, store: sight.store }
  if (!pool)
    return { anchors: servedBy(observation.appliance).filter(isSelfSigned), unknownAnchors: 1, store: undefined }
  const known = knownAnchors(observation, presented)
  return { anchors: known, unknownAnchors: installed.length - known.length, store: undefined }
}

function bundleOf(anchors: readonly X509Certificate[]): Buffer | undefined {
  return anchors.length === 0 ? undefined : Buffer.from(anchors.map(String).join('\n'))
}

/** The installed certificates whose bytes are at hand, among those known or `presented`. */
export function knownAnchors(
  { installed, known }: Pick<Observation, 'installed' | 'known'>,
  presented: readonly X509Certificate[] = [],
): readonly X509Certificate[] {
  return installed.flatMap(
    ({ fingerprintSha256: wanted }) =>
      known.get(wanted) ?? presented.find(({ fingerprint256 }) => fingerprint256 === wanted) ?? [],
  )
}

export function servedBy(appliance: ApplianceFacts | undefined): readonly X509Certificate[] {
  return appliance && 'certificates' in appliance.endpoint ? appliance.endpoint.certificates : []
}

/** Why a verdict of a plan is a prediction. */
export const NOT_YET = 'nothing was changed yet'

/** What each host will say once a plan is carried out. What is installed now would not reach a host that is down. */
export function predictHosts(connection: Connection, prospect: Prospect): readonly HostVerdict[] {
  return connection.hosts.map((host) => {
    if (!host.live) return verdictFrom(host, { kind: 'unknown', why: 'the host is down' }, '')
    const prediction = predict(connection, host, prospect)
    return verdictFrom(host, prediction, prediction.kind === 'unknown' ? '' : NOT_YET)
  })
}

/** The verdicts of a plan whose run ended before any host was asked. */
export function withoutProofs({ pool }: Connection, verdicts: readonly HostVerdict[]): readonly HostVerdict[] {
  const why = pool.wlbUrl === '' ? 'the pool is not connected' : 'it was not asked'
  return verdicts.map((verdict) => (verdict.why === NOT_YET ? { ...verdict, why } : verdict))
}

/**
 * One verdict a host: its own answer where it gave one, else the prediction. While the pool does not verify, a host that
 * connects proves credentials and network only, so its verdict is a prediction. `proofs` in the order of the hosts.
 */
export function judgeHosts(connection: Connection, proofs: readonly HostProof[]): readonly HostVerdict[] {
  return connection.hosts.map((host, index) => {
    const proof = proofs[index]
    if (proof?.kind === 'refused')
      return { host: host.name, verdict: 'refused', proof: 'host', error: proof.error, why: '' }
    if (proof?.kind === 'accepted' && connection.pool.verifies)
      return { host: host.name, verdict: 'accepted', proof: 'host', error: [], why: '' }
    const reason =
      proof?.kind === 'accepted' ? 'it connected, and verification is off' : (proof?.why ?? 'it was not asked')
    return verdictFrom(host, predict(connection, host), reason)
  })
}

function verdictFrom({ name }: HostFacts, prediction: Prediction, reason: string): HostVerdict {
  const verdict = { host: name, verdict: prediction.kind, proof: 'predicted', error: [], why: reason } as const
  switch (prediction.kind) {
    case 'accepted':
      return verdict
    case 'refused':
      return { ...verdict, error: prediction.error }
    case 'unknown':
      return { ...verdict, why: [reason, prediction.why].filter(Boolean).join('; ') }
  }
}
