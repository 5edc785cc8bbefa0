/** When a certificate is renewed, and when somebody looks again: pure arithmetic, a day a letter. */
import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import {
  isRenewalDue,
  LOOK_MS,
  nextAttempt,
  nextLookMs,
  type RenewalFacts,
} from '../../../src/identity/acme/renewal.js'

const DAY_MS = 86_400_000
const day = (days: number) => new Date(Date.UTC(2026, 0, 1) + days * DAY_MS)
/** Ninety days, from day 0 on. */
const facts = (rest: Partial<RenewalFacts> = {}): RenewalFacts => ({
  notBefore: day(0),
  notAfter: day(90),
  lacksName: false,
  ...rest,
})
const failed = (count: number, at: number, retryAfterSeconds?: number) =>
  facts({ failures: { count, at: day(at), retryAfterSeconds } })
const HOUR = 1 / 24

const cases: [what: string, facts: RenewalFacts, at: number, due: boolean][] = [
  ['new', facts(), 1, false],
  ['a day before two thirds', facts(), 59, false],
  ['at two thirds', facts(), 60, true],
  ['over', facts(), 100, true],
  ['a name is asked for that it lacks', facts({ lacksName: true }), 1, true],
  ['failed a minute ago', failed(1, 60), 60 + HOUR / 60, false],
  ['failed a quarter of an hour ago', failed(1, 60), 60 + HOUR / 4, true],
  ['failed twice, a quarter of an hour ago', failed(2, 60), 60 + HOUR / 4, false],
  ['failed twice, half an hour ago', failed(2, 60), 60 + HOUR / 2, true],
  ['failed a hundred times, eleven hours ago', failed(100, 60), 60 + 11 * HOUR, false],
  ['failed a hundred times, twelve hours ago', failed(100, 60), 60 + 12 * HOUR, true],
  ['put off for two hours, an hour ago', failed(1, 60, 7200), 60 + HOUR, false],
  ['put off for two hours, two hours ago', failed(1, 60, 7200), 60 + 2 * HOUR, true],
  ['put off for a year, two days ago', failed(1, 60, 31_536_000), 62, true],
  ['the clock was set back since the failure', failed(5, 80), 61, true],
  ['a failure does not make it due', failed(1, 1), 30, false],
]
it.each(cases)('%s', (_, given, at, due) => {
  expect(isRenewalDue(given, day(at))).toBe(due)
})

const looks: [what: string, facts: RenewalFacts | undefined, at: number, minutes: number][] = [
  ['nothing to renew', undefined, 0, 60],
  ['far away: the settings may change meanwhile', facts(), 1, 60],
  ['half an hour before', facts(), 60 - HOUR / 2, 30],
  ['due and held back, or a clock far off', facts(), 61, 15],
  ['failed just now', failed(1, 61), 61, 15],
  ['failed for the fourth time', failed(4, 61), 61, 60],
]
it.each(looks)('the next look: %s', (_, given, at, minutes) => {
  expect(nextLookMs(given, day(at)) / 60_000).toBeCloseTo(minutes, 5)
})

test('whatever happened, somebody looks within the hour and not at once, and it is tried before it is over', () => {
  fc.assert(
    fc.property(fc.nat(400), fc.nat(50), fc.nat(400), fc.option(fc.nat(10_000_000)), (now, count, at, wish) => {
      const given = failed(count, at, wish ?? undefined)
      const look = nextLookMs(given, day(now))
      expect(look).toBeGreaterThan(0)
      expect(look).toBeLessThanOrEqual(LOOK_MS)
      const latest = Math.max(60, Math.min(at, now) + 2)
      expect(nextAttempt(given, day(now)).getTime()).toBeLessThanOrEqual(day(latest).getTime())
    }),
  )
})
