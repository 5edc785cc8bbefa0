/**
 * What a plan must keep, calculated a second time and in another way, from the document alone: nothing of src/balance but the types
 * is used. It answers with sentences; none is what a test wants.
 */
import type { Plan, Pool } from '../../src/balance/index.js'
import { failoverPlanBySearch } from './failover-by-search.js'

type Vm = Pool['vms'][number]

/** Everything that is wrong with the steps of a plan. */
export function faultsOf(pool: Pool, plan: Plan): string[] {
  const at = new Map(pool.vms.map((vm) => [vm.uuid, isOn(vm) ? vm.host : null]))
  const faults: string[] = []
  for (const [step, { vm: uuid, from, to, reason }] of plan.moves.entries()) {
    const say = (what: string) => faults.push(`step ${step}, ${uuid} from ${from} to ${to}: ${what}`)
    const vm = pool.vms.find((one) => one.uuid === uuid)
    const source = pool.hosts.find((one) => one.uuid === from)
    const target = pool.hosts.find((one) => one.uuid === to)
    if (!vm || !source || !target) {
      say('no such VM or host')
      continue
    }
    if (at.get(uuid) !== from || from === to) say('it is not there, or it goes nowhere')
    for (const fault of [...vmFaults(pool, vm), ...hostFaults(vm, source, target, reason)]) say(fault)
    const there = pool.vms.filter((one) => at.get(one.uuid) === to)
    const needed = sum([...there, vm].map((one) => one.memoryFloorBytes))
    const reserve = to === pool.pool.coordinator ? pool.settings.coordinatorReserve : 0
    if (needed > target.memoryBytes * (1 - reserve)) say('memory is short while it moves')
    const before = new Map(at)
    at.set(uuid, to)
    for (const fault of ruleFaults(pool, before, at)) say(fault)
    const { ha } = pool.pool
    if (ha?.enabled && !ha.allowOvercommit && failoverPlanBySearch(pool, before, ha.planExistsFor)) {
      if (!failoverPlanBySearch(pool, at, ha.planExistsFor)) say('the failover plan ends')
      if (!failoverPlanBySearch(pool, at, ha.planExistsFor, { vm, from })) say('the failover plan ends while it moves')
    }
  }
  for (const { host: uuid, action } of plan.power) {
    const host = pool.hosts.find((one) => one.uuid === uuid)
    const isEmpty = pool.vms.every((vm) => at.get(vm.uuid) !== uuid)
    if (action === 'off' && !(isEmpty && host?.power?.managed && host.power.tested && uuid !== pool.pool.coordinator)) {
      faults.push(`${uuid} is switched off`)
    }
    if (action === 'on' && !host?.power?.poweredOffByUs) faults.push(`${uuid} is switched on`)
  }
  return faults
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
      if (done === undefined) return host
      const power = { managed: true, tested: true, ...host.power, poweredOffByUs: done === 'off' }
      return { ...host, live: done === 'on', enabled: done === 'on', power }
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
  if (reason === 'Evacuate' && target.excluded.includes('evacuation')) yield 'the target is no target of evacuations'
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
