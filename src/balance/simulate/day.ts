/** A replay's own state: where VMs are, which hosts are on, and what is demanded in each minute. */
import type { Pool, Vm } from '../document/pool-document.js'
import type { Series } from '../document/series.js'

const RESOURCES = ['cpu', 'networkReceive', 'networkTransmit', 'diskRead', 'diskWrite'] as const

export interface Replayed {
  readonly minutes: number
  /** Samples that are over at the beginning. */
  readonly knownSamples: number
  /** Of the longest series; the others end with it. */
  readonly samples: number
  readonly hostNumbers: ReadonlyMap<string, number>
  readonly vmNumbers: ReadonlyMap<string, number>
  /** [v] or -1; changes. */
  readonly hostOf: Int32Array
  /** [v] or NaN; changes. */
  readonly movedAtMinute: Float64Array
  /** [h]; both change. */
  readonly isOn: Uint8Array
  readonly isOffByUs: Uint8Array
  /** [h] or NaN; changes. */
  readonly switchedAtMinute: Float64Array
  /** By resource: [v * samples + sample], without gaps. Nothing for a resource that nobody has. */
  readonly demand: readonly (Float64Array | undefined)[]
  readonly base: readonly (Float64Array | undefined)[]
  /** By resource: [h], Infinity where it is not known. */
  readonly capacity: readonly Float64Array[]
}

export interface DoneMove {
  readonly minute: number
  readonly vm: string
  readonly from: string
  readonly to: string
}

export function readDay(pool: Pool, knownSamples: number): Replayed {
  const { hosts, vms } = pool
  const series = [...vms.map(({ demand }) => demand), ...hosts.map(({ base }) => base)]
  const samples = series.reduce(
    (most, one) => RESOURCES.reduce((longest, resource) => Math.max(longest, one?.[resource]?.length ?? 0), most),
    0,
  )
  const hostNumbers = new Map(hosts.map(({ uuid }, h) => [uuid, h]))
  return {
    minutes: Math.max(0, Math.floor(((samples - knownSamples) * pool.demand.stepSeconds) / 60)),
    knownSamples,
    samples,
    hostNumbers,
    vmNumbers: new Map(vms.map(({ uuid }, v) => [uuid, v])),
    hostOf: Int32Array.from(vms, (vm) => (isOnHost(vm) ? (hostNumbers.get(vm.host ?? '') ?? -1) : -1)),
    movedAtMinute: new Float64Array(vms.length).fill(Number.NaN),
    isOn: Uint8Array.from(hosts, ({ live }) => Number(live)),
    isOffByUs: Uint8Array.from(hosts, ({ power }) => Number(power?.poweredOffByUs ?? false)),
    switchedAtMinute: new Float64Array(hosts.length).fill(Number.NaN),
    demand: RESOURCES.map((resource) =>
      matrix(
        vms.map((vm) => (vm.state === 'running' ? (vm.demand[resource] ?? []) : [])),
        samples,
      ),
    ),
    base: RESOURCES.map((resource) =>
      matrix(
        hosts.map(({ base }) => base?.[resource] ?? []),
        samples,
      ),
    ),
    capacity: RESOURCES.map((_, r) =>
      Float64Array.from(hosts, ({ cpus, network, storage }) => {
        const stated = [
          cpus,
          network?.receiveBytesPerSecond,
          network?.transmitBytesPerSecond,
          storage?.readBytesPerSecond,
          storage?.writeBytesPerSecond,
        ]
        return stated[r] ?? Number.POSITIVE_INFINITY
      }),
    ),
  }
}

function isOnHost({ state }: Vm): boolean {
  return state === 'running' || state === 'paused'
}

function matrix(rows: readonly Series[], samples: number): Float64Array | undefined {
  if (rows.every(({ length }) => length === 0)) return undefined
  const all = new Float64Array(rows.length * samples)
  for (const [row, series] of rows.entries()) all.set(withoutGaps(series, samples), row * samples)
  return all
}

/** What is unknown is as it was before; at the beginning, as it is first known to be. */
function withoutGaps(series: Series, samples: number): Float64Array {
  const filled = new Float64Array(samples)
  let last = series.find((sample) => sample !== null) ?? 0
  for (let sample = 0; sample < samples; sample++) {
    last = series[sample - samples + series.length] ?? last
    filled[sample] = last
  }
  return filled
}

/** Each host in one minute. */
export interface Loads {
  /** [h] how full its fullest resource is; NaN while it is off. */
  readonly share: Float64Array
  /** [h] of its CPU alone. */
  readonly cpu: Float64Array
}

export function loadsOf({ hosts, demand: { stepSeconds } }: Pool, day: Replayed, minute: number): Loads {
  const sample = Math.min(day.samples - 1, day.knownSamples + Math.floor((minute * 60) / stepSeconds))
  const share = Float64Array.from(hosts, (_, h) => (day.isOn[h] === 1 ? 0 : Number.NaN))
  const cpu = share.slice()
  for (const [r, demand] of day.demand.entries()) {
    const base = day.base[r]
    if (!demand && !base) continue
    const used = Float64Array.from(hosts, (_, h) => base?.[h * day.samples + sample] ?? 0)
    for (const [v, h] of day.hostOf.entries()) {
      if (h >= 0 && demand) used[h] = (used[h] ?? 0) + (demand[v * day.samples + sample] ?? 0)
    }
    for (const [h, load] of used.entries()) {
      const full = load / (day.capacity[r]?.[h] ?? Number.POSITIVE_INFINITY)
      if (day.isOn[h] === 1 && full > (share[h] ?? 0)) share[h] = full
      if (day.isOn[h] === 1 && r === 0) cpu[h] = full
    }
  }
  return { share, cpu }
}

/** What a VM demands of the CPU in a minute, in cores. */
export function cpuOf({ demand: { stepSeconds } }: Pool, day: Replayed, v: number, minute: number): number {
  const sample = Math.min(day.samples - 1, day.knownSamples + Math.floor((minute * 60) / stepSeconds))
  return day.demand[0]?.[v * day.samples + sample] ?? 0
}
