/**
 * Density by the model of CloudSim, on which studies of consolidation are compared: 800 hosts of two kinds, a virtual machine a line
 * of a PlanetLab day, five minutes a step, watts by two tables of SPECpower. What decides is `optimise` in the mode density, which
 * sees the past only; the model is in the numbers alone.
 */
import { optimise, type Pool, type Replay, readPool, simulate } from '../../src/balance/index.js'
import type { Table } from './table.js'
import { planetLab, type Trace } from './traces.js'

const HOSTS = 800
/** HP ProLiant ML110 G4 and G5 in turns: MIPS of two cores, watts at 0, 10, ... 100 %. */
const KINDS = [
  { mips: 3720, watts: [86, 89.4, 92.6, 96, 99.5, 102, 106, 108, 112, 114, 117] },
  { mips: 5320, watts: [93.7, 97, 101, 105, 110, 116, 121, 125, 129, 133, 135] },
] as const
/** A quarter of the machines each, in the order of the trace. */
const SIZES = [
  { mips: 2500, mib: 870 },
  { mips: 2000, mib: 1740 },
  { mips: 1000, mib: 1740 },
  { mips: 500, mib: 613 },
] as const
/** Half of 1 Gbit/s; a tenth of the machine's demand is not met meanwhile. */
const MIB_PER_SECOND = 62.5
const LOSS_WHILE_MOVING = 0.1
const STEP_SECONDS = 300

/** Row 7 of docs/quality.md; the day that was not used for choosing is the last look. */
export function density(): readonly Table[] {
  const days = [
    ['20110303', 'chosen on'],
    ['20110306', 'held out'],
  ] as const
  const lines = days.flatMap(([day, what]) => {
    const traces = planetLab(day)
    return traces ? [[`${day}, ${traces.length} VMs, ${what}`, ...cellsOf(densityOf(traces))]] : []
  })
  const skipped = lines.length === 0 ? [['skipped: ../shared/data/planetlab is not here']] : []
  return [
    {
      title: 'Density by the model of CloudSim, 800 hosts of two kinds',
      head: ['day', 'kWh', 'SLATAH %', 'PDM %', 'moves', 'of them in the first hour', 'mean hosts on', 'switches'],
      lines: [
        ...lines,
        ...skipped,
        ['goal, on 20110303', '150', '1.7', '', '1900', '', '', ''],
        ['a prototype, on 20110303', '157.1', '1.80', '.023', '1861', '', '53.2', ''],
        ['a prototype, on 20110306', '124.3', '1.89', '.023', '1567', '', '', ''],
      ],
    },
  ]
}

function cellsOf({ kwh, slatah, pdm, moves, firstMoves, hostsOn, switches }: DensityFigures): string[] {
  return [
    kwh.toFixed(1),
    slatah.toFixed(2),
    pdm.toFixed(4),
    `${moves}`,
    `${firstMoves}`,
    hostsOn.toFixed(1),
    `${switches}`,
  ]
}

export interface DensityFigures {
  readonly kwh: number
  /** Percent of the time in which hosts are on that they are full. */
  readonly slatah: number
  /** Percent of the demand that is not met because machines move. */
  readonly pdm: number
  readonly moves: number
  /** The start has far too many hosts on. */
  readonly firstMoves: number
  readonly hostsOn: number
  readonly switches: number
}

/** Replays a day; `day` has a trace a machine. */
export function densityOf(day: readonly Trace[]): DensityFigures {
  const pool = cloudSimPool(day)
  let switches = 0
  const replay = simulate(
    pool,
    {
      everyMinutes: STEP_SECONDS / 60,
      decide: (seen) => {
        const plan = optimise(seen)
        switches += plan.power.length
        return plan
      },
    },
    { unscoredMinutes: 0 },
  )
  return { ...figuresOf(pool, replay), switches }
}

