/** Archives computed from a database: their values hold together, also for 2,000 VMs, and are written as C and OCaml write them. */
import { describe, expect, it, test } from 'vitest'
import { archivesOf, findArchives } from '../../../src/lab/vms/archives/archives.js'
import { dumpJson, dumpXml } from '../../../src/lab/vms/archives/dump.js'
import { findUpdates } from '../../../src/lab/vms/archives/updates.js'
import { formatValue, renderJson, renderXml } from '../../../src/lab/vms/archives/xport.js'
import { databasesOf, type LoadSettings } from '../../../src/lab/vms/published/databases.js'
import { addPin } from '../../../src/lab/vms/published/lives.js'
import { readHostFacts } from '../../../src/lab/vms/published/pool-facts.js'
import { describeUse } from '../../../src/lab/vms/published/pool-use.js'
import { newDatabase } from './new-database.js'

const NOW = 1_796_138_405
const SETTINGS: LoadSettings = { seed: 7, kind: 'bursty', speed: 1, trace: undefined }
const time = { lastSample: NOW, clockAhead: 0 }

function open(database: ReturnType<typeof newDatabase>, number: number) {
  const uuid = String(database.rows('host')[number]?.[1].uuid)
  const facts = readHostFacts(database, uuid)
  const own = facts.hosts.find((host) => host.uuid === uuid)
  if (!own) throw new Error('no such host')
  return { facts, own, databases: databasesOf(facts, own, SETTINGS, NOW) }
}

const small = newDatabase({ hosts: 2, vms: 6 })

