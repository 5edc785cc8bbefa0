/**
 * What a plan must keep, calculated a second time and in another way, from the document alone: nothing of src/balance but the types
 * is used. It answers with sentences; none is what a test wants.
 */
import type { Plan, Pool } from '../../src/balance/index.js'
import { failoverPlanBySearch } from './failover-by-search.js'

type Vm = Pool['vms'][number]

/** Everything that is wrong with the steps of a plan: its moves, and the hosts that are switched between them. */
export function faultsOf(document: Pool, plan: Plan): string[] {
  let pool = document
  const at = new Map(pool.vms.map((vm) => [vm.uuid, isOn(vm) ? vm.host : null]))
  const faults: string[] = []
  for (const [step, move] of plan.moves.entries()) {
    pool = switched(pool, plan, step, at, faults)
    faults.push(...moveFaults(pool, at, move).map((what) => `step ${step}, ${JSON.stringify(move)}: ${what}`))
    at.set(move.vm, move.to)
  }
  switched(pool, plan, plan.moves.length, at, faults)
  if (plan.power.some(({ after }) => !(after >= 0 && after <= plan.moves.length))) faults.push('a switch at no step')
  return faults
}

type At = ReadonlyMap<string, string | null>

function moveFaults(pool: Pool, before: At, { vm: uuid, from, to, reason }: Plan['moves'][number]): string[] {
  const vm = pool.vms.find((one) => one.uuid === uuid)
  const source = pool.hosts.find((one) => one.uuid === from)
  const target = pool.hosts.find((one) => one.uuid === to)
  if (!vm || !source || !target) return ['no such VM or host']
  const faults = [...vmFaults(pool, vm), ...hostFaults(vm, source, target, reason)]
  if (before.get(uuid) !== from || from === to) faults.push('it is not there, or it goes nowhere')
  const there = pool.vms.filter((one) => before.get(one.uuid) === to)
  const needed = sum([...there, vm].map((one) => one.memoryFloorBytes))
  const reserve = to === pool.pool.coordinator ? pool.settings.coordinatorReserve : 0
  if (needed > target.memoryBytes * (1 - reserve)) faults.push('memory is short while it moves')
  const after = new Map(before).set(uuid, to)
  faults.push(...ruleFaults(pool, before, after))
  const { ha } = pool.pool
  if (ha?.enabled && !ha.allowOvercommit && failoverPlanBySearch(pool, before, ha.planExistsFor)) {
    if (!failoverPlanBySearch(pool, after, ha.planExistsFor)) faults.push('the failover plan ends')
    if (!failoverPlanBySearch(pool, after, ha.planExistsFor, { vm, from })) {
      faults.push('the failover plan ends while it moves')
    }
  }
  return faults
}

/** The pool when the switches after so many moves are made, each of them checked. */
function switched(document: Pool, { power }: Plan, moves: number, at: At, faults: string[]): Pool {
  let pool = document
  for (const { host, action } of power.filter(({ after }) => after === moves)) {
    const then = { ...pool, hosts: pool.hosts.map((one) => (one.uuid === host ? withPower(one, action) : one)) }
    for (const what of powerFaults(pool, then, at, host, action)) faults.push(`${host} is switched ${action}: ${what}`)
    pool = then
  }
  return pool
}

function* powerFaults(before: Pool, after: Pool, at: At, uuid: string, action: 'on' | 'off'): Iterable<string> {
  const host = before.hosts.find((one) => one.uuid === uuid)
  if (!host) yield 'no such host'
  if (before.mode !== 'density') yield 'the mode is not density'
  if (action === 'on') {
    if (host?.live) yield 'it is on'
    if (!host?.power?.poweredOffByUs) yield 'we have not switched it off'
    return
  }
  if (!host?.live || !host.enabled) yield 'it is off, or disabled'
  if (!host?.power?.managed || !host.power.tested) yield 'it is not managed, or never tested'
  if (uuid === before.pool.coordinator) yield 'it is the coordinator'
  if ([...at.values()].includes(uuid)) yield 'VMs are on it'
  if (host?.excluded.includes('optimisation')) yield 'it is excluded from optimisation'
  if (host?.power?.changedAt !== undefined && Date.parse(before.at) - Date.parse(host.power.changedAt) <= 3_600_000) {
    yield 'it was switched on lately'
  }
  if (after.pool.clusteredStorage && after.hosts.filter(({ live }) => !live).length > 1) yield 'two hosts are down'
  const { ha, reserveHosts } = after.pool
  if (
    ha?.enabled &&
    !ha.allowOvercommit &&
    ha.planExistsFor > 0 &&
    !failoverPlanBySearch(after, at, ha.planExistsFor)
  ) {
    yield 'no failover plan is left'
  }
  const all = {
    ...after,
    vms: after.vms.map((vm) => ({
      ...vm,
      haProtected: vm.state === 'running',
      agile: true,
      memoryStaticMaxBytes: undefined,
    })),
  }
  if (reserveHosts > 0 && !failoverPlanBySearch(all, at, reserveHosts)) yield 'too few spare hosts are left'
}

