/** Gathers the evidence: what `observe` reads, and what only the doctor asks, at the same time; it changes nothing. */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { WlbError } from '../../../base/error.js'
import type { Status } from '../../../identity/index.js'
import { reachable } from '../../../tls/index.js'
import {
  ApiFailure,
  type HostFacts,
  isApiMap,
  type PoolSession,
  parseWlbAddress,
  type WlbAddress,
} from '../../../xapi/index.js'
import type { HostProof, Observation } from '../../connection/connection.js'
import type { StoresSeen } from '../../connection/disks.js'
import { isThisMachine, readClocks, startObserving } from '../../connection/observe.js'
import { proveHosts } from '../../connection/prove.js'
import { readKnownCertificates } from '../../run/journal-records.js'
import type { CallOutcome, Evidence } from './evidence.js'
import { type LocalAppliance, readLocalAppliance } from './local-appliance.js'

export interface GatherOptions {
  /** Undefined: the pool is left out. */
  readonly session?: PoolSession
  /** Where the appliance is asked from here; else where the pool connects to, else the one on this machine. */
  readonly appliance?: WlbAddress
  readonly applianceRoot: string
  readonly now: Date
  readonly at?: Date
  /** Certificates whose bytes are at hand. */
  readonly known?: readonly X509Certificate[]
  /** Reads the trust stores on these hosts' disks, by UUID. `name` is what the pool connects to. */
  readonly readStores?: (hosts: readonly HostFacts[], name: string) => Promise<StoresSeen>
  readonly onHost?: (host: string, isDone: boolean) => void
}

/** An appliance that has not answered by then counts as slow: the hosts get less time. */
const PROMPT_MS = 1_500
/** A pool gives an appliance half a minute. */
const PATIENCE_MS = 35_000
const SHORT_PATIENCE_MS = 8_000
/** Longer than the ten seconds after which the pool's TLS client gives up connecting, and the host says so. */
const GRACE_MS = 12_000
/** Clocks are asked through the coordinator, where one host that hangs is in the way of every other call. */
const CLOCKS_LAST_MS = 2_000
const CALL_PATIENCE_MS = 40_000
const NAME_PATIENCE_MS = 5_000

export async function gather(options: GatherOptions): Promise<Evidence> {
  const { session, now, at, applianceRoot, known = [], readStores } = options
  const [local, recorded] = await Promise.all([
    readLocalAppliance(applianceRoot),
    readKnownCertificates().catch(() => []), // a journal that cannot be read tells nothing
  ])
  const isLocal = local !== undefined && (!options.appliance || options.appliance.port === local.facts.port)
  const observing = await startObserving(session, {
    appliance: options.appliance,
    applianceRoot,
    readStores,
    now,
    fallback: local?.status && addressOf(local.status),
    askedName: isLocal ? local.facts.hostname : undefined,
    known: [...(local?.certificates ?? []), ...recorded, ...known],
  })
  const { hosts, ...asked } =
    session && observing.seen.pool ? await askPool(session, observing, options) : { ...NOBODY_ASKED, hosts: [] }
  const observation = await observing.finish(hosts)
  return {
    ...observation,
    ...asked,
    local: local && { ...local.facts, isAsked: await isAskedHere(local, observation) },
    at,
    notAsked: [],
  }
}

/** Settings that cannot be used name no port: then what is asked on this machine is taken to be it. */
async function isAskedHere({ status }: LocalAppliance, { appliance }: Observation): Promise<boolean> {
  if (!appliance) return status === undefined
  return appliance.local !== undefined || (status === undefined && (await isThisMachine(appliance.host)))
}

function addressOf({ listener: { address, port } }: Status): WlbAddress {
  return { host: reachable(address), port }
}

type Asked = Pick<Evidence, 'proofs' | 'call' | 'adviceError' | 'nameOnCoordinator'>

const NOBODY_ASKED: Asked = {
  proofs: [],
  call: { kind: 'not asked', why: 'no pool was asked' },
  adviceError: [],
  nameOnCoordinator: 'not asked',
}

