/**
 * What every step of a plan must keep, in the order in which it is asked: what xapi checks, in its order, then the rules of the
 * pool's owner. Searches, tests and the simulator use the same function, so that a plan is held to what made it.
 */
import { type CompiledPool, NOWHERE, RESOURCES } from '../compiled/compiled-pool.js'
import { type Placement, put, startPlacement } from '../compiled/placement.js'
import { checkFailover, type FailoverGate, failoverGates } from './failover-gate.js'
import { mayMove } from './may-move.js'
import { mayRun, type Refusal } from './may-run.js'
import { ruleMadeWorse } from './rule-violations.js'

/** Says why moving VM `v` to host `to` is not a step of a plan, or nothing. High availability is asked last: it costs most. */
export function checkStep(
  pool: CompiledPool,
  placement: Placement,
  gates: readonly FailoverGate[],
  v: number,
  to: number,
): Refusal | undefined {
  return checkStepApartFromFailover(pool, placement, v, to) ?? checkFailover(pool, gates, placement, v, to)
}

/** All but high availability, quickly where the answer is yes. */
function checkStepApartFromFailover(
  pool: CompiledPool,
  placement: Placement,
  v: number,
  to: number,
): Refusal | undefined {
  const vm = pool.vms[v]
  const host = pool.hosts[to]
  if (!vm || !host) return { code: 'HANDLE_INVALID', why: 'there is no such VM or host' }
  const from = placement.hostOf[v] ?? NOWHERE
  const immovable = mayMove(vm, pool.pool)
  if (immovable) return immovable
  if (from === to) return { code: 'VM_ALREADY_THERE', why: 'it is on this host already' }
  const source = pool.hosts[from]
  if (source && !source.live) return { code: 'HOST_NOT_LIVE', why: 'the host it is on is not live' }
  const freeBytes = (pool.memoryBytes[to] ?? 0) - (placement.floorBytes[to] ?? 0)
  const refusal = mayRun(vm, host, freeBytes, source)
  if (refusal) return refusal
  if (pool.isAccepting[to] === 0) return { code: 'HOST_EXCLUDED', why: 'the host is excluded from accepting VMs' }
  return checkCoordinator(pool, placement, v, to) ?? checkRules(pool, placement, v, to)
}

function checkRules(pool: CompiledPool, { hostOf }: Placement, v: number, to: number): Refusal | undefined {
  if (pool.mayRun[v * pool.hosts.length + to] === 0) {
    return { code: 'RULE_WOULD_BREAK', why: 'a must rule keeps it off this host' }
  }
  const rule = ruleMadeWorse(pool, hostOf, v, to)
  return rule && { code: 'RULE_WOULD_BREAK', why: `${rule.name} (${rule.kind}) would be broken` }
}

function checkCoordinator(pool: CompiledPool, placement: Placement, v: number, to: number): Refusal | undefined {
  if (to !== pool.coordinator) return undefined
  const reserve = pool.pool.settings.coordinatorReserve
  const floor = (placement.floorBytes[to] ?? 0) + (pool.floorBytes[v] ?? 0)
  const isFull = floor > (pool.memoryBytes[to] ?? 0) - (pool.memoryReserveBytes[to] ?? 0)
  if (!isFull && meanCpu(pool, placement, v, to) <= (pool.hosts[to]?.cpus ?? 0) * (1 - reserve)) return undefined
  return {
    code: 'COORDINATOR_RESERVE',
    why: `${Math.round(reserve * 100)} % of the coordinator's ${isFull ? 'memory' : 'CPU'} are kept free`,
  }
}

/** Expected cores in use on `h` with the VM `v` there. */
function meanCpu({ demand, scenarioCount, scenarioWeight }: CompiledPool, { load }: Placement, v: number, h: number) {
  const length = RESOURCES.length * scenarioCount
  return scenarioWeight.reduce(
    (sum, weight, s) => sum + weight * ((load[h * length + s] ?? 0) + (demand[v * length + s] ?? 0)),
    0,
  )
}

/** The first step of `moves` that must not be taken, if any: its number and the reason. */
export function checkMoves(
  pool: CompiledPool,
  moves: readonly { readonly vm: string; readonly from: string; readonly to: string }[],
): { readonly step: number; readonly refusal: Refusal } | undefined {
  const placement = startPlacement(pool)
  const gates = failoverGates(pool)
  for (const [step, { vm, from, to }] of moves.entries()) {
    const v = pool.vmNumbers.get(vm) ?? NOWHERE
    const h = pool.hostNumbers.get(to) ?? NOWHERE
    if (placement.hostOf[v] !== pool.hostNumbers.get(from)) {
      return { step, refusal: { code: 'VM_NOT_RESIDENT_HERE', why: `${vm} is not on ${from}` } }
    }
    const refusal = checkStep(pool, placement, gates, v, h)
    if (refusal) return { step, refusal }
    put(pool, placement, v, h)
  }
  return undefined
}
