/**
 * Proves the connection: each host is asked to connect to the appliance itself. `GET /wlb_diagnostics` is served by the host that
 * receives it, with that host's own bundle, revocation lists, clock and resolver, and the task it is given keeps the
 * exact error (docs/protocol/pool.md, who connects).
 */

import { setTimeout as wait } from 'node:timers/promises'
import { mapBounded } from '../../base/bounded.js'
import { WlbError } from '../../base/error.js'
import {
  ApiFailure,
  ApiRecord,
  type CallLimits,
  type HostFacts,
  isApiMap,
  judgeWlbError,
  type PoolSession,
} from '../../xapi/index.js'
import type { Connection, HostProof } from './connection.js'

export interface ProveOptions {
  /** A pool itself waits ten minutes for diagnostics, too long for a terminal. */
  readonly timeoutMs?: number
  /** How long to wait for the other hosts once one has answered; `timeoutMs` by default. */
  readonly graceMs?: number
  /** Called before and after each host. */
  readonly onHost?: (host: string, proof: HostProof | undefined) => void
}

const TIMEOUT_MS = 35_000
const HOSTS_AT_ONCE = 16
/** After this time a host is only waiting, and the next one may be asked. */
const BUSY_MS = 2_000
/** An appliance that is slow for one host is slow for the others; they get this many times as long. */
const SLOWER = 4

/** Asks every host, at most sixteen of them in their first two seconds; the order is that of `hosts`. */
export async function proveHosts(
  session: PoolSession,
  { pool, hosts }: Pick<Connection, 'pool' | 'hosts'>,
  { timeoutMs = TIMEOUT_MS, graceMs = timeoutMs, onHost }: ProveOptions = {},
): Promise<readonly HostProof[]> {
  const pace = paceOf(graceMs)
  try {
    const proofs = await mapBounded(hosts, HOSTS_AT_ONCE, async (host) => {
      onHost?.(host.name, undefined)
      const asked = new AbortController()
      const proof = proveHost(session, pool, host, { timeoutMs, signal: asked.signal }).then((proof) => {
        pace.note(proof)
        onHost?.(host.name, proof)
        return proof
      })
      pace.follow(asked)
      await Promise.race([proof, wait(BUSY_MS, undefined, { ref: false })])
      return { proof }
    })
    return await Promise.all(proofs.map(({ proof }) => proof))
  } finally {
    pace.end()
  }
}

/** Stops waiting for the remaining hosts once several times the first answer's time has passed. */
function paceOf(graceMs: number) {
  const followed = new Map<AbortController, number>()
  const timers = new Set<NodeJS.Timeout>()
  let patienceMs: number | undefined
  const limit = (asked: AbortController, startedMs: number) => {
    if (patienceMs === undefined) return
    const leftMs = startedMs + patienceMs - performance.now()
    timers.add(setTimeout(() => asked.abort(), Math.max(0, leftMs)))
  }
  return {
    follow(asked: AbortController) {
      const startedMs = performance.now()
      followed.set(asked, startedMs)
      limit(asked, startedMs)
    },
    note(proof: HostProof) {
      if (proof.kind === 'not asked' || patienceMs !== undefined) return
      patienceMs = Math.max(graceMs, SLOWER * proof.tookMs)
      for (const [asked, startedMs] of followed) limit(asked, startedMs)
    },
    end() {
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

async function proveHost(
  session: PoolSession,
  pool: Connection['pool'],
  host: HostFacts,
  limits: CallLimits,
): Promise<HostProof> {
  if (!host.live) return notAsked('the host is down')
  if (pool.wlbUrl === '') return notAsked('the pool is not connected to an appliance')
  if (!pool.licensed) return notAsked('the licence of the pool does not include WLB')
  if (host.fingerprintSha256 === undefined && host.role === 'member')
    return notAsked('the pool records no certificate of this host, so it cannot be told from another')
  const startedMs = performance.now()
  let task: string
  try {
    task = String(await session.call('task.create', 'wlb trust', `Proof of ${host.name}`))
  } catch (error) {
    return notAsked(`no task could be made: ${describe(error)}`)
  }
  try {
    const { status, body } = await session.get(host.address, '/wlb_diagnostics', { task_id: task }, limits)
    const tookMs = Math.round(performance.now() - startedMs)
    const { state, error } = await readTask(session, task)
    if (state === 'success' || (state === 'pending' && status === 200 && body.length > 0))
      return { kind: 'accepted', tookMs }
    const [code, ...params] = error
    if (code !== undefined) return readRefusal([code, ...params], tookMs)
    return notAsked(`the host answered HTTP ${status} and its task says ${state}`)
  } catch (error) {
    const known = await readTask(session, task).catch(() => undefined)
    const [code, ...params] = known?.error ?? []
    if (code !== undefined) return readRefusal([code, ...params], Math.round(performance.now() - startedMs))
    if (limits.signal?.aborted)
      return notAsked(`no answer within ${Math.round(performance.now() - startedMs)} ms, and others have answered`)
    return notAsked(describe(error))
  } finally {
    await session.call('task.destroy', task).catch(() => undefined)
  }
}

function readRefusal(error: readonly [string, ...string[]], tookMs: number): HostProof {
  const [code] = error
  switch (judgeWlbError(code)) {
    case 'answered':
      return { kind: 'accepted', tookMs }
    case 'not tried':
      return notAsked(code)
    case 'failed':
      return { kind: 'refused', error, tookMs }
  }
}

async function readTask(session: PoolSession, task: string): Promise<{ state: string; error: readonly string[] }> {
  const answer = await session.call('task.get_record', task)
  const record = new ApiRecord(isApiMap(answer) ? answer : {})
  return { state: record.text('status'), error: record.texts('error_info') }
}

function notAsked(why: string): HostProof {
  return { kind: 'not asked', why }
}

function describe(error: unknown): string {
  if (error instanceof WlbError) return `${error.message} [${error.code}]`
  if (error instanceof ApiFailure) return error.message
  throw error
}
