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
  if (hosts < failures || (hosts === failures && question.vms.length > 0)) return false
  // the estimate is never kinder than the exact answer, and much faster
  if (question.vms.length === 0 || survivesWorst(world, failures)) return true
  return isExact(question.totalHosts, failures) && survives(world, failures)
}

/** Hosts by their index; a dead one has NaN for free memory. Of VMs the size is all that matters. */
interface World {
  readonly freeBytes: readonly number[]
  readonly sizesOn: readonly (readonly number[])[]
}

function startOffline({ freeBytes, vms }: FailoverQuestion): World | undefined {
  const sizesOn = freeBytes.map((): number[] => [])
  const offline: number[] = []
  for (const { bytes, host } of vms) (host === undefined ? offline : (sizesOn[host] ?? [])).push(bytes)
  return pack(offline, { freeBytes, sizesOn })
}

function survives(world: World, failures: number): boolean {
  if (failures === 0) return true
  return world.freeBytes.every((free, dead) => {
    if (Number.isNaN(free)) return true
    const next = pack(world.sizesOn[dead] ?? [], {
      freeBytes: world.freeBytes.with(dead, Number.NaN),
      sizesOn: world.sizesOn.with(dead, []),
    })
    return next !== undefined && survives(next, failures - 1)
  })
}

/** Largest VM first, each into the host with the most memory left; undefined when one does not fit. */
function pack(sizes: readonly number[], { freeBytes, sizesOn }: World): World | undefined {
  if (sizes.length === 0) return { freeBytes, sizesOn }
  const left = [...freeBytes]
  const on = [...sizesOn]
  const freeOf = (host: number) => left[host] ?? 0
  const bins = left.flatMap((free, host) => (Number.isNaN(free) ? [] : [host])).sort((a, b) => freeOf(b) - freeOf(a))
  for (const bytes of sizes.toSorted((one, other) => other - one)) {
    const roomiest = bins.shift()
    if (roomiest === undefined || freeOf(roomiest) < bytes) return undefined
    left[roomiest] = freeOf(roomiest) - bytes
    on[roomiest] = [...(on[roomiest] ?? []), bytes]
    const after = bins.findIndex((host) => freeOf(host) <= freeOf(roomiest))
    bins.splice(after === -1 ? bins.length : after, 0, roomiest)
  }
  return { freeBytes: left, sizesOn: on }
}

/** Every VM as large as the largest, the roomiest hosts die, and those with the most VMs do. */
function survivesWorst({ freeBytes, sizesOn }: World, failures: number): boolean {
  const largest = Math.max(0, ...sizesOn.map((sizes) => Math.max(0, ...sizes)))
  const slots = freeBytes.map((free) => (largest === 0 ? Number.POSITIVE_INFINITY : Math.trunc(free / largest)))
  const counts = sizesOn.map(({ length }) => length)
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
