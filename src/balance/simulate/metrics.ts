/** What a replay is judged by. */
import type { Pool } from '../document/pool-document.js'
import { cpuOf, type DoneMove, type Loads, type Replayed } from './day.js'

export interface Metrics {
  /** Host-minutes in which the fullest resource of a host was fuller than that. */
  readonly minutesOver765: number
  readonly minutesOver90: number
  /** At 100 % or more. */
  readonly minutesFull: number
  /** Minutes in which hosts were on. */
  readonly hostMinutes: number
  readonly hostsOn: number
  readonly worstShare: number
  /** Of the shares of the hosts that are on, the mean over the minutes. */
  readonly standardDeviation: number
  /** Of the demand for CPU, what was beyond what the host has. */
  readonly lostShare: number
  /** Of the demand for CPU, a tenth while a VM moves. */
  readonly migrationLossShare: number
  readonly moves: number
  readonly movedGib: number
  /** Moves to a host that the VM had left in the three hours before. */
  readonly returns: number
  /** By the two tables of SPECpower that studies of consolidation use: HP ProLiant ML110 G4 and G5. */
  readonly kwhG4: number
  readonly kwhG5: number
  /** Of the processor, for each decision: 0 without a clock. */
  readonly decisionMsMedian: number
  readonly decisionMsMost: number
}

/** Watts at 0, 10, ... 100 % (SPECpower_ssj2008 results of 2011). */
const WATTS_G4 = [86, 89.4, 92.6, 96, 99.5, 102, 106, 108, 112, 114, 117]
const WATTS_G5 = [93.7, 97, 101, 105, 110, 116, 121, 125, 129, 133, 135]
const RETURN_MINUTES = 180
/** What a network of 1 Gbit/s carries of a migration. */
const STREAM_BYTES_PER_MINUTE = 60 * 110e6
const LOSS_WHILE_MOVING = 0.1

export interface Tally {
  readonly pool: Pool
  readonly sums: { -readonly [Name in keyof Omit<Metrics, `decision${string}`>]: number }
  minutes: number
  demanded: number
  lost: number
  lostByMoves: number
  /** By VM and host: the minute in which it left there. */
  readonly leftAt: Map<string, number>
  readonly decisions: number[]
}

export function openTally(pool: Pool): Tally {
  const sums = {
    minutesOver765: 0,
    minutesOver90: 0,
    minutesFull: 0,
    hostMinutes: 0,
    hostsOn: 0,
    worstShare: 0,
    standardDeviation: 0,
    lostShare: 0,
    migrationLossShare: 0,
    moves: 0,
    movedGib: 0,
    returns: 0,
    kwhG4: 0,
    kwhG5: 0,
  }
  return { pool, sums, minutes: 0, demanded: 0, lost: 0, lostByMoves: 0, leftAt: new Map(), decisions: [] }
}

export function tallyMinute(tally: Tally, { share, cpu }: Loads): void {
  const { sums, pool } = tally
  let hosts = 0
  let total = 0
  let squares = 0
  for (const [h, full] of share.entries()) {
    if (Number.isNaN(full)) continue
    hosts++
    total += full
    squares += full * full
    if (full > 0.765) sums.minutesOver765++
    if (full > 0.9) sums.minutesOver90++
    if (full >= 1) sums.minutesFull++
    if (full > sums.worstShare) sums.worstShare = full
    const cores = pool.hosts[h]?.cpus ?? 0
    const used = cpu[h] ?? 0
    tally.demanded += used * cores
    tally.lost += Math.max(0, used - 1) * cores
    sums.kwhG4 += wattsAt(WATTS_G4, used) / 60_000
    sums.kwhG5 += wattsAt(WATTS_G5, used) / 60_000
  }
  sums.hostMinutes += hosts
  if (hosts > 0) sums.standardDeviation += Math.sqrt(Math.max(0, squares / hosts - (total / hosts) ** 2))
  tally.minutes++
}

function wattsAt(table: readonly number[], share: number): number {
  const at = Math.min(10, Math.max(0, share * 10))
  const low = table[Math.floor(at)] ?? 0
  return low + ((table[Math.ceil(at)] ?? 0) - low) * (at - Math.floor(at))
}

export function tallyMove(tally: Tally, day: Replayed, { vm, from, to, minute }: DoneMove): void {
  const v = day.vmNumbers.get(vm) ?? -1
  const { memoryFloorBytes = 0, memoryWantBytes = 0 } = tally.pool.vms[v] ?? {}
  const bytes = Math.max(memoryFloorBytes, memoryWantBytes)
  const left = tally.leftAt.get(`${vm} ${to}`)
  tally.sums.moves++
  tally.sums.movedGib += bytes / 2 ** 30
  if (left !== undefined && minute - left <= RETURN_MINUTES) tally.sums.returns++
  tally.leftAt.set(`${vm} ${from}`, minute)
  tally.lostByMoves += (LOSS_WHILE_MOVING * cpuOf(tally.pool, day, v, minute) * bytes) / STREAM_BYTES_PER_MINUTE
}

export function tallyDecision(tally: Tally, milliseconds: number): void {
  tally.decisions.push(milliseconds)
}

export function closeTally({ sums, minutes, demanded, lost, lostByMoves, decisions }: Tally): Metrics {
  const mean = (sum: number) => (minutes > 0 ? sum / minutes : 0)
  const ordered = decisions.toSorted((one, other) => one - other)
  return {
    ...sums,
    hostsOn: mean(sums.hostMinutes),
    standardDeviation: mean(sums.standardDeviation),
    lostShare: demanded > 0 ? lost / demanded : 0,
    migrationLossShare: demanded > 0 ? lostByMoves / demanded : 0,
    decisionMsMedian: ordered[Math.floor(ordered.length / 2)] ?? 0,
    decisionMsMost: ordered.at(-1) ?? 0,
  }
}
