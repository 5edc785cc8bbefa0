import type { Pool } from '../../src/balance/index.js'

/** What xapi's own planner places: VMs that could run anywhere else, largest first, each into the roomiest host or not at all. */
export function placedByXapi(pool: Pool, emptied: string): string[] {
  const source = pool.hosts.find(({ uuid }) => uuid === emptied)
  if (!source?.live) return []
  const targets = pool.hosts.filter(({ uuid, live, enabled }) => uuid !== emptied && live && enabled)
  const free = new Map(
    targets.map(({ uuid, memoryBytes }) => {
      const there = pool.vms.filter(({ host, state }) => host === uuid && (state === 'running' || state === 'paused'))
      return [uuid, Math.max(0, memoryBytes - there.reduce((sum, vm) => sum + vm.memoryFloorBytes, 0))]
    }),
  )
  return pool.vms
    .filter(({ host, state, immovable }) => host === emptied && state === 'running' && immovable === undefined)
    .filter((vm) =>
      targets.every(
        ({ cpus, version, storageRepositories = vm.storageRepositories }) =>
          vm.vcpus <= cpus &&
          !(version !== undefined && source.version !== undefined && version < source.version) &&
          vm.storageRepositories.every((sr) => storageRepositories.includes(sr)),
      ),
    )
    .sort((a, b) => b.memoryFloorBytes - a.memoryFloorBytes || (a.uuid < b.uuid ? -1 : 1))
    .filter(({ memoryFloorBytes }) => {
      const [roomiest, left = 0] = [...free].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))[0] ?? []
      if (roomiest === undefined || left < memoryFloorBytes) return false
      free.set(roomiest, left - memoryFloorBytes)
      return true
    })
    .map(({ uuid }) => uuid)
}
