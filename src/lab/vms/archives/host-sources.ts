/** What a host publishes of itself (rrdp_cpu.ml, rrdp_squeezed.ml, rrdp_netdev.ml, rrdp_iostat.ml). */
import type { Moment, Use } from '../load/pool-load.js'
import { type DiskTraffic, diskSources } from './disk-sources.js'
import { amount, fraction, gauge, inOrder, rate, type ValuedSource } from './round-robin.js'
import type { MeasuredVm } from './vm-sources.js'

export interface MeasuredHost {
  readonly uuid: string
  readonly cores: number
  readonly memoryBytes: number
  /** Of Xen itself. */
  readonly overheadBytes: number
  readonly controlDomain: MeasuredVm
  /** Names of the physical interfaces: `eth0`. */
  readonly pifs: readonly string[]
  /** Uuids of the storage repositories it is attached to. */
  readonly srs: readonly string[]
}

/** Sums over the VMs on the host and its control domain. */
export interface HostFigures {
  readonly usedCores: number
  readonly wantedCores: number
  readonly controlCores: number
  readonly domains: number
  readonly rx: number
  readonly tx: number
  readonly freeBytes: number
  /** By the uuid of the storage repository. */
  readonly disks: ReadonlyMap<string, DiskTraffic>
}

/** Means over the part of the window in which the host was up; undefined when it was not. */
export function figuresOf(
  { vms: uses, controlDomain }: Moment,
  host: MeasuredHost,
  vms: ReadonlyMap<string, MeasuredVm>,
): HostFigures | undefined {
  if (controlDomain.present === 0) return undefined
  let { usedCores, wantedCores, rx, tx } = controlDomain
  let domains = 1
  let takenBytes = host.overheadBytes + host.controlDomain.memoryBytes
  const disks = new Map(host.srs.map((sr) => [sr, { read: 0, write: 0 }]))
  for (const [uuid, use] of uses) {
    const present = use.present / controlDomain.present
    const vm = vms.get(uuid)
    usedCores += present * use.usedCores
    wantedCores += present * use.wantedCores
    rx += present * use.rx
    tx += present * use.tx
    domains += present
    takenBytes += present * ((vm?.memoryBytes ?? 0) + (vm?.overheadBytes ?? 0))
    for (const { sr } of vm?.disks ?? []) addTraffic(disks.get(sr), use, present / (vm?.disks.length ?? 1))
  }
  const freeBytes = Math.max(0, host.memoryBytes - takenBytes)
  return { usedCores, wantedCores, controlCores: controlDomain.wantedCores, domains, rx, tx, freeBytes, disks }
}

function addTraffic(sum: { read: number; write: number } | undefined, { read, write }: Use, part: number): void {
  if (!sum) return
  sum.read += part * read
  sum.write += part * write
}

const NO_TRAFFIC: DiskTraffic = { read: 0, write: 0 }

export function hostSources({ cores, memoryBytes, pifs, srs }: MeasuredHost): ValuedSource<HostFigures>[] {
  const busy = ({ usedCores }: HostFigures) => fraction(Math.min(1, usedCores / cores))
  return inOrder([
    ...Array.from({ length: cores }, (_, number) => rate(`cpu${number}`, busy, 1)),
    rate('cpu_avg', busy, 1),
    gauge('loadavg', ({ controlCores }) => fraction(controlCores)),
    gauge('hostload', ({ wantedCores }) => fraction(wantedCores / cores)),
    gauge('running_vcpus', ({ wantedCores }) => fraction(wantedCores)),
    gauge('running_domains', ({ domains }) => fraction(domains)),
    gauge('memory_total_kib', () => memoryBytes / 1024),
    gauge('memory_free_kib', ({ freeBytes }) => amount(freeBytes / 1024)),
    gauge('memory_reclaimed', () => 0),
    gauge('memory_reclaimed_max', () => 0),
    ...pifs.flatMap((name, index) => [
      // Traffic takes the first interface; the others carry nothing.
      rate<HostFigures>(`pif_${name}_rx`, ({ rx }) => (index === 0 ? amount(rx) : 0)),
      rate<HostFigures>(`pif_${name}_tx`, ({ tx }) => (index === 0 ? amount(tx) : 0)),
    ]),
    rate('pif_aggr_rx', ({ rx }) => amount(rx)),
    rate('pif_aggr_tx', ({ tx }) => amount(tx)),
    ...srs.flatMap((sr) =>
      diskSources<HostFigures>(
        (what) => `${what}_${sr.slice(0, 8)}`,
        ({ disks }) => disks.get(sr) ?? NO_TRAFFIC,
      ),
    ),
    gauge('Tapdisks_in_low_memory_mode', () => 0),
  ])
}
