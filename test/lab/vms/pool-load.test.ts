/** What hosts and VMs get when they share processors, move, stop, and are pinned. */
import { describe, expect, it, test } from 'vitest'
import { parts, type Step } from '../../../src/lab/vms/load/activity.js'
import type { Life, Pin } from '../../../src/lab/vms/load/life.js'
import { type LoadedVm, PoolLoad } from '../../../src/lab/vms/load/pool-load.js'
import { makeAppetite, makeProfile } from '../../../src/lab/vms/load/profile.js'

const HOUR = 1_796_083_200
const always = (host: string): Life => [{ at: 0, host }]
const pinned = (cores: number): Pin[] => [{ from: 0, until: 0, cores }]

function vm(uuid: string, life: Life, pins: readonly Pin[] = [], vcpus = 2): LoadedVm {
  const profile = makeProfile({ seed: 3, kind: 'flat' }, uuid)
  return { uuid, vcpus, weight: 256, mostCores: vcpus, life, pins, profile, appetite: makeAppetite(profile) }
}

const host = (uuid: string, cores = 4, pins: readonly Pin[] = []) => ({
  uuid,
  cores,
  life: always(uuid),
  pins,
  controlDomain: { vcpus: 4, profile: makeProfile({ seed: 3, kind: 'flat' }, `control ${uuid}`) },
})

const pool = (vms: readonly LoadedVm[], cores = 4) => new PoolLoad([host('a', cores), host('b', cores)], vms, 1)
const at = (start: number, step: Step) => ({ start, step })

test('a host that has enough gives everybody what he wants', () => {
  const moment = pool([vm('one', always('a')), vm('two', always('a'))]).momentOf('a', at(HOUR, 60))
  for (const use of moment?.vms.values() ?? []) expect(use.usedCores).toBe(use.wantedCores)
})

test('three VMs that want two cores each share four with the control domain', () => {
  const vms = ['one', 'two', 'three'].map((uuid) => vm(uuid, always('a'), pinned(2)))
  const moment = pool(vms).momentOf('a', at(HOUR, 5))
  const used = [...(moment?.vms.values() ?? [])].map(({ usedCores }) => usedCores)
  const own = moment?.controlDomain.usedCores ?? 0
  expect(own).toBe(moment?.controlDomain.wantedCores)
  expect(used.reduce((sum, one) => sum + one, own)).toBeCloseTo(4, 9)
  expect(new Set(used.map((one) => one.toFixed(9))).size).toBe(1)
})

describe('a VM that moves from a to b at :20, stops at :40', () => {
  const life: Life = [
    { at: 0, host: 'a' },
    { at: HOUR + 600, host: 'a', to: 'b' },
    { at: HOUR + 1200, host: 'b' },
    { at: HOUR + 2400, host: '' },
  ]
  const load = pool([vm('mover', life, pinned(1)), vm('other', always('a'), pinned(1))])

  it.each([
    ['a', 300, true],
    ['a', 900, true],
    ['a', 1260, false],
    ['b', 900, false],
    ['b', 1260, true],
    ['b', 2460, false],
  ])('on %s at %d s: %s', (uuid, second, isThere) => {
    expect(load.momentOf(uuid, at(HOUR + second, 60))?.vms.has('mover')).toBe(isThere)
  })

  it('is one series, whichever host it is on', () => {
    const known = parts(at(HOUR, 3600)).map((window) => load.useOf('mover', window)?.usedCores)
    expect(known.slice(0, 40)).toEqual(Array(40).fill(1))
    expect(known.slice(40)).toEqual(Array(20).fill(undefined))
  })

  it('is present for a third of the hour on each host', () => {
    expect(load.momentOf('a', at(HOUR, 3600))?.vms.get('mover')?.present).toBeCloseTo(1 / 3, 9)
    expect(load.momentOf('b', at(HOUR, 3600))?.vms.get('mover')?.present).toBeCloseTo(1 / 3, 9)
    expect(load.useOf('mover', at(HOUR, 3600))?.present).toBeCloseTo(2 / 3, 9)
  })

  it('costs both hosts processor time and their networks the stream, while it is on its way', () => {
    const before = load.momentOf('a', at(HOUR + 300, 60))?.controlDomain
    const during = load.momentOf('a', at(HOUR + 900, 60))?.controlDomain
    const target = load.momentOf('b', at(HOUR + 900, 60))?.controlDomain
    expect(before).toMatchObject({ rx: 0, tx: 0 })
    expect(during).toMatchObject({ rx: 0, tx: 500e6 })
    expect(target).toMatchObject({ rx: 500e6, tx: 0 })
    expect((during?.wantedCores ?? 0) - (before?.wantedCores ?? 0)).toBeGreaterThan(0.3)
  })
})