/** Memory does not bind in this model. At the start machines are placed for all they may ask for, the largest first. */
export function cloudSimPool(day: readonly Trace[]): Pool {
  const block = Math.ceil(day.length / SIZES.length)
  const sizes = day.map((_, v) => SIZES[Math.floor(v / block)] ?? SIZES[0])
  const efficientFirst = Array.from({ length: HOSTS }, (_, h) => h).sort((a, b) => (b % 2) - (a % 2) || a - b)
  const left = efficientFirst.map((h): number => KINDS[h % 2]?.mips ?? 0)
  const hostOf = sizes.map(({ mips }) => {
    const at = left.findIndex((free) => free >= mips)
    left[at] = (left[at] ?? 0) - mips
    return efficientFirst[at] ?? 0
  })
  const used = new Set(hostOf)
  const reading = readPool(
    JSON.stringify({
      format: 'openwlb-pool/1',
      at: '2026-03-02T00:00:00Z',
      mode: 'density',
      pool: { uuid: 'cloudsim', coordinator: nameOf('host', efficientFirst[0] ?? 0) },
      settings: { coordinatorReserve: 0 },
      demand: { stepSeconds: STEP_SECONDS },
      hosts: Array.from({ length: HOSTS }, (_, h) => ({
        uuid: nameOf('host', h),
        cpus: KINDS[h % 2]?.mips,
        memoryBytes: 2 ** 40,
        live: used.has(h),
        power: { managed: true, tested: true, poweredOffByUs: !used.has(h) },
      })),
      vms: day.map((trace, v) => ({
        uuid: nameOf('vm', v),
        host: nameOf('host', hostOf[v] ?? 0),
        vcpus: sizes[v]?.mips,
        memoryFloorBytes: (sizes[v]?.mib ?? 0) * 2 ** 20,
        demand: { cpu: trace.map((share) => share * (sizes[v]?.mips ?? 0)) },
      })),
    }),
  )
  if (reading.state === 'refused') throw new Error(JSON.stringify(reading.problems))
  return reading.pool
}

function nameOf(what: string, number: number): string {
  return `${what}-${String(number).padStart(4, '0')}`
}

function figuresOf({ vms }: Pool, { hosts, moves, metrics }: Replay): Omit<DensityFigures, 'switches'> {
  const watts = hosts.flatMap(({ shares }, h) => {
    const table = KINDS[h % 2]?.watts ?? []
    return [...shares].flatMap((share) => (Number.isNaN(share) ? [] : [wattsAt(table, share)]))
  })
  const byUuid = new Map(vms.map((vm) => [vm.uuid, vm]))
  const demanded = vms.reduce((sum, { demand: { cpu = [] } }) => sum + STEP_SECONDS * sumOf(cpu), 0)
  const lost = moves.reduce((sum, { vm, minute }) => {
    const { memoryFloorBytes = 0, demand: { cpu = [] } = {} } = byUuid.get(vm) ?? {}
    const seconds = memoryFloorBytes / 2 ** 20 / MIB_PER_SECOND
    return sum + LOSS_WHILE_MOVING * seconds * (cpu[Math.floor((minute * 60) / STEP_SECONDS)] ?? 0)
  }, 0)
  return {
    kwh: ((sumOf(watts) / watts.length) * metrics.hostMinutes) / 60_000,
    slatah: (100 * metrics.minutesFull) / metrics.hostMinutes,
    pdm: demanded > 0 ? (100 * lost) / demanded : 0,
    moves: moves.length,
    firstMoves: moves.filter(({ minute }) => minute < 60).length,
    hostsOn: metrics.hostsOn,
  }
}

function sumOf(values: readonly (number | null)[]): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0)
}

function wattsAt(table: readonly number[], share: number): number {
  const at = Math.min(table.length - 1, Math.max(0, share * (table.length - 1)))
  const low = table[Math.floor(at)] ?? 0
  return low + ((table[Math.ceil(at)] ?? 0) - low) * (at - Math.floor(at))
}
