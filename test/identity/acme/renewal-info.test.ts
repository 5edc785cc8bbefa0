/** When an authority wishes a certificate to be renewed (RFC 9773): names, windows and pauses, without a network. */
import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { isRenewalDue, nextAttempt } from '../../../src/identity/acme/renewal.js'
import {
  askAgainLater,
  isQuestionDue,
  joinRenewalId,
  momentIn,
  pauseBeforeNextQuestionMs,
} from '../../../src/identity/acme/renewal-info.js'

const names: [keyId: string, serial: string, name: string | undefined][] = [
  ['69885B6B87464041E1B37B847BA0AE2CDE01C8D4', '87654321', 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE'], // RFC 9773, appendix A
  ['00', '7F', 'AA.fw'],
  ['00', '80', 'AA.AIA'],
  ['00', '1', 'AA.AQ'],
  ['00', '-01', undefined],
  ['00', '', undefined],
]
it.each(names)('key %s, serial number %s: %s', (keyId, serial, name) => {
  expect(joinRenewalId(Buffer.from(keyId, 'hex'), serial)).toBe(name)
})

const MINUTE = 60_000
const pauses: [seconds: number | undefined, minutes: number][] = [
  [undefined, 360],
  [0, 1],
  [59, 1],
  [3600, 60],
  [86_400, 1440],
  [31_536_000, 1440],
]
it.each(pauses)('Retry-After %s: asked again after %i minutes', (seconds, minutes) => {
  expect(pauseBeforeNextQuestionMs(seconds)).toBe(minutes * MINUTE)
})

const day = (days: number) => new Date(Date.UTC(2026, 0, 1) + days * 1440 * MINUTE)
const advice = (start: number, end: number, id = 'AA.AQ') => ({
  id,
  window: { start: day(start).toISOString(), end: day(end).toISOString() },
  askAgainAt: day(0).toISOString(),
})
const NINETY = { notBefore: day(0), notAfter: day(90), lacksName: false }

const windows: [what: string, start: number, end: number, today: number, due: boolean][] = [
  ['over', 10, 11, 12, true],
  ['in the future', 20, 21, 12, false],
  ['later than two thirds', 70, 71, 65, false],
  ['after the certificate, so two thirds', 85, 95, 61, true],
  ['after the certificate, before two thirds', 85, 95, 59, false],
  ['the wrong way round, so two thirds', 12, 10, 59, false],
  ['of no length, so two thirds', 10, 10, 59, false],
]
it.each(windows)('a window that is %s', (_, start, end, today, due) => {
  const facts = { ...NINETY, suggested: momentIn(advice(start, end), NINETY.notAfter) }
  expect(isRenewalDue(facts, day(today))).toBe(due)
})

test('the moment lies in the window, and is the same each time', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(50), fc.integer({ min: 1, max: 30 }), (id, start, length) => {
      const moment = momentIn(advice(start, start + length, id), day(90))
      expect(moment?.getTime()).toBeGreaterThanOrEqual(day(start).getTime())
      expect(moment?.getTime()).toBeLessThan(day(start + length).getTime())
      expect(momentIn(advice(start, start + length, id), day(90))).toEqual(moment)
    }),
  )
})

test('the moments of many certificates are spread evenly over the window (RFC 9773, 4.2)', () => {
  const tenths = Array.from({ length: 10 }, () => 0)
  for (let serial = 0; serial < 10_000; serial++) {
    const moment = momentIn(advice(10, 20, `aYhba4dGQEHhs3uEe6CuLN4ByNQ.${serial}`), day(90))
    const tenth = Math.floor(((moment?.getTime() ?? 0) - day(10).getTime()) / (day(11).getTime() - day(10).getTime()))
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  // five standard deviations of a fair draw
  for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150)
})

test('after a failure the pauses count, whatever the window says', () => {
  const failures = { count: 3, at: day(12) }
  const suggested = momentIn(advice(10, 11), day(90))
  expect(nextAttempt({ ...NINETY, suggested, failures }, day(12))).toEqual(new Date(day(12).getTime() + 60 * MINUTE))
})

const questions: [what: string, at: number, due: boolean][] = [
  ['before its time', 9.9, false],
  ['at its time', 10, true],
  ['the clock was set back', 1, true],
]
it.each(questions)('asked again: %s', (_, at, due) => {
  expect(isQuestionDue({ id: '', window: null, askAgainAt: day(10).toISOString() }, day(at))).toBe(due)
})

test('unanswered, the window of before counts for six hours more', () => {
  const before = advice(10, 11)
  const later = askAgainLater(before.id, before, day(5))
  expect(later).toEqual({ ...before, askAgainAt: day(5.25).toISOString() })
  expect(askAgainLater('AA.AQ', undefined, day(5)).window).toBeNull()
})
