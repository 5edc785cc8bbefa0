/** Gathers the evidence: everything at once, each with its own patience, and nothing that changes anything. */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { WlbError } from '../../base/error.js'
import { reachable } from '../../tls/index.js'
import { ApiFailure, isApiMap } from '../../xapi/index.js'
import type { HostFacts } from '../../xapi/pool/pool-records.js'
import type { PoolSession } from '../../xapi/pool/pool-session.js'
import { parseWlbAddress, type WlbAddress } from '../../xapi/pool/wlb-address.js'
import type { ApplianceFacts, HostProof } from '../connection/connection.js'
import { type StoresSeen, storedCertificates } from '../connection/disks.js'
import { indexByFingerprint, observeAppliance, observePool, readClocks, servedBy } from '../connection/observe.js'
import { proveHosts } from '../connection/prove.js'
import { readKnownCertificates } from '../run/journal.js'
import type { CallOutcome, Evidence, PoolEvidence } from './evidence.js'
import { type LocalAppliance, readLocalAppliance } from './local-files.js'

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
  /** Looks at the disks of these hosts, by UUID, while they are asked. `name` is what the pool connects to. */
  readonly readStores?: (hosts: readonly HostFacts[], name: string) => Promise<StoresSeen>
  readonly onHost?: (host: string, isDone: boolean) => void
}

/** An appliance that has not answered by then is waited for, and so are the hosts, but not for long. */
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
  const { session, now, at, applianceRoot, known = [] } = options
  const [seen, local, met] = await Promise.all([
    session && observePool(session),
    readLocalAppliance(applianceRoot),
    readKnownCertificates().catch(() => []), // a journal that cannot be read tells nothing
  ])
  const connectsTo = parseWlbAddress(seen?.pool.wlbUrl ?? '')
  const address = options.appliance ?? connectsTo ?? addressOf(local)
  const isLocal = local !== undefined && (!options.appliance || options.appliance.port === local.facts.port)
  const name = connectsTo?.host ?? (isLocal ? local.facts.hostname : options.appliance?.host) ?? ''
  const looking = address && observeAppliance(address, name, { applianceRoot })
  const asking = seen && session && askPool(session, seen, options, looking)
  const [appliance, pool] = await Promise.all([looking, asking])
  return {
    appliance,
    pool,
    local: local && { ...local.facts, isAsked: appliance?.local !== undefined },
    known: indexByFingerprint([
      ...(appliance ? servedBy(appliance) : []),
      ...(local?.certificates ?? []),
      ...met,
      ...known,
      ...storedCertificates(pool?.stores),
    ]),
    observedAt: now,
    at,
    notAsked: [],
  }
}

function addressOf(local: LocalAppliance | undefined): WlbAddress | undefined {
  if (!local) return undefined
  const { address, port } = local.status.listener
  return { host: reachable(address), port }
}

type Seen = Awaited<ReturnType<typeof observePool>>

async function askPool(
  session: PoolSession,
  { pool, hosts, installed, crls }: Seen,
  { onHost, readStores }: GatherOptions,
  looking: Promise<ApplianceFacts> | undefined,
): Promise<PoolEvidence> {
  const reading = readStores?.(hosts, parseWlbAddress(pool.wlbUrl)?.host ?? '')
  reading?.catch(() => {}) // it is awaited below, with the others
  const isPrompt = await Promise.race([looking?.then(() => true) ?? true, wait(PROMPT_MS, false, { ref: false })])
  const heard = new Set<string>()
  const proving = prove(session, pool, hosts, isPrompt ? PATIENCE_MS : SHORT_PATIENCE_MS, (host, isDone) => {
    if (isDone) heard.add(host)
    onHost?.(host, isDone)
  })
  const [proofs, call, timed, stores] = await Promise.all([
    proving,
    isPrompt ? callThroughPool(session) : notAsked('the appliance does not answer from here either'),
    Promise.race([proving, wait(CLOCKS_LAST_MS, undefined, { ref: false })]).then(() =>
      readClocksInTurn(session, hosts, heard),
    ),
    reading,
  ])
  const evidence = { facts: pool, hosts: timed, installed, crls, proofs, call }
  const nameOnCoordinator = await findNameOnCoordinator(session, evidence)
  return { ...evidence, nameOnCoordinator, ...(stores && { stores }) }
}

/** Those who have answered already do not wait behind one that hangs. */
async function readClocksInTurn(
  session: PoolSession,
  hosts: readonly HostFacts[],
  heard: ReadonlySet<string>,
): Promise<readonly HostFacts[]> {
  const prompt = hosts.filter(({ name }) => heard.has(name))
  const timed = await readClocks(session, [...prompt, ...hosts.filter((host) => !prompt.includes(host))])
  return hosts.map((host) => timed.find(({ ref }) => ref === host.ref) ?? host)
}

function prove(
  session: PoolSession,
  pool: PoolEvidence['facts'],
  hosts: readonly HostFacts[],
  timeoutMs: number,
  onHost: GatherOptions['onHost'],
): Promise<readonly HostProof[]> {
  return proveHosts(
    session,
    { pool, hosts },
    { timeoutMs, graceMs: Math.min(timeoutMs, GRACE_MS), onHost: (host, proof) => onHost?.(host, proof !== undefined) },
  )
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
 * The pool says the same of a name nobody knows and of an address no way leads to. An empty test request of the
 * coordinator's to that name tells the two apart; it needs an administrator, and asks the appliance for nothing.
 */
async function findNameOnCoordinator(
  session: PoolSession,
  { facts, proofs, call }: Omit<PoolEvidence, 'nameOnCoordinator'>,
): Promise<PoolEvidence['nameOnCoordinator']> {
  const address = parseWlbAddress(facts.wlbUrl)
  const [proof] = proofs
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
