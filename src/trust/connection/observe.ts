/** Reads everything a verified connection is made of, from pool and appliance, at once; it changes nothing. */
import type { X509Certificate } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { WlbError } from '../../base/error.js'
import { paths, readSettings } from '../../config/index.js'
import { readStatus, type Status } from '../../identity/index.js'
import { observeEndpoint, reachable } from '../../tls/index.js'
import {
  ApiFailure,
  download,
  formatWlbAddress,
  type HostFacts,
  isApiSet,
  type PoolSession,
  parseApiDate,
  parseWlbAddress,
  type Records,
  readHosts,
  readInstalled,
  readPool,
  readRecords,
  type WlbAddress,
} from '../../xapi/index.js'
import { fail } from '../errors.js'
import type { ApplianceFacts, Connection, Observation } from './connection.js'
import { chooseName } from './connection-name.js'
import { type StoresSeen, storedCertificates } from './disks.js'
import { servedBy } from './predict.js'

export interface ObserveOptions {
  /** Where the appliance is asked from here; without it, where the pool connects to. */
  readonly appliance?: WlbAddress
  /** An appliance on this machine, for where neither is known. */
  readonly fallback?: WlbAddress
  /** The name the appliance is asked by while no pool connects to it; its host where it is not given. */
  readonly askedName?: string
  /** The folder of an appliance on this machine, which knows more about itself than its port shows. */
  readonly applianceRoot?: string
  /** Certificates whose bytes are at hand, in addition to those that are served. */
  readonly known?: readonly X509Certificate[]
  /** Reads the trust stores on the disks of these hosts. `name` is what the pool connects to. */
  readonly readStores?: (hosts: readonly HostFacts[], name: string) => Promise<StoresSeen>
  readonly now: Date
}

const ENDPOINT_TIMEOUT_MS = 5_000
/** The coordinator forwards the call to the host itself, so one that hangs keeps it waiting as it does us. */
const CLOCK_TIMEOUT_MS = 5_000

/**
 * Reads everything a verified connection consists of.
 *
 * @throws APPLIANCE_UNKNOWN when the pool is not connected and no address was given; POOL_UNREADABLE when its answer
 * holds no pool; what `PoolSession.call` throws.
 */
export async function observe(session: PoolSession, options: ObserveOptions): Promise<Connection> {
  const observing = await startObserving(session, options)
  const { pool, hosts } = observing.seen
  if (!pool) throw new Error('a session reads a pool')
  if (!observing.appliance) throw fail('APPLIANCE_UNKNOWN', { pool: pool.name })
  const [withClocks, appliance] = await Promise.all([readClocks(session, hosts), observing.appliance])
  return { ...(await observing.finish(withClocks)), pool, appliance }
}

type PoolSide = Pick<Observation, 'pool' | 'hosts' | 'installed' | 'crls'>

/** The pool has been read; the appliance and the disks are still being asked. */
interface Observing {
  readonly seen: PoolSide
  /** Undefined where its address is not known. */
  readonly appliance: Promise<ApplianceFacts> | undefined
  /** Waits for the rest. `hosts` are those of `seen`, with their clocks. */
  finish(hosts: readonly HostFacts[]): Promise<Observation>
}

const NO_POOL: PoolSide = { pool: undefined, hosts: [], installed: [], crls: undefined }

/** Begins to observe, for a caller that asks the hosts more at the same time. @throws as `observe` does. */
export async function startObserving(session: PoolSession | undefined, options: ObserveOptions): Promise<Observing> {
  const seen = session ? await observePool(session) : NO_POOL
  const connectsTo = parseWlbAddress(seen.pool?.wlbUrl ?? '')
  const given = options.appliance ?? (connectsTo && (await findOwn(connectsTo, options))) ?? options.fallback
  const isNameOpen = seen.pool !== undefined && !connectsTo
  const askedName = connectsTo?.host ?? options.askedName ?? given?.host ?? ''
  const appliance = given && observeAppliance(given, askedName, isNameOpen, options)
  // while the pool is not connected, the certificate decides which name it would connect by
  const name = connectsTo ? connectsTo.host : appliance?.then((found) => found.name)
  const stores = (async () => seen.pool && options.readStores?.(seen.hosts, (await name) ?? ''))()
  stores.catch(() => {}) // awaited in `finish`, which the caller may never reach
  return {
    seen,
    appliance,
    finish: async (hosts) => {
      const [found, disks] = await Promise.all([appliance, stores])
      return {
        ...seen,
        hosts,
        appliance: found,
        stores: disks,
        known: indexByFingerprint([...servedBy(found), ...(options.known ?? []), ...storedCertificates(disks)]),
        observedAt: options.now,
      }
    },
  }
}

/**
 * Where the pool connects to. An appliance on this machine whose name only the hosts know, as in a lab, is asked at its own address.
 */
async function findOwn(connectsTo: WlbAddress, { applianceRoot }: ObserveOptions): Promise<WlbAddress> {
  const { host, port } = connectsTo
  if (applianceRoot === undefined || isIP(host) !== 0 || (await resolve(host)).length > 0) return connectsTo
  const status = await readStatus(applianceRoot).catch((error: unknown) => {
    if (error instanceof WlbError) return undefined
    throw error
  })
  const isOwn = status?.hostname === host && status.listener.port === port
  return isOwn ? { host: reachable(status.listener.address), port } : connectsTo
}