test('a pin counts from its second on, and is over in time', () => {
  const pins = [{ from: HOUR + 61, until: HOUR + 120, cores: 1.5 }]
  const load = pool([vm('one', always('a'), pins)])
  const used = (second: number) => load.useOf('one', at(HOUR + second, 5))?.usedCores ?? 0
  expect(used(55)).not.toBe(1.5)
  expect(used(60)).toBe(1.5) // the sample of which the greater part is pinned
  expect(used(115)).toBe(1.5)
  expect(used(120)).not.toBe(1.5)
  const samples = parts(at(HOUR + 60, 60)).map(({ start }) => used(start - HOUR))
  expect(load.useOf('one', at(HOUR + 60, 60))?.usedCores).toBeCloseTo(samples.reduce((so, one) => so + one, 0) / 12, 9)
})

test('a VM uses no more than its cap, and a pin of a host is one of its control domain', () => {
  const capped = { ...vm('one', always('a'), pinned(2)), mostCores: 0.5 }
  const load = new PoolLoad([host('a', 4, pinned(1.25))], [capped], 1)
  expect(load.momentOf('a', at(HOUR, 3600))?.vms.get('one')?.usedCores).toBe(0.5)
  expect(load.momentOf('a', at(HOUR, 3600))?.controlDomain.usedCores).toBe(1.25)
})

test('on a short host a minute is the mean of its samples, and no sample has more than all cores', () => {
  const vms = Array.from({ length: 12 }, (_, index) => vm(`vm ${index}`, always('a')))
  const load = pool(vms, 3)
  for (let minute = 0; minute < 30; minute++) {
    const window = at(HOUR + minute * 60, 60)
    const totals = parts(window).map((part) => {
      const moment = load.momentOf('a', part)
      return [...(moment?.vms.values() ?? [])].reduce(
        (sum, { usedCores }) => sum + usedCores,
        moment?.controlDomain.usedCores ?? 0,
      )
    })
    for (const total of totals) expect(total).toBeLessThanOrEqual(3 + 1e-9)
    const of = (uuid: string) => load.useOf(uuid, window)?.usedCores ?? 0
    const samples = parts(window).map((part) => load.useOf('vm 3', part)?.usedCores ?? 0)
    expect(of('vm 3')).toBeCloseTo(samples.reduce((so, one) => so + one, 0) / 12, 9)
  }
})

test('a host that is down does nothing, nor do its VMs; a window in which it was up for a while tells of that', () => {
  const life: Life = [
    { at: 0, host: 'a' },
    { at: HOUR + 900, host: '' },
    { at: HOUR + 1800, host: 'a' },
  ]
  const load = new PoolLoad([{ ...host('a'), life }], [vm('one', always('a'), pinned(1))], 1)
  expect(load.momentOf('a', at(HOUR + 1200, 60))).toMatchObject({ vms: new Map(), controlDomain: { present: 0 } })
  expect(load.momentNow('a', HOUR + 1200)?.vms.size).toBe(0)
  expect(load.useOf('one', at(HOUR + 1200, 60))).toBeUndefined()
  expect(load.momentOf('a', at(HOUR, 3600))?.controlDomain.present).toBeCloseTo(0.75, 9)
  expect(load.useOf('one', at(HOUR, 3600))).toMatchObject({ present: 0.75, usedCores: 1 })
})

test('what happens now is seen at once', () => {
  const now = HOUR + 2
  const load = pool([vm('one', always('a'), [{ from: now - 0.1, until: 0, cores: 1.9 }])])
  expect(load.momentNow('a', now)?.vms.get('one')?.usedCores).toBe(1.9)
  expect(load.momentNow('nowhere', now)).toBeUndefined()
})
