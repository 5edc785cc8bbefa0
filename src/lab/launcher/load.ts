/** The load of a lab's machines from outside: what they use now, and demands that are pinned. */
import { fail } from '../errors.js'
import { parsePinned } from '../vms/published/load-command.js'
import type { PoolUse } from '../vms/published/pool-use.js'
import { askHost, fetchUse, postToHost } from './host-control.js'
import { hostRoot, readLab } from './lab-file.js'

/** Asks the coordinator what hosts and VMs use. @throws LAB_NOT_FOUND, LAB_COORDINATOR_DOWN */
export async function labUse(root: string): Promise<PoolUse> {
  const lab = await readLab(root)
  for (const { name } of lab.hosts) {
    const use = await fetchUse(hostRoot(root, name))
    if (use) return use
  }
  throw fail('LAB_COORDINATOR_DOWN', { root })
}

export interface PinnedLoad {
  readonly kind: 'vm' | 'host'
  readonly uuid: string
  readonly name: string
  readonly cpu: number
  /** null: until another load is pinned. */
  readonly minutes: number | null
}

/**
 * Pins the processor time that a VM, or the control domain of a host, demands, from now on.
 *
 * @throws LAB_NOT_FOUND, LAB_COORDINATOR_DOWN, LAB_LOAD_UNKNOWN, LAB_LOAD_AMBIGUOUS, LAB_LOAD_TOO_MUCH.
 */
export async function labLoad(options: {
  readonly root: string
  /** A name or a uuid. */
  readonly target: string
  readonly cpu: number
  readonly minutes?: number | undefined
}): Promise<PinnedLoad> {
  const { root, target, cpu, minutes } = options
  const command = JSON.stringify({ target, cores: cpu, forSeconds: (minutes ?? 0) * 60 })
  const answer = parsePinned(await postToHost(await coordinatorFolder(root), '/lab/load', command))
  switch (answer.kind) {
    case 'unknown':
      throw fail('LAB_LOAD_UNKNOWN', { name: target })
    case 'several':
      throw fail('LAB_LOAD_AMBIGUOUS', { name: target, uuids: answer.uuids.join(', ') })
    case 'too-much':
      throw fail('LAB_LOAD_TOO_MUCH', { name: answer.name, cpu, most: answer.most })
    default:
      return { ...answer, cpu, minutes: minutes ?? null }
  }
}

async function coordinatorFolder(root: string): Promise<string> {
  const lab = await readLab(root)
  for (const { name } of lab.hosts) {
    const folder = hostRoot(root, name)
    if ((await askHost(folder))?.role === 'coordinator') return folder
  }
  throw fail('LAB_COORDINATOR_DOWN', { root })
}