/** What the pool's database says; the clocks of the hosts are not asked yet. */
async function observePool(session: PoolSession): Promise<PoolSide> {
  const [pools, hostRecords, metrics, certificates, crls] = await Promise.all([
    readAll(session, 'pool'),
    readAll(session, 'host'),
    readAll(session, 'host_metrics'),
    readAll(session, 'Certificate'),
    readCrlNames(session),
  ])
  const [first] = pools
  if (!first) throw fail('POOL_UNREADABLE', { server: formatWlbAddress({ host: session.address, port: session.port }) })
  const [ref, record] = first
  const hosts = readHosts(record, hostRecords, metrics, certificates, new Map())
  session.learn(hosts)
  return { pool: readPool(ref, record), hosts, installed: readInstalled(certificates), crls }
}

async function readAll(session: PoolSession, className: string): Promise<Records> {
  return readRecords(await session.call(`${className}.get_all_records`))
}

/** Roles of old pools may not ask. */
async function readCrlNames(session: PoolSession): Promise<readonly string[] | undefined> {
  try {
    const names = await session.call('pool.crl_list')
    return isApiSet(names) ? names.map(String) : undefined
  } catch (error) {
    if (error instanceof ApiFailure) return undefined
    throw error
  }
}

/** Asks every host that is live for its time; the session has few connections, and hosts in front are asked first. */
export async function readClocks(session: PoolSession, hosts: readonly HostFacts[]): Promise<readonly HostFacts[]> {
  return Promise.all(
    hosts.map(async (host) => {
      const clockOffsetMs = host.live ? await readClock(session, host.ref) : undefined
      return clockOffsetMs === undefined ? host : { ...host, clockOffsetMs }
    }),
  )
}

/** A host's clock less ours; undefined where it does not tell. */
export async function readClock(session: PoolSession, hostRef: string): Promise<number | undefined> {
  const sentMs = Date.now()
  const answer = await session.callWithin(CLOCK_TIMEOUT_MS, 'host.get_servertime', hostRef).catch(() => undefined)
  const stated = answer instanceof Date ? answer : parseApiDate(String(answer ?? ''))
  // the answer is cut to whole seconds, so it is half a second behind on average
  return stated && Math.round(stated.getTime() + 500 - (sentMs + Date.now()) / 2)
}

/** `isNameOpen`: no pool connects by `asked`, so the certificate decides. */
async function observeAppliance(
  given: WlbAddress,
  asked: string,
  isNameOpen: boolean,
  { applianceRoot }: ObserveOptions,
): Promise<ApplianceFacts> {
  const { host, port } = given
  const [endpoint, found, clockOffsetMs, local] = await Promise.all([
    observeEndpoint({ host, port, timeoutMs: ENDPOINT_TIMEOUT_MS }, asked),
    resolve(asked),
    readApplianceClock(given),
    applianceRoot === undefined ? undefined : findLocal(applianceRoot, given),
  ])
  const [leaf] = 'certificates' in endpoint ? endpoint.certificates : []
  const name =
    isNameOpen && leaf
      ? chooseName({ wlbUrl: '', hostname: local?.isPort ? local.status.hostname : undefined, asked }, leaf)
      : asked
  return {
    ...{ host, port, name, endpoint, clockOffsetMs },
    resolved: name === asked ? found : await resolve(name),
    // nobody listens there: the port may have been changed
    local:
      local?.isPort || (local?.status.hostname === asked && endpoint.state === 'unreachable')
        ? local.status
        : undefined,
  }
}

async function resolve(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address)
  } catch {
    return []
  }
}

/** No secret is sent or received, so the connection need not be verified. */
async function readApplianceClock({ host, port }: WlbAddress): Promise<number | undefined> {
  const target = {
    address: host,
    port,
    trust: { kind: 'none' },
    timeoutMs: ENDPOINT_TIMEOUT_MS,
    limitBytes: 65_536,
  } as const
  try {
    const sentMs = Date.now()
    const { headers } = await download(target, '/')
    const stated = Date.parse(headers.date ?? '')
    return Number.isNaN(stated) ? undefined : Math.round(stated + 500 - (sentMs + Date.now()) / 2)
  } catch {
    return undefined
  }
}

/** The appliance in that folder, if it is on the machine that is asked. */
async function findLocal(root: string, { host, port }: WlbAddress): Promise<FoundHere | undefined> {
  try {
    const status = await readStatus(root)
    if (host !== status.hostname && !(await isThisMachine(host))) return undefined
    // what it has set aside for a stand-in is on another port for the time being
    const settings = await readSettings(paths(root).settings).catch(() => undefined)
    return { status, isPort: [status.listener.port, settings?.port, settings?.front?.port].includes(port) }
  } catch (error) {
    if (error instanceof WlbError) return undefined
    throw error
  }
}

interface FoundHere {
  readonly status: Status
  /** It has to do with the port that is asked. */
  readonly isPort: boolean
}

export async function isThisMachine(host: string): Promise<boolean> {
  const own = new Set(Object.values(networkInterfaces()).flatMap((one) => (one ?? []).map(({ address }) => address)))
  const addresses = [host, ...(await resolve(host))]
  return addresses.some((address) => own.has(address) || address.startsWith('127.'))
}

export function indexByFingerprint(certificates: readonly X509Certificate[]): ReadonlyMap<string, X509Certificate> {
  return new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate]))
}
