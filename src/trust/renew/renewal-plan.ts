/**
 * A certificate exchanged while every host verifies at every moment: what the new one needs is everywhere before it
 * serves, what the old one needed goes when it serves no more, and the hosts are asked in between (docs/renewal.md). Pure.
 */
import type { X509Certificate } from 'node:crypto'
import { checkAsPool } from '../../tls/index.js'
import { checkHost, describeCertificate } from '../../x509/index.js'
import { formatWlbAddress, parseWlbAddress } from '../../xapi/index.js'
import type { Connection, HostVerdict } from '../connection/connection.js'
import { knownAnchors, predictHosts, servedBy } from '../connection/predict.js'
import { fail } from '../errors.js'
import { findNeeded, installOrders, pemOf } from '../plan/needed-certificates.js'
import type { OrderOf, StepOrder } from '../run/steps/step.js'
import type { NextIdentity } from './next-identity.js'

export interface RenewalWish {
  readonly next: NextIdentity
  readonly identity: OrderOf<'identity'>
  /** What the pool connects to afterwards. */
  readonly name: string
  /** Whether every host has just said that it verifies: else there is nothing to keep up. */
  readonly isProved: boolean
  readonly wlbUserName?: string
}

export interface RenewalPlan {
  readonly orders: readonly StepOrder[]
  /** What each host will say of the new certificate. */
  readonly verdicts: readonly HostVerdict[]
  readonly notes: readonly string[]
}

/** @throws RENEW_NAME_GAP, NEXT_CERTIFICATE_REFUSED */
export function planRenewal(connection: Connection, wish: RenewalWish): RenewalPlan {
  const { next, name, isProved } = wish
  const [leaf] = next.chain
  if (!leaf) throw new Error('a next identity has a leaf')
  const current = parseWlbAddress(connection.pool.wlbUrl)?.host ?? name
  const missing = [...new Set([current, name])].filter((one) => !checkHost(leaf, one))
  if (missing.length > 0)
    throw fail('RENEW_NAME_GAP', { missing: missing.join(', '), names: describeCertificate(leaf).names.join(', ') })

  const trusted = {
    kind: 'trusted',
    by: 'files',
    candidates: [...next.candidates, ...knownAnchors(connection)],
  } as const
  const kind = next.how === 'self-signed' ? 'self-signed' : 'ca'
  const needed = findNeeded(seeing(connection, next), kind, trusted, leaf, name)
  const installs = installOrders(connection, needed)
  const fresh = installs.filter(({ state }) => state === 'planned').map(({ order }) => order)
  const anchors = [...needed.map(({ certificate }) => certificate), ...knownAnchors(connection)]
  const verdicts = predictHosts(connection, { anchors, name, presented: next.chain })
  const refused = verdicts.filter(({ verdict }) => verdict === 'refused')
  if (refused.length > 0) {
    const hosts = Object.fromEntries(refused.map(({ host, error }) => [host, error.join(': ')]))
    throw fail('NEXT_CERTIFICATE_REFUSED', { name, hosts })
  }

  const kept = new Set(
    [...needed.map(({ certificate }) => certificate), ...pathOf(connection, next.chain, anchors)].map(fingerprint),
  )
  const old = findOld(connection, kept)
  const fingerprints = needed.map(({ certificate }) => fingerprint(certificate))
  const orders: StepOrder[] = [
    ...fresh,
    { id: 'list', kind: 'list', fingerprints, isDue: fresh.length > 0 },
    { id: 'sync', kind: 'sync', isDue: fresh.length > 0 },
    ...(isProved ? [{ id: 'prove-old', kind: 'prove', isDue: true, name: current } as const] : []),
    wish.identity,
    { id: 'prove-new', kind: 'prove', isDue: true, name: current },
    ...reconnect(connection, wish, current),
    ...old,
    ...(old.length > 0 ? [{ id: 'sync-last', kind: 'sync', isDue: true } as const] : []),
    { id: 'prove-last', kind: 'prove', isDue: true, name },
    { id: 'ask', kind: 'ask', isDue: true },
  ]
  const notes = isProved
    ? []
    : ['not every host verifies now, so there is nothing to keep up: the new certificate is to mend it']
  return { orders, verdicts, notes }
}

/** As it will be once the new chain is served. */
function seeing(connection: Connection, { chain }: NextIdentity): Connection {
  const endpoint = {
    state: 'agreed',
    certificates: chain,
    cipher: '',
    curve: '',
    clientCertificate: 'not asked',
  } as const
  return { ...connection, appliance: { ...connection.appliance, endpoint } }
}

function pathOf(
  { appliance, observedAt }: Connection,
  presented: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
) {
  if (presented.length === 0) return []
  const bundle = anchors.length === 0 ? undefined : Buffer.from(anchors.map(pemOf).join(''))
  return checkAsPool({
    presented,
    bundle,
    crls: undefined,
    name: appliance.name,
    now: observedAt,
    port: appliance.port,
  }).path
}

/** Installed, on the way up from the certificate that served until now, and of no use to the new one. */
function findOld(connection: Connection, kept: ReadonlySet<string>): StepOrder[] {
  const served = servedBy(connection.appliance)
  const path = new Set([...served, ...pathOf(connection, served, knownAnchors(connection))].map(fingerprint))
  return connection.installed
    .filter(({ fingerprintSha256 }) => path.has(fingerprintSha256) && !kept.has(fingerprintSha256))
    .map(({ name, fingerprintSha256 }, index) => {
      const certificate = connection.known.get(fingerprintSha256)
      const id = index === 0 ? 'uninstall' : `uninstall-${index + 1}`
      return { id, kind: 'uninstall', name, fingerprintSha256, pem: certificate ? pemOf(certificate) : null }
    })
}

/** Both names are in the new certificate, so the pool may change from one to the other while it serves. */
function reconnect({ pool, appliance }: Connection, { name, wlbUserName }: RenewalWish, current: string): StepOrder[] {
  if (name.toLowerCase() === current.toLowerCase()) return []
  const port = parseWlbAddress(pool.wlbUrl)?.port ?? appliance.port
  return [
    {
      id: 'reconnect',
      kind: 'connect',
      url: formatWlbAddress({ host: name, port }),
      userName: wlbUserName ?? pool.wlbUserName,
      before: { url: pool.wlbUrl, userName: pool.wlbUserName, verifies: pool.verifies },
    },
    { id: 'prove-name', kind: 'prove', isDue: true, name },
  ]
}

function fingerprint({ fingerprint256 }: X509Certificate): string {
  return fingerprint256
}
