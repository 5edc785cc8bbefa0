/**
 * xapi's failover planner (binpack.ml), so that a move is known beforehand to keep a plan or to end it: for every order in which
 * `failures` hosts can die one after another, the VMs of each are restarted on the others, the largest first and each on the host
 * with the most free memory. Where those are too many, one estimate that assumes the worst.
 */

/** Live and enabled hosts, and the protected VMs that may be restarted anywhere, in the order of their uuids. */
export interface FailoverQuestion {
  /** Of the pool, dead and disabled ones included: it decides how exactly xapi calculates. */
  readonly totalHosts: number
  /** Free memory of each host that counts. */
  readonly freeBytes: readonly number[]
  readonly vms: readonly FailoverVm[]
}
export interface FailoverVm {
  readonly bytes: number
  /** An index of `freeBytes`; undefined for a VM that is not running on any of them and would be started first. */
  readonly host: number | undefined
}

/** More ordered combinations than this, or more hosts, are estimated. */
const MOST_COMBINATIONS = 3500
const MOST_HOSTS = 32

/** Tells whether xapi would find a plan for that number of host failures. */
export function failoverPlanExists(question: FailoverQuestion, failures: number): boolean {
  const world = startOffline(question)
  if (!world) return false
  const hosts = world.freeBytes.length
  if (hosts < failures || (hosts === failures && world.vms.length > 0)) return false
  if (isExact(question.totalHosts, failures)) return survives(world, failures)
  return world.vms.length === 0 || survivesWorst(world, failures)
}

/** Hosts by their index; a dead one has NaN for free memory. */
interface World {
  readonly freeBytes: readonly number[]
  readonly vms: readonly { readonly bytes: number; readonly host: number }[]
}

function startOffline({ freeBytes, vms }: FailoverQuestion): World | undefined {
  const offline = vms.flatMap(({ bytes, host }, index) => (host === undefined ? [{ bytes, index }] : []))
  const packed = pack(offline, freeBytes)
  if (!packed) return undefined
  return {
    freeBytes: packed.freeBytes,
    vms: vms.map(({ bytes, host }, index) => ({ bytes, host: host ?? packed.hostOf.get(index) ?? 0 })),
  }
}

function survives(world: World, failures: number): boolean {
  if (failures === 0) return true
  return world.freeBytes.every((free, dead) => {
    if (Number.isNaN(free)) return true
    const next = afterFailure(world, dead)
    return next !== undefined && survives(next, failures - 1)
  })
}

function afterFailure({ freeBytes, vms }: World, dead: number): World | undefined {
  const failed = vms.flatMap(({ bytes, host }, index) => (host === dead ? [{ bytes, index }] : []))
  const packed = pack(failed, freeBytes.with(dead, Number.NaN))
  return (
    packed && {
      freeBytes: packed.freeBytes,
      vms: vms.map(({ bytes, host }, index) => ({ bytes, host: packed.hostOf.get(index) ?? host })),
    }
  )
}

/** Largest VM first, each into the host with the most memory left; undefined when one does not fit. */
function pack(
  vms: readonly { readonly bytes: number; readonly index: number }[],
  freeBytes: readonly number[],
): { readonly freeBytes: readonly number[]; readonly hostOf: ReadonlyMap<number, number> } | undefined {
  const left = [...freeBytes]
  const hostOf = new Map<number, number>()
  const bins = left.flatMap((free, host) => (Number.isNaN(free) ? [] : [host])).sort((a, b) => freeOf(b) - freeOf(a))
  function freeOf(host: number): number {
    return left[host] ?? 0
  }
  for (const { bytes, index } of vms.toSorted((one, other) => other.bytes - one.bytes)) {
    const roomiest = bins.shift()
    if (roomiest === undefined || freeOf(roomiest) < bytes) return undefined
    left[roomiest] = freeOf(roomiest) - bytes
    hostOf.set(index, roomiest)
    const after = bins.findIndex((host) => freeOf(host) <= freeOf(roomiest))
    bins.splice(after === -1 ? bins.length : after, 0, roomiest)
  }
  return { freeBytes: left, hostOf }
}

/** Every VM as large as the largest, the roomiest hosts die, and those with the most VMs do. */
function survivesWorst({ freeBytes, vms }: World, failures: number): boolean {
  const largest = vms.reduce((most, { bytes }) => Math.max(most, bytes), 0)
  const slots = freeBytes.map((free) => (largest === 0 ? Number.POSITIVE_INFINITY : Math.trunc(free / largest)))
  const counts = freeBytes.map((_, host) => vms.filter((vm) => vm.host === host).length)
  const descending = (a: number, b: number) => (a === b ? 0 : b - a)
  const left = sum(slots.sort(descending).slice(failures))
  return sum(counts.sort(descending).slice(0, failures)) <= left
}

function isExact(totalHosts: number, failures: number): boolean {
  if (totalHosts > MOST_HOSTS) return false
  // C(n, r) * r! ordered choices of r hosts out of n
  return Array.from({ length: failures }, (_, at) => totalHosts - at).reduce((a, b) => a * b, 1) < MOST_COMBINATIONS
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
