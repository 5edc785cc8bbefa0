/** How much the pool can still take: more VMs like one it has, hosts that fail, and growth. */
import { compile } from '../compiled/compile.js'
import { type CompiledPool, NOWHERE, RESOURCES, type Resource } from '../compiled/compiled-pool.js'
import { count } from '../compiled/describe.js'
import { type Placement, startPlacement } from '../compiled/placement.js'
import type { Pool } from '../document/pool-document.js'
import { mayRun } from '../rules/may-run.js'
import { spareHosts } from '../rules/spare-hosts.js'
import { findTrends, type Trend } from './trend.js'

export interface Capacity {
  readonly format: 'openwlb-capacity/1'
  /** How many more VMs like `vm`, host by host; nothing if none was asked for. */
  readonly more?: More
  readonly failures: HostFailures
  readonly trends: readonly Trend[]
}

export interface More {
  readonly vm: string
  readonly total: number
  /** What ends first on the hosts, over all of them: `memory`, a resource, or the code of a refusal. */
  readonly limitedBy: string
  readonly hosts: readonly { readonly host: string; readonly more: number; readonly limitedBy: string }[]
}

export interface HostFailures {
  /** So many hosts may fail and all VMs that run can be started again on the others. */
  readonly hosts: number
  readonly why: string
}

/** `vmUuid` names the VM that more are wanted of; undefined if there is no such VM. */
export function capacity(pool: Pool, vmUuid?: string): Capacity | undefined {
  const compiled = compile(pool)
  const now = startPlacement(compiled)
  const v = vmUuid === undefined ? NOWHERE : compiled.vmNumbers.get(vmUuid)
  if (v === undefined) return undefined
  return {
    format: 'openwlb-capacity/1',
    ...(v === NOWHERE ? {} : { more: moreLike(compiled, now, v) }),
    failures: hostFailures(compiled, now),
    trends: findTrends(compiled),
  }
}

/** Load up to which a host takes more: the threshold called critical, in the mean of the scenarios. */
const FULL_SHARE = 0.9

function moreLike(pool: CompiledPool, now: Placement, v: number): More {
  const hosts = pool.hosts.flatMap((host, h) => (host.live ? [{ host: host.uuid, ...moreOn(pool, now, v, h) }] : []))
  const limits = new Map<string, number>()
  for (const { limitedBy } of hosts) limits.set(limitedBy, (limits.get(limitedBy) ?? 0) + 1)
  const [most] = [...limits].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
  return {
    vm: pool.vms[v]?.uuid ?? '',
    total: hosts.reduce((sum, { more }) => sum + more, 0),
    limitedBy: most?.[0] ?? 'HOST_NOT_LIVE',
    hosts,
  }
}

/** A copy is a VM that is off: nothing but the host's own limits and its load count. */
function moreOn(pool: CompiledPool, now: Placement, v: number, h: number): { more: number; limitedBy: string } {
  const [vm, host] = [pool.vms[v], pool.hosts[h]]
  if (!vm || !host) return { more: 0, limitedBy: 'HANDLE_INVALID' }
  const refusal = mayRun({ ...vm, host: null, state: 'halted' }, host)
  if (refusal) return { more: 0, limitedBy: refusal.code }
  if (host.excluded.includes('placement')) return { more: 0, limitedBy: 'HOST_EXCLUDED' }
  const freeBytes = (pool.memoryBytes[h] ?? 0) - (pool.memoryReserveBytes[h] ?? 0) - (now.wantBytes[h] ?? 0)
  const limits: readonly (readonly [string, number])[] = [
    ['memory', fitting(freeBytes, pool.wantBytes[v] ?? 0)],
    ...RESOURCES.map((resource, r): [Resource, number] => {
      const at = h * RESOURCES.length + r
      const load = mean(pool, now.load, at)
      return [
        resource,
        fitting(FULL_SHARE * (pool.capacity[at] ?? 0) - load, mean(pool, pool.demand, v * RESOURCES.length + r)),
      ]
    }),
  ]
  const [limitedBy, more] = limits.reduce((least, one) => (one[1] < least[1] ? one : least))
  return { more: Number.isFinite(more) ? more : 0, limitedBy }
}

function fitting(free: number, needed: number): number {
  return needed > 0 ? Math.max(0, Math.floor(free / needed)) : Number.POSITIVE_INFINITY
}

/** Over the scenarios, of row `at` of a matrix. */
function mean({ scenarioCount, scenarioWeight }: CompiledPool, matrix: Float64Array, at: number): number {
  return scenarioWeight.reduce((sum, weight, s) => sum + weight * (matrix[at * scenarioCount + s] ?? 0), 0)
}

function hostFailures(pool: CompiledPool, now: Placement): HostFailures {
  const failures = spareHosts(pool, now, pool.hosts.length)
  const running = pool.vms.filter(({ state }) => state === 'running')
  return {
    hosts: failures,
    why: `after ${count(failures, 'failure')} the ${count(running.length, 'VM')} that run now find room on the other hosts, by the planner of xapi`,
  }
}
