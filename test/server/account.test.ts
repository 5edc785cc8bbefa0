/** Who is let in, and how guessing is slowed down. */
import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashPassword } from '../../src/config/index.js'
import { Account, readBasic } from '../../src/server/soap/account.js'
import { type DelayClock, FailureDelay } from '../../src/server/soap/failure-delay.js'

/** Time passes only when somebody waits. */
class FakeClock implements DelayClock {
  ms = 0
  readonly waits: number[] = []
  nowMs() {
    return this.ms
  }
  async wait(ms: number) {
    this.waits.push(ms)
    this.ms += ms
  }
}

describe('Basic credentials', () => {
  const encode = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
  const cases: [header: string | undefined, outcome: string][] = [
    [encode('a:b'), 'a|b'],
    [encode('a:b:c:'), 'a|b:c:'],
    [encode(':'), '|'],
    [encode('a:'), 'a|'],
    [encode('ü:ß😀'), 'ü|ß😀'],
    [encode('a:b').replace('Basic ', 'BASIC   '), 'a|b'],
    [encode('no colon'), 'none'],
    [encode('a:b\0'), 'none'], // to scrypt the same as without
    [encode('a\n:b'), 'none'],
    ['Basic', 'none'],
    ['Basic ', 'none'],
    ['Basic YTpi YTpi', 'none'],
    ['Basic YTp$', 'none'],
    ['Bearer YTpi', 'none'],
    ['YTpi', 'none'],
    [undefined, 'none'],
  ]
  test.each(cases)('%j is %s', (header, outcome) => {
    const read = readBasic(header)
    expect(read ? `${read.userName}|${read.password}` : 'none').toBe(outcome)
  })

  test('whatever name (without a colon) and password are sent, they are read', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((given) => !/\p{Cc}/u.test(given))
    fc.assert(
      fc.property(
        text.filter((name) => !name.includes(':')),
        text,
        (userName, password) => {
          expect(readBasic(encode(`${userName}:${password}`))).toEqual({ userName, password })
        },
      ),
    )
  })
})

describe('the password', () => {
  test('a success is remembered: the next one takes no scrypt; a wrong one is not', async () => {
    const account = new Account({ userName: 'wlbuser', passwordHash: await hashPassword('geheim') })
    const right = `Basic ${Buffer.from('wlbuser:geheim').toString('base64')}`
    expect(await account.accepts(right, '192.0.2.1')).toBe(true)
    const started = performance.now()
    for (let count = 0; count < 100; count++) expect(await account.accepts(right, '192.0.2.1')).toBe(true)
    expect(performance.now() - started).toBeLessThan(500)
    expect(await account.accepts(right.slice(0, -4), '192.0.2.1')).toBe(false)
  })
})

describe('the pause after failures', () => {
  const fail = async (delay: FailureDelay, address: string) => {
    await delay.admit(address)
    delay.failed(address)
  }

  test('doubles up to three seconds, and ends with a success', async () => {
    const clock = new FakeClock()
    const delay = new FailureDelay(clock)
    for (let count = 0; count < 9; count++) await fail(delay, '192.0.2.1')
    expect(clock.waits).toEqual([100, 200, 400, 800, 1600, 3000, 3000, 3000])
    delay.succeeded('192.0.2.1')
    await delay.admit('192.0.2.1')
    expect(clock.waits).toHaveLength(8)
  })

  test('is over after a quiet quarter of an hour', async () => {
    const clock = new FakeClock()
    const delay = new FailureDelay(clock)
    for (let count = 0; count < 9; count++) await fail(delay, '192.0.2.1')
    clock.ms += 15 * 60_000 + 1
    clock.waits.length = 0
    await delay.admit('192.0.2.1')
    await fail(delay, '192.0.2.1')
    await delay.admit('192.0.2.1')
    expect(clock.waits).toEqual([100])
  })

  const neighbours: [failing: string, other: string, waits: boolean][] = [
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['2001:db8::1', '2001:db8::2', true],
    ['2001:db8::1', '2001:db8:0:0:ffff::2', true],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
    ['fe80::1%eth0', 'fe80::2%eth1', true],
  ]
  test.each(neighbours)('failures of %s; %s waits: %s', async (failing, other, waits) => {
    const clock = new FakeClock()
    const delay = new FailureDelay(clock)
    for (let count = 0; count < 3; count++) await fail(delay, failing)
    clock.waits.length = 0
    await delay.admit(other)
    expect(clock.waits.length > 0).toBe(waits)
  })

  test('attempts at once take turns, and too many of them are refused unseen', async () => {
    const waiting: { ms: number; resume: () => void }[] = []
    const wait = (ms: number) => new Promise<void>((resume) => void waiting.push({ ms, resume }))
    const delay = new FailureDelay({ nowMs: () => 0, wait })
    delay.failed('192.0.2.1')
    const admitted = Array.from({ length: 10 }, () => delay.admit('192.0.2.1'))
    expect(waiting.map(({ ms }) => ms)).toEqual([100, 200, 300, 400, 500, 600, 700, 800])
    for (const { resume } of waiting) resume()
    expect(await Promise.all(admitted)).toEqual([...Array(8).fill(true), false, false])
  })

  test('a right password waits too after failures: an address that guesses is not told at once', async () => {
    const clock = new FakeClock()
    const account = new Account({
      userName: 'wlbuser',
      passwordHash: await hashPassword('geheim'),
      delay: new FailureDelay(clock),
    })
    const right = `Basic ${Buffer.from('wlbuser:geheim').toString('base64')}`
    await account.accepts(right, '192.0.2.1')
    await account.accepts('Basic YTpi', '192.0.2.1')
    expect(await account.accepts(right, '192.0.2.1')).toBe(true)
    expect(clock.waits).toEqual([100])
  })
})
