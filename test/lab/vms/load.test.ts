/** The generated load: the same for the same seed, within its bounds, and each mean the mean of its parts. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { meanActivity, parts, peakActivity, STEPS, type Step } from '../../../src/lab/vms/load/activity.js'
import { share } from '../../../src/lab/vms/load/contention.js'
import { LOAD_KINDS } from '../../../src/lab/vms/load/kind.js'
import { changesWithin, continued, forgotten, type Life, lifeAt, pinAt } from '../../../src/lab/vms/load/life.js'
import { keyOf, ripple, uniform } from '../../../src/lab/vms/load/noise.js'
import { makeAppetite, makeProfile } from '../../../src/lab/vms/load/profile.js'
import { parseTrace } from '../../../src/lab/vms/load/trace.js'

const DAY = 1_796_083_200
const uuids = Array.from({ length: 40 }, (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`)
const profilesOf = (kind: (typeof LOAD_KINDS)[number], seed = 7) =>
  uuids.map((uuid) => makeProfile({ seed, kind }, uuid))

describe.each(LOAD_KINDS)('%s', (kind) => {
  const profiles = profilesOf(kind)
  const byHour = (seed: number) =>
    profilesOf(kind, seed).map((profile) =>
      Array.from({ length: 24 }, (_, hour) => meanActivity(profile, { start: DAY + hour * 3600, step: 3600 }, 1)),
    )

  it('is the same day for the same seed, another one for another', () => {
    expect(byHour(7)).toEqual(byHour(7))
    expect(byHour(7)).not.toEqual(byHour(8))
  })

  it.each([1, 60, 600, 3600])('at speed %d a mean is the mean of its parts', (speed) => {
    for (const profile of profiles) {
      for (const step of STEPS.filter((one) => one > 5)) {
        const window = { start: DAY, step }
        const means = parts(window).map((part) => meanActivity(profile, part, speed))
        const mean = means.reduce((sum, one) => sum + one, 0) / means.length
        expect(meanActivity(profile, window, speed)).toBeCloseTo(mean, 7)
      }
    }
  })

  it('stays above nothing and below all vCPUs', () => {
    for (const profile of profiles) {
      expect(peakActivity(profile)).toBeLessThanOrEqual(1 + 1e-9)
      for (let sample = 0; sample < 17_280; sample += 7) {
        const activity = meanActivity(profile, { start: DAY + sample * 5, step: 5 }, 1)
        expect(activity).toBeGreaterThan(0)
        expect(activity).toBeLessThanOrEqual(peakActivity(profile) + 1e-9)
      }
    }
  })
})

test('a diurnal day is twice as busy at its busiest hour as at its quietest, a flat one is not', () => {
  const swing = (kind: (typeof LOAD_KINDS)[number]) => {
    const swings = profilesOf(kind).map((profile) => {
      const hours = Array.from({ length: 24 }, (_, hour) =>
        meanActivity(profile, { start: DAY + hour * 3600, step: 3600 }, 1),
      )
      return Math.max(...hours) / Math.min(...hours)
    })
    return swings.sort((one, other) => one - other)[20] ?? 0
  }
  expect(swing('diurnal')).toBeGreaterThan(2)
  expect(swing('flat')).toBeLessThan(1.4)
})

test('VMs of one service are busy together', () => {
  const correlation = (one: readonly number[], other: readonly number[]) => {
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    const [a, b] = [mean(one), mean(other)]
    const product = mean(one.map((value, index) => (value - a) * ((other[index] ?? 0) - b)))
    const spread = (values: readonly number[], middle: number) =>
      Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
    return product / (spread(one, a) * spread(other, b))
  }
  const serviceOf = (uuid: string) => Math.floor(uniform(keyOf(`7 ${uuid}`), 0) * 8)
  const series = uuids.map((uuid) => {
    const profile = makeProfile({ seed: 7, kind: 'bursty' }, uuid)
    return {
      service: serviceOf(uuid),
      values: Array.from({ length: 288 }, (_, slot) => meanActivity(profile, { start: DAY + slot * 300, step: 60 }, 1)),
    }
  })
  const pairs = series.flatMap((one, index) =>
    series.slice(index + 1).map((other) => ({
      together: one.service === other.service,
      correlation: correlation(one.values, other.values),
    })),
  )
  const meanOf = (together: boolean) => {
    const chosen = pairs.filter((pair) => pair.together === together).map((pair) => pair.correlation)
    return chosen.reduce((sum, value) => sum + value, 0) / chosen.length
  }
  expect(meanOf(true)).toBeGreaterThan(0.5)
  expect(meanOf(false)).toBeLessThan(0.3)
})

test('at speed 60 an hour brings what two and a half days bring at speed 1', () => {
  const profile = {
    ...makeProfile({ seed: 7, kind: 'bursty' }, 'x'),
    ripples: { sample: 0, minute: 0, hour: 0, day: 0 },
  }
  const fast = meanActivity(profile, { start: DAY, step: 3600 }, 60)
  const slow = Array.from({ length: 60 }, (_, hour) =>
    meanActivity(profile, { start: DAY * 60 + hour * 3600, step: 3600 }, 1),
  )
  expect(fast).toBeCloseTo(slow.reduce((sum, one) => sum + one, 0) / 60, 6)
})

test('ripples of a group add up to nothing', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 1e8 }), fc.constantFrom(12, 24, 60), (key, group, size) => {
      const all = Array.from({ length: size }, (_, index) => ripple(key, group * size + index, size))
      expect(all.reduce((sum, one) => sum + one, 0)).toBeCloseTo(0, 9)
      expect(Math.max(...all.map(Math.abs))).toBeLessThan(1)
    }),
  )
})

test('an appetite belongs to its VM', () => {
  const [one, other] = profilesOf('flat')
  if (!one || !other) throw new Error('no profiles')
  expect(makeAppetite(one)).toEqual(makeAppetite(one))
  expect(makeAppetite(one)).not.toEqual(makeAppetite(other))
})

describe('sharing processors', () => {
  const cases: [demands: number[], weights: number[], capacity: number, granted: number[]][] = [
    [[1, 2], [256, 256], 4, [1, 2]],
    [[4, 4], [256, 256], 4, [2, 2]],
    [[1, 4], [256, 256], 4, [1, 3]],
    [[4, 4], [512, 256], 3, [2, 1]],
    [[4, 4, 0.5], [512, 256, 256], 3.5, [2, 1, 0.5]],
    [[0, 0], [256, 256], 1, [0, 0]],
    [[], [], 1, []],
  ]
  it.each(cases)('%j with weights %j of %d: %j', (demands, weights, capacity, granted) => {
    const found = share(demands, weights, capacity).map((value) => Math.round(value * 1e9) / 1e9)
    expect(found).toEqual(granted)
  })

  test('nobody gets more than he wants, nothing is wasted, and nothing is invented', () => {
    const machine = fc.record({
      demand: fc.double({ min: 0, max: 16, noNaN: true }),
      weight: fc.integer({ min: 1, max: 65_535 }),
    })
    fc.assert(
      fc.property(
        fc.array(machine, { maxLength: 40 }),
        fc.double({ min: 0.5, max: 64, noNaN: true }),
        (machines, capacity) => {
          const demands = machines.map(({ demand }) => demand)
          const granted = share(
            demands,
            machines.map(({ weight }) => weight),
            capacity,
          )
          const sum = (values: readonly number[]) => values.reduce((so, value) => so + value, 0)
          for (const [index, value] of granted.entries())
            expect(value).toBeLessThanOrEqual((demands[index] ?? 0) + 1e-9)
          expect(sum(granted)).toBeCloseTo(Math.min(sum(demands), capacity), 6)
        },
      ),
    )
  })
})

describe('a life', () => {
  const life: Life = [
    { at: 0, host: 'a' },
    { at: 100, host: 'a', to: 'b' },
    { at: 120, host: 'b' },
    { at: 200, host: '' },
  ]
  const cases: [time: number, place: string][] = [
    [50, 'a'],
    [100, 'a to b'],
    [119, 'a to b'],
    [120, 'b'],
    [500, ''],
  ]
  it.each(cases)('at %d it is %s', (time, place) => {
    const { host, to } = lifeAt(life, time)
    expect(to === undefined ? host : `${host} to ${to}`).toBe(place)
  })

  it('has not begun before its first entry', () => {
    expect(lifeAt([{ at: 10, host: 'a' }], 9).host).toBe('')
  })

  it('changes inside a window, not at its borders', () => {
    expect(changesWithin(life, 100, 120)).toBe(false)
    expect(changesWithin(life, 99, 101)).toBe(true)
  })

  it('notes what is new only, and forgets what no archive holds', () => {
    expect(continued(life, { at: 300, host: '' })).toBe(life)
    expect(continued(life, { at: 300, host: 'c' })).toHaveLength(5)
    expect(forgotten(life, 150)).toEqual(life.slice(2))
    expect(forgotten(life, -1)).toBe(life)
  })
})

it.each([
  [5, undefined],
  [10, 1],
  [25, 2],
  [39, 2],
  [40, undefined],
] as const)('at %d the pinned demand is %s', (time, cores) => {
  const pins = [
    { from: 10, until: 30, cores: 1 },
    { from: 20, until: 40, cores: 2 },
  ]
  expect(pinAt(pins, time)).toBe(cores)
})

describe('a trace', () => {
  const line = (name: string, value: (slot: number) => number) =>
    [name, ...Array.from({ length: 288 }, (_, slot) => value(slot))].join(',')
  const [ramp] = parseTrace(
    line('vm', (slot) => slot % 100),
    'trace.csv',
  )

  it.each([
    [0, 300, 0],
    [300, 300, 0.01],
    [450, 300, 0.015],
    [86_400 + 600, 300, 0.02],
    [0, 86_400, (2 * 4950 + 87 * 44) / 288 / 100],
    [0, 10 * 86_400, (2 * 4950 + 87 * 44) / 288 / 100],
  ])('from %d for %d seconds: %d', (from, length, mean) => {
    expect(ramp?.mean(from, length)).toBeCloseTo(mean, 9)
  })

  it('takes the place of what is generated', () => {
    const trace = parseTrace(
      line('vm', () => 42),
      'trace.csv',
    )
    const profile = makeProfile({ seed: 1, kind: 'bursty', trace }, 'x')
    for (const step of STEPS) expect(meanActivity(profile, { start: DAY, step: step as Step }, 1)).toBeCloseTo(0.42, 9)
  })

  const bad: [text: string, where: string][] = [
    ['', 'line 1: it has no line'],
    [`${line('a', () => 1)}\nb,1,2`, 'line 2: it has 2 numbers behind the name, not 288'],
    [line('a', () => 101), 'line 1: "101" is no percentage'],
    [line('a', () => -1), 'line 1: "-1" is no percentage'],
    [line('a', () => Number.NaN), 'line 1: "NaN" is no percentage'],
  ]
  it.each(bad)('refuses %.20s…: %s', (text, where) => {
    expect(() => parseTrace(text, 'trace.csv')).toThrow(
      expect.objectContaining({ code: 'LAB_TRACE_UNREADABLE', facts: expect.objectContaining(factsOf(where)) }),
    )
  })
  const factsOf = (where: string) => {
    const [, number, reason] = /^line (\d+): (.*)$/.exec(where) ?? []
    return { line: Number(number), reason }
  }
})
