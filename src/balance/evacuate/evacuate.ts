/**
 * Where the VMs of a host go so that it can be maintained. xapi moves them in no particular order and ten at a time, so that every
 * host must have room for all that are sent there before any has left; nothing else has to move first.
 */
import { compile } from '../compiled/compile.js'
import type { CompiledPool } from '../compiled/compiled-pool.js'
import { congestionOf, horizonMinutes, moveCost, moveSeconds } from '../compiled/congestion.js'
import { describeChange, nameOfHost, round } from '../compiled/describe.js'
import { copyPlacement, type Placement, put, startPlacement } from '../compiled/placement.js'
import type { Pool } from '../document/pool-document.js'
import type { Move } from '../plan.js'
import { mayMigrate } from '../rules/may-move.js'
import type { Refusal } from '../rules/may-run.js'
import { assign } from './assign.js'
import { type Assignment, refuseTarget, type Targets, targetsOf } from './targets.js'

export interface Evacuation {
  /** Nothing stays. */
  readonly complete: boolean
  /** In no particular order: each is possible before and after any of the others. */
  readonly moves: readonly Move[]
  readonly stays: readonly { readonly vm: string; readonly code: string; readonly why: string }[]
}

/** Nothing if there is no such host. */
export function evacuate(pool: Pool, hostUuid: string): Evacuation | undefined {
  const compiled = compile(pool)
  const from = compiled.hostNumbers.get(hostUuid)
  if (from === undefined) return undefined
  const now = startPlacement(compiled)
  const targets = targetsOf(compiled, now, from)
  const assignment = assign(compiled, now, targets)
  const residents = compiled.vms.flatMap((_, v) => (now.hostOf[v] === from ? [v] : []))
  return {
    complete: residents.length === assignment.size,
    moves: [...assignment].toSorted(([a], [b]) => a - b).map(([v, to]) => writeMove(compiled, now, assignment, v, to)),
    stays: residents
      .filter((v) => !assignment.has(v))
      .map((v) => ({ vm: compiled.vms[v]?.uuid ?? '', ...reasonToStay(compiled, now, targets, assignment, v) })),
  }
}

function writeMove(pool: CompiledPool, now: Placement, assignment: Assignment, v: number, to: number): Move {
  const from = now.hostOf[v] ?? 0
  const before = copyPlacement(now)
  const after = copyPlacement(now)
  for (const [other, host] of assignment) put(pool, after, other, host)
  const saved =
    congestionOf(pool, before, from) -
    congestionOf(pool, before, from, v, -1) -
    (congestionOf(pool, after, to) - congestionOf(pool, after, to, v, -1))
  return {
    vm: pool.vms[v]?.uuid ?? '',
    from: pool.hosts[from]?.uuid ?? '',
    to: pool.hosts[to]?.uuid ?? '',
    reason: 'Evacuate',
    why: `${nameOfHost(pool, to)} with all that it receives: ${describeChange(pool, to, before, after)}`,
    gain: round(horizonMinutes(pool) * saved),
    cost: round(moveCost(pool, v)),
    seconds: moveSeconds(pool, v),
  }
}

/** For each VM that stays although it could migrate: every other host, and what is wrong with it. Nothing if there is no such host. */
export function explainStays(
  pool: Pool,
  hostUuid: string,
): readonly { readonly vm: string; readonly refused: readonly (Refusal & { readonly host: string })[] }[] | undefined {
  const compiled = compile(pool)
  const from = compiled.hostNumbers.get(hostUuid)
  if (from === undefined) return undefined
  const now = startPlacement(compiled)
  const targets = targetsOf(compiled, now, from)
  const assignment = assign(compiled, now, targets)
  return targets.leaving
    .filter((v) => !assignment.has(v))
    .map((v) => ({ vm: compiled.vms[v]?.uuid ?? '', refused: refusalsOf(compiled, now, targets, assignment, v) }))
}

/** What holds the VM, else what speaks against the host that came closest. */
function reasonToStay(pool: CompiledPool, now: Placement, targets: Targets, assignment: Assignment, v: number) {
  const vm = pool.vms[v]
  const held = (vm && mayMigrate(vm)) ?? targets.refusal
  if (held) return held
  const refusals = refusalsOf(pool, now, targets, assignment, v)
  const closest = refusals.find(({ code }) => code === 'HOST_NOT_ENOUGH_FREE_MEMORY') ?? refusals[0]
  if (!closest) return { code: 'HOST_NOT_ENOUGH_FREE_MEMORY', why: 'there is no other host' }
  return { code: closest.code, why: closest.why }
}

/** What speaks against each other host when all that can leave have gone where they go. */
function refusalsOf(pool: CompiledPool, now: Placement, targets: Targets, assignment: Assignment, v: number) {
  const full = copyPlacement(now)
  for (const [other, host] of assignment) put(pool, full, other, host)
  return pool.hosts.flatMap(({ uuid }, h) => {
    const refusal = h === targets.from ? undefined : refuseTarget(pool, full, targets, v, h)
    return refusal ? [{ host: uuid, ...refusal }] : []
  })
}
