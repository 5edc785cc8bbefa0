/** What all hosts and VMs of the pool use at this moment, for `wlb lab vms` and `wlb lab top`. */
import { z } from 'zod'
import { lifeAt } from '../load/life.js'
import type { Use } from '../load/pool-load.js'
import { type LoadSettings, loadOf } from './databases.js'
import type { PoolFacts, VmFacts } from './pool-facts.js'

const useSchema = z.object({
  /** Cores wanted, and cores got. */
  wanted: z.number(),
  cpu: z.number(),
  /** Bytes a second. */
  rx: z.number(),
  tx: z.number(),
  read: z.number(),
  write: z.number(),
})

const vmUseSchema = useSchema.extend({
  uuid: z.string(),
  name: z.string(),
  /** A host's name; null when the VM does not run. */
  host: z.string().nullable(),
  state: z.string(),
  vcpus: z.number(),
  memoryBytes: z.number(),
})

const hostUseSchema = useSchema.extend({
  uuid: z.string(),
  name: z.string(),
  live: z.boolean(),
  cores: z.number(),
  memoryBytes: z.number(),
  memoryFreeBytes: z.number(),
  vms: z.number(),
  controlDomain: vmUseSchema,
})

const poolUseSchema = z.object({
  at: z.string(),
  speed: z.number(),
  /** The time of the load's own day: `14:05`. */
  timeOfDay: z.string(),
  hosts: z.array(hostUseSchema),
  vms: z.array(vmUseSchema),
})

export type VmUse = Readonly<z.infer<typeof vmUseSchema>>
export type HostUse = Readonly<z.infer<typeof hostUseSchema>>
export type PoolUse = Readonly<z.infer<typeof poolUseSchema>>

export function parsePoolUse(text: string): PoolUse {
  return poolUseSchema.parse(JSON.parse(text))
}

/** @param now seconds since the epoch */
export function describeUse(facts: PoolFacts, settings: LoadSettings, now: number): PoolUse {
  const load = loadOf(facts, settings)
  const places = new Map(facts.vms.map((vm) => [vm.uuid, lifeAt(vm.life, now).host]))
  const moments = new Map(facts.hosts.map(({ uuid }) => [uuid, load.momentNow(uuid, now)]))
  const names = new Map(facts.hosts.map(({ uuid, name }) => [uuid, name]))
  const hosts = facts.hosts.map((host): HostUse => {
    const moment = moments.get(host.uuid)
    const here = facts.vms.filter(({ uuid }) => places.get(uuid) === host.uuid)
    const taken = [host.controlDomain, ...here].reduce(
      (sum, vm) => sum + vm.memoryBytes + vm.overheadBytes,
      host.overheadBytes,
    )
    const uses = [...(moment?.vms.values() ?? []), ...(moment ? [moment.controlDomain] : [])]
    return {
      uuid: host.uuid,
      name: host.name,
      live: host.isLive,
      cores: host.cores,
      memoryBytes: host.memoryBytes,
      memoryFreeBytes: Math.max(0, host.memoryBytes - taken),
      vms: here.length,
      ...total(uses.map(figures)),
      controlDomain: vmUse(host.controlDomain, host.name, moment?.controlDomain),
    }
  })
  const vms = facts.vms.map((vm): VmUse => {
    const place = places.get(vm.uuid) ?? ''
    return vmUse(vm, names.get(place) ?? null, moments.get(place)?.vms.get(vm.uuid))
  })
  return {
    at: new Date(now * 1000).toISOString(),
    speed: settings.speed,
    timeOfDay: new Date(((now * settings.speed) % 86_400) * 1000).toISOString().slice(11, 16),
    hosts,
    vms,
  }
}

type Figures = Readonly<z.infer<typeof useSchema>>

const NOTHING: Figures = { wanted: 0, cpu: 0, rx: 0, tx: 0, read: 0, write: 0 }

function vmUse(vm: VmFacts, host: string | null, use: Use | undefined): VmUse {
  const { uuid, name, state, vcpus, memoryBytes } = vm
  return { uuid, name, host, state, vcpus, memoryBytes, ...(use ? figures(use) : NOTHING) }
}

function figures({ wantedCores, usedCores, rx, tx, read, write }: Use): Figures {
  return {
    wanted: rounded(wantedCores, 1000),
    cpu: rounded(usedCores, 1000),
    rx: rounded(rx, 1),
    tx: rounded(tx, 1),
    read: rounded(read, 1),
    write: rounded(write, 1),
  }
}

function total(all: readonly Figures[]): Figures {
  const sum = (of: (one: Figures) => number) => all.reduce((so, one) => so + of(one), 0)
  return {
    wanted: rounded(
      sum(({ wanted }) => wanted),
      1000,
    ),
    cpu: rounded(
      sum(({ cpu }) => cpu),
      1000,
    ),
    rx: sum(({ rx }) => rx),
    tx: sum(({ tx }) => tx),
    read: sum(({ read }) => read),
    write: sum(({ write }) => write),
  }
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts
}
