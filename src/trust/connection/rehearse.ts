/**
 * What each host would say, from what is known here: a prediction, for what has not been done yet and where no host can
 * be asked. A pool tells names and fingerprints of what is installed; of those whose bytes are not known nothing is assumed.
 */
import type { X509Certificate } from 'node:crypto'
import { checkAsPool, floatText, poolErrorOf } from '../../tls/index.js'
import type { HostFacts } from '../../xapi/pool/pool-records.js'
import type { Connection, Prediction } from './connection.js'
import { linkedCrls } from './disks.js'

export interface RehearseOptions {
  /** Another time than the host's own. */
  readonly now?: Date
  /** What would be installed, instead of what is. */
  readonly anchors?: readonly X509Certificate[]
  /** What would be served, instead of what is. */
  readonly presented?: readonly X509Certificate[]
  /** The name that would be connected to. */
  readonly name?: string
  /** Revocation lists that would be there, in PEM; they are looked at where there is one. */
  readonly crls?: readonly string[]
}

const SILENCE_MS = 30_000
/** First defects that a certificate not known here might cure. */
const WANTS_ANOTHER_ANCHOR = new Set([2, 18, 19, 20, 7])

/** Of a connection with verification; whether the pool verifies is not asked. */
export function rehearse(connection: Connection, host: HostFacts, options: RehearseOptions = {}): Prediction {
  const { appliance, installed, crls } = connection
  const { endpoint } = appliance
  const name = options.name ?? appliance.name
  if (options.presented === undefined) {
    if (endpoint.state === 'silent') return { kind: 'refused', error: ['WLB_TIMEOUT', floatText(SILENCE_MS / 1000)] }
    if (endpoint.state === 'unreachable') {
      if (!endpoint.indicator)
        return { kind: 'unknown', why: `seen from here the appliance is out of reach: ${endpoint.why}` }
      const failure = { kind: 'stunnel', indicator: endpoint.indicator } as const
      return { kind: 'refused', error: poolErrorOf(failure, `${name}:${appliance.port}`, SILENCE_MS) }
    }
  }
  const facts = options.presented ? undefined : answered(endpoint)
  const sight = options.anchors ? undefined : connection.stores?.get(host.uuid)
  const store = sight?.state === 'seen' ? sight.store : undefined
  const anchors = options.anchors ?? knownAnchors(connection)
  const unknownAnchors = options.anchors || store ? 0 : installed.length - anchors.length
  if (anchors.length === 0 && unknownAnchors > 0)
    return { kind: 'unknown', why: 'the pool tells only the fingerprints of what is installed' }

  const verdict = checkAsPool(
    {
      ...(store
        ? { bundle: store.bundle, crls: linkedCrls(store) }
        : {
            bundle: anchors.length === 0 ? undefined : Buffer.from(anchors.map(String).join('\n')),
            crls: options.crls && options.crls.length > 0 ? options.crls : undefined,
          }),
      name,
      now: options.now ?? new Date(connection.observedAt.getTime() + (host.clockOffsetMs ?? 0)),
      port: appliance.port,
      ...(options.presented && { presented: options.presented }),
    },
    facts,
  )
  if (!verdict.accepted) {
    const isOpen = unknownAnchors > 0 && WANTS_ANOTHER_ANCHOR.has(verdict.opensslNumber)
    return isOpen
      ? { kind: 'unknown', why: `${unknownAnchors} installed certificates are known by fingerprint only` }
      : { kind: 'refused', error: verdict.xapiError }
  }
  if (!store && options.crls === undefined && (crls === undefined || crls.length > 0))
    return { kind: 'unknown', why: 'what the revocation lists of the pool say is not known here' }
  return { kind: 'accepted' }
}

function answered(endpoint: Connection['appliance']['endpoint']) {
  if (endpoint.state === 'silent' || endpoint.state === 'unreachable') return undefined
  return endpoint
}

/** Of what is installed, the certificates whose bytes are at hand. */
export function knownAnchors({ installed, known }: Connection): readonly X509Certificate[] {
  return installed.flatMap(({ fingerprintSha256 }) => known.get(fingerprintSha256) ?? [])
}