function withPower(host: Pool['hosts'][number], action: 'on' | 'off'): Pool['hosts'][number] {
  const power = { managed: true, tested: true, changedAt: undefined, ...host.power, poweredOffByUs: action === 'off' }
  return { ...host, live: action === 'on', enabled: action === 'on', power }
}

/** The pool when the plan has been carried out; `at` stays, so that the same plan would be made again if it paid. */
export function resultOf(pool: Pool, { moves, power }: Plan): Pool {
  const target = new Map(moves.map(({ vm, to }) => [vm, to]))
  const action = new Map(power.map((step) => [step.host, step.action]))
  return {
    ...pool,
    vms: pool.vms.map((vm) => ({ ...vm, host: target.get(vm.uuid) ?? vm.host })),
    hosts: pool.hosts.map((host) => {
      const done = action.get(host.uuid)
      return done === undefined ? host : withPower(host, done)
    }),
  }
}

function isOn({ state }: Vm): boolean {
  return state === 'running' || state === 'paused'
}

function* vmFaults({ at, settings }: Pool, vm: Vm): Iterable<string> {
  if (vm.state !== 'running') yield `it is ${vm.state}`
  if (vm.immovable !== undefined) yield 'it is immovable'
  if (vm.lastMovedAt !== undefined) {
    const minutes = (Date.parse(at) - Date.parse(vm.lastMovedAt)) / 60_000
    if (minutes <= settings.recentMoveMinutes) yield 'it moved lately'
  }
}

function* hostFaults(
  vm: Vm,
  source: Pool['hosts'][number],
  target: Pool['hosts'][number],
  reason: Plan['moves'][number]['reason'],
): Iterable<string> {
  if (!source.live || !target.live || !target.enabled) yield 'a host is not live, or the target is disabled'
  if (target.excluded.includes('accepting')) yield 'the target accepts nothing'
  if ((reason === 'Evacuate' || reason === 'Consolidate') && target.excluded.includes('evacuation'))
    yield 'the target is no target of evacuations'
  if (source.excluded.includes('optimisation') && reason !== 'Rule' && reason !== 'Evacuate') yield 'its VMs stay'
  if (vm.vcpus > target.cpus) yield 'it has more vCPUs than the target has CPUs'
  if (vm.storageRepositories.some((sr) => target.storageRepositories?.includes(sr) === false))
    yield 'a disk is not there'
  if (source.version !== undefined && target.version !== undefined && target.version < source.version)
    yield 'older version'
}

function* ruleFaults(
  pool: Pool,
  before: ReadonlyMap<string, string | null>,
  after: ReadonlyMap<string, string | null>,
) {
  for (const [index, { kind, strength, vms, hosts = [] }] of pool.rules.entries()) {
    if (strength === 'should') continue
    const broken = (at: ReadonlyMap<string, string | null>) => {
      const places = [...new Set(vms)].flatMap((uuid) => at.get(uuid) ?? [])
      if (kind === 'pin') return places.filter((host) => !hosts.includes(host)).length
      if (kind === 'avoid') return places.filter((host) => hosts.includes(host)).length
      return kind === 'apart' ? places.length - new Set(places).size : new Set(places).size
    }
    if (broken(after) > broken(before)) yield `rule ${index} (${kind}) is worse`
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
