/** How the hosts' trust stores compare: their disks with the database and the coordinator, and what their proofs tell about them. */
import type { Connection, HostVerdict } from './connection.js'
import { type Comparison, compareHeld, type Disk, describeDisk, heldByRecords, heldOn } from './disks.js'

/** `as recorded`: the disk holds what the database believes and the coordinator has, in order. */
export type HostDisk =
  | {
      readonly state: 'as recorded' | 'differs'
      readonly disk: Disk
      readonly againstRecords: Comparison
      /** Undefined for the coordinator itself, and where its disk was not seen. */
      readonly againstCoordinator: Comparison | undefined
      /** Names of revocation lists the coordinator has, and this host has not. */
      readonly crlsLacking: readonly string[]
      /** The addresses the appliance's name has there; undefined where that was not asked. */
      readonly resolved: readonly string[] | undefined
    }
  | { readonly state: 'not seen'; readonly why: string }

/** In the order of the hosts; undefined where no login was given. */
export function compareDisks({ hosts, installed, crls, stores }: Connection): readonly HostDisk[] | undefined {
  if (!stores) return undefined
  const records = heldByRecords(installed)
  const [coordinator] = hosts
  const sight = coordinator && stores.get(coordinator.uuid)
  const there = sight?.state === 'seen' ? heldOn(describeDisk(sight.store)) : undefined
  return hosts.map((host): HostDisk => {
    const seen = stores.get(host.uuid) ?? { state: 'not seen', why: 'it was not looked at' }
    if (seen.state === 'not seen') return seen
    const disk = describeDisk(seen.store)
    const againstRecords = compareHeld(heldOn(disk), records)
    const againstCoordinator = host === coordinator || !there ? undefined : compareHeld(heldOn(disk), there)
    const crlsLacking = (crls ?? []).filter((name) => !disk.crls.includes(name))
    const isAsRecorded =
      isEqual(againstRecords) && (!againstCoordinator || isEqual(againstCoordinator)) && isInOrder(disk)
    return {
      state: isAsRecorded && crlsLacking.length === 0 ? 'as recorded' : 'differs',
      disk,
      againstRecords,
      againstCoordinator,
      crlsLacking,
      resolved: seen.store.resolved,
    }
  })
}

function isEqual({ lacks, differs, more }: Comparison): boolean {
  return lacks.length + differs.length + more.length === 0
}

function isInOrder({ files, bundle, odd }: Disk): boolean {
  return bundle === 'built' && odd.length === 0 && files.every(({ kind }) => kind === 'certificate')
}

/**
 * A pool shows no session what lies on a member's disk. `proved`: it verifies as its coordinator does. `differs`: it says
 * something else than its coordinator, which has the same certificates to go by.
 */
export type StoreState = 'own' | 'proved' | 'differs' | 'not seen'

/** In the order of the hosts. Clocks and names can differ too: `differs` says where to search, not yet what to repair. */
export function compareStores({ hosts }: Connection, verdicts: readonly HostVerdict[]): readonly StoreState[] {
  const [coordinator] = verdicts
  return hosts.map(({ role }, index) => {
    const verdict = verdicts[index]
    if (role === 'coordinator') return 'own'
    if (verdict?.proof !== 'host' || coordinator?.proof !== 'host') return 'not seen'
    if (verdict.verdict === 'accepted') return 'proved'
    return verdict.error.join() === coordinator.error.join() ? 'not seen' : 'differs'
  })
}
