/** What the coordinator notes of starts, moves and stops, and what a host is told of them. */
import { beforeEach, describe, expect, it, test } from 'vitest'
import type { Database } from '../../../src/lab/database/database.js'
import { addPin, hostLifeOf, pinsOf, rememberHosts, rememberLives } from '../../../src/lab/vms/published/lives.js'
import { carryOutLoad } from '../../../src/lab/vms/published/load-command.js'
import { parsePoolFacts, readHostFacts, readPoolFacts } from '../../../src/lab/vms/published/pool-facts.js'
import { placeOfVm } from '../../../src/lab/vms/published/vm-place.js'
import { NULL_REF } from '../../../src/xapi/index.js'
import { newDatabase } from './new-database.js'

const NOW = 1_800_000_000
let database: Database
let now = NOW
let stop: () => void
let vm = { ref: '', uuid: '' }
let hosts: { ref: string; uuid: string }[] = []

beforeEach(() => {
  database = newDatabase({ hosts: 3, vms: 12 })
  now = NOW
  stop = rememberLives(database, () => now)
  hosts = database.rows('host').map(([ref, { uuid }]) => ({ ref, uuid: String(uuid) }))
  const [found] = database
    .rows('VM')
    .filter(([, record]) => record.resident_on === hosts[0]?.ref && !record.is_control_domain)
  if (!found) throw new Error('no VM on the first host')
  vm = { ref: found[0], uuid: String(found[1].uuid) }
})

const hostRef = (name: string) => hosts[Number(name) - 1]?.ref ?? NULL_REF
const nameOf = (uuid: string) => {
  const index = hosts.findIndex((host) => host.uuid === uuid)
  return index < 0 ? '-' : String(index + 1)
}
const life = () => {
  const facts = readPoolFacts(database).vms.find(({ uuid }) => uuid === vm.uuid)
  return (facts?.life ?? [])
    .map(
      ({ at, host, to }) =>
        `${at === 0 ? 'ever' : at - NOW}:${nameOf(host)}${to === undefined ? '' : `>${nameOf(to)}`}`,
    )
    .join(' ')
}

/** `1` runs there, `1>2` on its way, `-` halted. */
function become(state: string): void {
  const [place = '-', to] = state.split('>')
  database.update('VM', vm.ref, {
    power_state: place === '-' ? 'Halted' : 'Running',
    resident_on: hostRef(place),
    scheduled_to_be_resident_on: to === undefined ? NULL_REF : hostRef(to),
  })
}

describe('a life', () => {
  const cases: [changes: string, life: string][] = [
    ['', 'ever:1'],
    ['1', 'ever:1'],
    ['1>2 2', 'ever:1 0:1>2 10:2'],
    ['1>2 1', 'ever:1 0:1>2 10:1'],
    ['- 3', 'ever:1 0:- 10:3'],
    ['2 2 2', 'ever:1 0:2'],
    ['1>3 3 3>1 1', 'ever:1 0:1>3 10:3 20:3>1 30:1'],
  ]
  it.each(cases)('"%s": %s', (changes, expected) => {
    for (const change of changes.split(' ').filter((word) => word !== '')) {
      become(change)
      now += 10
    }
    expect(life()).toBe(expected)
  })

  it('of a new VM begins with its first start', () => {
    const ref = database.create('VM', { uuid: 'new', name_label: 'new' })
    now += 10
    database.update('VM', ref, { power_state: 'Running', resident_on: hostRef('2') })
    vm = { ref, uuid: 'new' }
    expect(life()).toBe('10:2')
  })

  it('is noted no more after the coordinator stepped down', () => {
    stop()
    become('2')
    expect(life()).toBe('ever:2')
  })

  it('is the same for the next coordinator', () => {
    become('1>2')
    now += 10
    become('2')
    stop()
    rememberLives(database, () => now)
    now += 10
    become('-')
    expect(life()).toBe('ever:1 0:1>2 10:2 20:-')
  })
})

test('a host that goes and comes back has a gap, one that a new coordinator has not seen yet has none', () => {
  const [host] = database.rows('host')
  if (!host) throw new Error('no host')
  const [, { uuid, metrics }] = host
  const show = (live: boolean) => database.update('host_metrics', String(metrics), { live })
  const seen = () =>
    hostLifeOf(database, String(uuid)).map(
      ({ at, host: up }) => `${at === 0 ? 'ever' : at - NOW}:${up === '' ? '-' : 'up'}`,
    )
  show(false) // as a coordinator does when it starts
  rememberHosts(database, () => now)
  show(true)
  expect(seen()).toEqual(['ever:up'])
  now += 10
  show(false)
  show(false)
  now += 20
  show(true)
  expect(seen()).toEqual(['ever:up', '10:-', '30:up'])
})

test('a host is told of the hosts its VMs were on, and of everybody who was there', () => {
  const told = (index: number) => {
    const facts = readHostFacts(database, hosts[index]?.uuid ?? '')
    expect(parsePoolFacts(JSON.stringify(facts))).toEqual(facts)
    return { hosts: facts.hosts.map(({ uuid }) => nameOf(uuid)).join(''), vms: facts.vms.length }
  }
  const before = [0, 1, 2].map(told)
  expect(before.map((one) => one.hosts)).toEqual(['1', '2', '3'])
  expect(before.reduce((sum, one) => sum + one.vms, 0)).toBe(12)
  become('2')
  expect(told(0).hosts).toBe('12') // it was on 1, is on 2: 1's own past, with its neighbours on 2
  expect(told(1)).toEqual({ hosts: '12', vms: (before[0]?.vms ?? 0) + (before[1]?.vms ?? 0) })
  expect(told(2)).toEqual(before[2])
})

test('where the archives of a VM are', () => {
  expect(placeOfVm(database, vm.uuid)).toEqual({ kind: 'running', address: '127.1.1.1' })
  become('-')
  expect(placeOfVm(database, vm.uuid)).toEqual({ kind: 'archived' })
  expect(placeOfVm(database, 'nobody')).toEqual({ kind: 'unknown' })
})

test('the pin set last ends those before it', () => {
  addPin(database, vm.uuid, { from: 100, until: 0, cores: 1 })
  addPin(database, vm.uuid, { from: 200, until: 500, cores: 2 })
  addPin(database, vm.uuid, { from: 300, until: 400, cores: 0.5 })
  expect(pinsOf(database, vm.uuid)).toEqual([
    { from: 100, until: 200, cores: 1 },
    { from: 200, until: 300, cores: 2 },
    { from: 300, until: 400, cores: 0.5 },
  ])
})

test('a name that two machines have is not guessed', async () => {
  const [one, two] = database.rows('VM').filter(([, record]) => !record.is_control_domain)
  database.update('VM', one?.[0] ?? '', { name_label: 'twin' })
  database.update('VM', two?.[0] ?? '', { name_label: 'twin' })
  const answer = await carryOutLoad(database, JSON.stringify({ target: 'twin', cores: 1, forSeconds: 0 }), NOW)
  expect(answer).toMatchObject({ kind: 'several', uuids: [one?.[1].uuid, two?.[1].uuid] })
})
