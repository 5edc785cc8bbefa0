/**
 * xapi's exact planner, written a second time: every order of failures, one list of VMs, no shortcuts. Pools of tests are small
 * enough for it.
 */
import type { Pool } from '../../src/balance/index.js'

interface Running {
  readonly size: number
  readonly host: string
}

/** `moving` is on its way and still counted on the host it leaves. */
export function failoverPlanBySearch(
  pool: Pool,
  at: ReadonlyMap<string, string | null>,
  failures: number,
  moving?: { readonly vm: Pool['vms'][number]; readonly from: string },
): boolean {
  const hosts = pool.hosts
    .filter(({ live, enabled }) => live && enabled)
    .map(({ uuid, memoryBytes }) => ({ uuid, memoryBytes }))
  const sizeOf = ({ memoryStaticMaxBytes = 0, memoryWantBytes = 0, memoryFloorBytes }: Pool['vms'][number]) =>
    Math.max(memoryStaticMaxBytes, memoryWantBytes, memoryFloorBytes)
  const free = new Map(
    hosts.map(({ uuid, memoryBytes }) => {
      const there = pool.vms.filter((vm) => at.get(vm.uuid) === uuid)
      const used = there.reduce((sum, vm) => sum + sizeOf(vm), 0)
      return [uuid, Math.max(0, memoryBytes - used) - (moving?.from === uuid ? sizeOf(moving.vm) : 0)]
    }),
  )
  const isAgile = (vm: Pool['vms'][number]) =>
    vm.agile ??
    pool.hosts
      .filter(({ live, enabled }) => live && enabled)
      .every(({ storageRepositories = vm.storageRepositories }) =>
        vm.storageRepositories.every((sr) => storageRepositories.includes(sr)),
      )
  const vms = pool.vms.filter((vm) => vm.haProtected && isAgile(vm) && at.get(vm.uuid) !== null)
  const isUp = (host: string | null | undefined): host is string => host != null && free.has(host)
  const running = vms.flatMap((vm): Running[] => {
    const host = at.get(vm.uuid)
    return isUp(host) ? [{ size: sizeOf(vm), host }] : []
  })
  const offline = vms.filter((vm) => !isUp(at.get(vm.uuid))).map(sizeOf)
  const started = restart(offline, free)
  if (!started) return false
  if (hosts.length < failures || (hosts.length === failures && vms.length > 0)) return false
  return survives([...running, ...started.placed], started.free, failures)
}

function survives(running: readonly Running[], free: ReadonlyMap<string, number>, failures: number): boolean {
  if (failures === 0) return true
  return [...free.keys()].every((dead) => {
    const left = new Map([...free].filter(([host]) => host !== dead))
    const lost = running.filter(({ host }) => host === dead).map(({ size }) => size)
    const next = restart(lost, left)
    if (!next) return false
    return survives([...running.filter(({ host }) => host !== dead), ...next.placed], next.free, failures - 1)
  })
}

function restart(sizes: readonly number[], free: ReadonlyMap<string, number>) {
  const left = new Map(free)
  const placed: Running[] = []
  // xapi keeps the bins in order and puts one that was filled before those that are equally full
  let order = [...left.keys()].sort((a, b) => (left.get(b) ?? 0) - (left.get(a) ?? 0))
  for (const size of [...sizes].sort((a, b) => b - a)) {
    const [host, ...others] = order
    if (host === undefined || (left.get(host) ?? 0) < size) return undefined
    left.set(host, (left.get(host) ?? 0) - size)
    placed.push({ size, host })
    const larger = others.filter((other) => (left.get(other) ?? 0) > (left.get(host) ?? 0))
    order = [...larger, host, ...others.slice(larger.length)]
  }
  return { free: left, placed }
}