/** Asks every host to connect, makes a call through the pool, and reads the hosts' clocks. */
async function askPool(
  session: PoolSession,
  { seen: { pool, hosts }, appliance }: Awaited<ReturnType<typeof startObserving>>,
  { onHost }: GatherOptions,
): Promise<Asked & Pick<Evidence, 'hosts'>> {
  if (!pool) throw new Error('a session reads a pool')
  const isPrompt = await Promise.race([appliance?.then(() => true) ?? true, wait(PROMPT_MS, false, { ref: false })])
  const answered = new Set<string>()
  const timeoutMs = isPrompt ? PATIENCE_MS : SHORT_PATIENCE_MS
  const proving = proveHosts(
    session,
    { pool, hosts },
    {
      timeoutMs,
      graceMs: Math.min(timeoutMs, GRACE_MS),
      onHost: (host, proof) => {
        if (proof) answered.add(host)
        onHost?.(host, proof !== undefined)
      },
    },
  )
  const [proofs, call, timed] = await Promise.all([
    proving,
    isPrompt ? callThroughPool(session) : notAsked('the appliance does not answer from here either'),
    Promise.race([proving, wait(CLOCKS_LAST_MS, undefined, { ref: false })]).then(() =>
      readClocksInTurn(session, hosts, answered),
    ),
  ])
  return {
    hosts: timed,
    proofs,
    call,
    adviceError: pool.wlbEnabled && call.kind === 'answered' ? await askForAdvice(session) : [],
    nameOnCoordinator: await findNameOnCoordinator(session, pool.wlbUrl, call, proofs),
  }
}

/** Hosts that have answered come first, so that they do not wait behind one that hangs. */
async function readClocksInTurn(
  session: PoolSession,
  hosts: readonly HostFacts[],
  answered: ReadonlySet<string>,
): Promise<readonly HostFacts[]> {
  const prompt = hosts.filter(({ name }) => answered.has(name))
  const timed = await readClocks(session, [...prompt, ...hosts.filter((host) => !prompt.includes(host))])
  return hosts.map((host) => timed.find(({ ref }) => ref === host.ref) ?? host)
}

/** The call an operator would make. */
async function callThroughPool(session: PoolSession): Promise<CallOutcome> {
  try {
    const answer = await session.callWithin(CALL_PATIENCE_MS, 'pool.retrieve_wlb_configuration')
    const pairs = isApiMap(answer) ? Object.entries(answer) : []
    return { kind: 'answered', configuration: Object.fromEntries(pairs.map(([key, value]) => [key, String(value)])) }
  } catch (error) {
    if (error instanceof ApiFailure) return outcomeOf(error)
    if (error instanceof WlbError) return notAsked(`${error.message} [${error.code}]`)
    throw error
  }
}

/** What the pool asks before it starts a VM or empties a host goes the same way. */
async function askForAdvice(session: PoolSession): Promise<Evidence['adviceError']> {
  try {
    await session.callWithin(CALL_PATIENCE_MS, 'pool.retrieve_wlb_recommendations')
    return []
  } catch (error) {
    if (error instanceof ApiFailure) return error.code === 'RBAC_PERMISSION_DENIED' ? [] : [error.code, ...error.params]
    if (error instanceof WlbError) return []
    throw error
  }
}

function outcomeOf({ code, params }: ApiFailure): CallOutcome {
  return code === 'RBAC_PERMISSION_DENIED'
    ? notAsked('the user of this session may not make a call through the pool')
    : { kind: 'refused', error: [code, ...params] }
}

function notAsked(why: string): CallOutcome {
  return { kind: 'not asked', why }
}

const NAMELESS =
  /no address|not known|unknown host|no host resolved|no remote host|could not be resolved|ENOTFOUND|EAI_AGAIN/i

/**
 * The pool reports the same error for a name that does not resolve and for an address without a route. An empty test request
 * from the coordinator to that name tells them apart; it needs an administrator, and sends the appliance nothing.
 */
async function findNameOnCoordinator(
  session: PoolSession,
  wlbUrl: string,
  call: CallOutcome,
  [proof]: readonly HostProof[],
): Promise<Evidence['nameOnCoordinator']> {
  const address = parseWlbAddress(wlbUrl)
  const error = call.kind === 'refused' ? call.error : proof?.kind === 'refused' ? proof.error : []
  const isInDoubt = error[0] === 'WLB_UNKNOWN_HOST' || error[0] === 'WLB_CONNECTION_RESET'
  if (!address || isIP(address.host) !== 0 || !isInDoubt) return 'not asked'
  try {
    await session.callWithin(NAME_PATIENCE_MS, 'pool.send_test_post', address.host, BigInt(address.port), '')
    return 'known'
  } catch (failure) {
    if (!(failure instanceof ApiFailure) || failure.code === 'RBAC_PERMISSION_DENIED') return 'not asked'
    return NAMELESS.test(failure.params.join(' ')) ? 'unknown' : 'known'
  }
}
