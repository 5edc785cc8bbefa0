/** The round-robin databases that one host keeps: its own, and those of its VMs and of its control domain. */
import { archivesOf } from '../archives/archives.js'
import { figuresOf, type HostFigures, hostSources } from '../archives/host-sources.js'
import { type RoundRobin, roundRobin } from '../archives/round-robin.js'
import { type MeasuredVm, vmSources } from '../archives/vm-sources.js'
import type { LoadKind } from '../load/kind.js'
import { lifeAt } from '../load/life.js'
import { type LoadedVm, PoolLoad, type Use } from '../load/pool-load.js'
import { makeAppetite, makeProfile } from '../load/profile.js'
import type { TraceLine } from '../load/trace.js'
import type { HostFacts, PoolFacts, VmFacts } from './pool-facts.js'

export interface LoadSettings {
  readonly seed: number
  readonly kind: LoadKind
  readonly speed: number
  readonly trace: readonly TraceLine[] | undefined
}

export function loadOf({ hosts, vms }: PoolFacts, settings: LoadSettings): PoolLoad {
  return new PoolLoad(
    hosts.map(({ uuid, cores, life, controlDomain }) => ({
      uuid,
      cores,
      life,
      pins: controlDomain.pins,
      controlDomain: {
        vcpus: controlDomain.vcpus,
        profile: makeProfile({ seed: settings.seed, kind: 'flat' }, controlDomain.uuid),
      },
    })),
    vms.map((vm) => loadedVm(vm, settings)),
    settings.speed,
  )
}

function loadedVm({ uuid, vcpus, weight, mostCores, life, pins }: VmFacts, settings: LoadSettings): LoadedVm {
  const profile = makeProfile(settings, uuid)
  return { uuid, vcpus, weight, mostCores, life, pins, profile, appetite: makeAppetite(profile) }
}

export interface HostDatabases {
  readonly host: RoundRobin
  /** By uuid; of the control domain and of each VM that runs on the host now. */
  readonly vms: ReadonlyMap<string, RoundRobin>
  /** The database of a VM that ran once, wherever that was. */
  readonly archived: (uuid: string) => RoundRobin | undefined
}

/** @param now seconds since the epoch by a right clock */
export function databasesOf(facts: PoolFacts, host: HostFacts, settings: LoadSettings, now: number): HostDatabases {
  const load = loadOf(facts, settings)
  const measured = new Map(facts.vms.map((vm) => [vm.uuid, measure(vm, settings)]))
  const archives = archivesOf(facts.vmExtremes)
  const guest = (vm: MeasuredVm) =>
    roundRobin<Use>({
      prefix: `vm:${vm.uuid}:`,
      sources: vmSources(vm),
      archives,
      factsOf: (window, precision) => knownUse(load.useOf(vm.uuid, window, precision)),
    })
  const controlDomain = measure(host.controlDomain, settings)
  const measuredHost = { ...host, controlDomain }
  const here = facts.vms.filter(({ life }) => lifeAt(life, now).host === host.uuid)
  return {
    host: roundRobin<HostFigures>({
      prefix: `host:${host.uuid}:`,
      sources: hostSources(measuredHost),
      archives: archivesOf(true),
      factsOf(window, precision) {
        const moment = load.momentOf(host.uuid, window, precision)
        return moment && figuresOf(moment, measuredHost, measured)
      },
    }),
    vms: new Map([
      [
        controlDomain.uuid,
        roundRobin<Use>({
          prefix: `vm:${controlDomain.uuid}:`,
          sources: vmSources(controlDomain),
          archives,
          factsOf: (window, precision) => knownUse(load.momentOf(host.uuid, window, precision)?.controlDomain),
        }),
      ],
      ...here.map(({ uuid }): [string, RoundRobin] => [uuid, guest(measuredOf(uuid))]),
    ]),
    archived: (uuid) => (measured.has(uuid) ? guest(measuredOf(uuid)) : undefined),
  }

  function measuredOf(uuid: string): MeasuredVm {
    const vm = measured.get(uuid)
    if (!vm) throw new Error(`no facts about ${uuid}`)
    return vm
  }
}

/** A row is unknown when the VM ran in less than half of its time (`mayBeUnknown` of its archives). */
function knownUse(use: Use | undefined): Use | undefined {
  return use && use.present >= 0.5 ? use : undefined
}

function measure(vm: VmFacts, settings: LoadSettings): MeasuredVm {
  return { ...vm, touchedMemory: makeAppetite(makeProfile(settings, vm.uuid)).memory }
}