describe('a number as printf %.15g writes it', () => {
  const cases: [value: number, text: string][] = [
    [0, '0.0'],
    [-0, '0.0'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [1, '1'],
    [0.25, '0.25'],
    [1 / 3, '0.333333333333333'],
    [2 / 3, '0.666666666666667'],
    [0.1 + 0.2, '0.3'],
    [123456.789, '123456.789'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [123_456_789_012_345, '123456789012345'],
    [1e15, '1e+15'],
    [-1e300, '-1e+300'],
    [17179869184, '17179869184'],
  ]
  it.each(cases)('%d: %s', (value, text) => {
    expect(formatValue(value)).toBe(text)
  })
})

describe('which archive answers', () => {
  const cases: [
    extremes: boolean,
    start: number,
    interval: number,
    cf: 'MAX' | 'AVERAGE' | undefined,
    found: string,
  ][] = [
    [false, -60, 0, undefined, '5 AVERAGE'],
    [true, -60, 0, undefined, '5 AVERAGE'],
    [true, -60, 0, 'MAX', '60 MAX'], // samples have no extremes
    [true, -3600, 0, undefined, '60 AVERAGE, 60 MIN, 60 MAX'],
    [true, -8000, 0, 'AVERAGE', '3600 AVERAGE'],
    [false, -40_000_000, 0, undefined, '86400 AVERAGE'],
    [false, -60, 86_400, undefined, '86400 AVERAGE'],
    [false, -60, 90_000, undefined, ''],
    [false, -60, 0, 'MAX', 'none'],
  ]
  it.each(cases)('extremes %s, start %d, interval %d, %s: %s', (extremes, start, interval, cf, expected) => {
    const question = { start: BigInt(NOW + start), interval: BigInt(interval), cf }
    const found = findArchives(archivesOf(extremes), question, NOW)
    expect(found?.map((one) => `${one.step} ${one.cf}`).join(', ') ?? 'none').toBe(expected)
  })
})

test('the least is below the mean and the greatest above it, in minutes, hours and days', () => {
  const { databases } = open(small, 0)
  for (const step of [60, 3600, 86_400] as const) {
    const window = { start: 1_796_083_200 - step, step }
    const [mean, least, most] = (['AVERAGE', 'MIN', 'MAX'] as const).map((cf) => databases.host.row(window, cf))
    for (const [index, value] of (mean ?? []).entries()) {
      expect(least?.[index]).toBeLessThanOrEqual(value + 1e-3)
      expect(most?.[index]).toBeGreaterThanOrEqual(value - 1e-3)
    }
  }
})

test('the pool decides whether VMs have extremes', () => {
  const database = newDatabase({ hosts: 1, vms: 2 })
  const cfs = () => {
    const { vms } = open(database, 0).databases
    const question = { start: -3600n, interval: 0n, cf: undefined, ...time }
    const updates = findUpdates([...vms.values()], question)
    return [...new Set(updates?.legend.map((entry) => entry.replace(/:.*/, '')))]
  }
  expect(cfs()).toEqual(['AVERAGE'])
  database.update('pool', database.pool.ref, { other_config: { create_min_max_in_new_VM_RRDs: 'true' } })
  expect(cfs()).toEqual(['AVERAGE', 'MIN', 'MAX'])
})

test('run states of a VM add up to one, also where it waits', () => {
  const database = newDatabase({ hosts: 1, vms: 4 })
  for (const [, vm] of database.rows('VM')) {
    if (vm.is_control_domain) continue
    database.update('VM', database.rows('VM').find(([, one]) => one.uuid === vm.uuid)?.[0] ?? '', {
      VCPUs_at_startup: 4n,
    })
    addPin(database, String(vm.uuid), { from: 0, until: 0, cores: 4 })
  }
  const { vms } = open(database, 0).databases
  for (const vm of vms.values()) {
    const values = vm.row({ start: NOW - 5, step: 5 }, 'AVERAGE')
    const states = values.filter((_, index) => vm.sources[index]?.name.startsWith('runstate_'))
    expect(states).toHaveLength(6)
    expect(states.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5)
  }
  const waiting = [...vms.values()].map((vm) => {
    const index = vm.sources.findIndex(({ name }) => name === 'runstate_full_contention')
    return vm.row({ start: NOW - 5, step: 5 }, 'AVERAGE')[index] ?? 0
  })
  expect(Math.max(...waiting)).toBeGreaterThan(0.1)
})

test('a legend is escaped, an empty answer is one too', () => {
  const updates = { start: 5n, step: 5, end: 10, legend: ['AVERAGE:vm:u:a<b>&"c'], rows: [] }
  expect(renderXml(updates)).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<xport><meta><start>5</start><step>5</step><end>10</end><rows>0</rows>' +
      '<columns>1</columns><legend><entry>AVERAGE:vm:u:a&lt;b&gt;&amp;&quot;c</entry></legend></meta><data/></xport>',
  )
  expect(JSON.parse(renderJson(updates))).toEqual({
    meta: { start: 5, step: 5, end: 10, rows: 0, columns: 1, legend: ['AVERAGE:vm:u:a<b>&"c'] },
    data: [],
  })
})

test('a dump in JSON and one in XML say the same, the oldest row first', () => {
  const { databases } = open(small, 1)
  const dump = JSON.parse(dumpJson(databases.host, time))
  const xml = dumpXml(databases.host, time)
  expect(dump.rra.map(({ cf, pdp_per_row, database }: Dumped) => `${cf} ${pdp_per_row} ${database.length}`)).toEqual([
    'AVERAGE 1 120',
    ...['AVERAGE', 'MIN', 'MAX'].map((cf) => `${cf} 12 120`),
    ...['AVERAGE', 'MIN', 'MAX'].map((cf) => `${cf} 720 168`),
    ...['AVERAGE', 'MIN', 'MAX'].map((cf) => `${cf} 17280 366`),
  ])
  const values = [...xml.matchAll(/<v>([^<]*)<\/v>/g)].map(([, value]) => value)
  expect(values).toEqual(dump.rra.flatMap(({ database }: Dumped) => database.flat()))
  const newest = databases.host.row({ start: NOW - 5, step: 5 }, 'AVERAGE').map(formatValue)
  expect(dump.rra[0].database.at(-1)).toEqual(newest)
})

interface Dumped {
  readonly cf: string
  readonly pdp_per_row: string
  readonly database: string[][]
}

test('64 hosts with 2,000 VMs: every VM is published by one host, and the sums are right', () => {
  const database = newDatabase({ hosts: 64, vms: 2000 })
  const seen = new Set<string>()
  for (let number = 0; number < 64; number += 9) {
    const { databases, facts, own } = open(database, number)
    const question = { start: -60n, interval: 0n, cf: undefined, ...time }
    const updates = findUpdates([databases.host, ...databases.vms.values()], question)
    expect(updates?.rows).toHaveLength(13)
    for (const { values } of updates?.rows ?? []) expect(values.some(Number.isNaN)).toBe(false)
    for (const { uuid } of facts.vms) seen.add(uuid)
    const use = describeUse(facts, SETTINGS, NOW)
    expect(use.vms.filter(({ host }) => host === own.name)).toHaveLength(databases.vms.size - 1)
  }
  const hosts = database.rows('host').filter((_, number) => number % 9 === 0)
  const residents = database.rows('VM').filter(([, vm]) => {
    return !vm.is_control_domain && hosts.some(([ref]) => ref === vm.resident_on)
  })
  expect(seen).toEqual(new Set(residents.map(([, vm]) => vm.uuid)))
})
