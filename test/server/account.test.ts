/** Who is let in, and how guessing is slowed down. */
import { setMaxListeners } from 'node:events'
import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashPassword } from '../../src/config/index.js'
import { Account, readBasic } from '../../src/server/soap/account.js'
import { CheckQueue, LINE_LIMIT } from '../../src/server/soap/check-queue.js'
import { type AllowanceClock, GuessAllowance } from '../../src/server/soap/guess-allowance.js'

/** Time passes only when somebody waits. */
class FakeClock implements AllowanceClock {
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

const encode = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
/** Of a client that stays. */
const present = new AbortController().signal
setMaxListeners(0, present)

describe('Basic credentials', () => {
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

describe('the account', () => {
  const RIGHT = encode('wlbuser:geheim')
  const open = async (clock?: AllowanceClock) => {
    const allowance = clock && new GuessAllowance(clock)
    return new Account({
      userName: 'wlbuser',
      passwordHash: await hashPassword('geheim'),
      ...(allowance && { allowance }),
    })
  }

  test('a success is remembered: the next one takes no scrypt, and neither does a wrong one', async () => {
    const account = await open(new FakeClock())
    expect(await account.accepts(RIGHT, '192.0.2.1', present)).toBe(true)
    const started = performance.now()
    for (let count = 0; count < 100; count++) expect(await account.accepts(RIGHT, '192.0.2.1', present)).toBe(true)
    for (let count = 0; count < 100; count++)
      expect(await account.accepts(encode(`wlbuser:${count}`), '192.0.2.1', present)).toBe(false)
    expect(performance.now() - started).toBeLessThan(500)
  })

  // `waits`: how long the right password waits after three wrong ones
  const guessing: [from: string, right: string, before: boolean, waits: number[]][] = [
    ['192.0.2.1', '192.0.2.1', true, []],
    ['2001:db8::1', '2001:db8::2', true, []],
    ['192.0.2.1', '192.0.2.1', false, [400]],
    ['2001:db8::1', '2001:db8::2', false, [400]],
    ['192.0.2.1', '192.0.2.2', false, []],
  ]
  test.each(guessing)(
    'guesses from %s; the right one from %s, seen there before: %s; it waits %j',
    async (from, right, before, waits) => {
      const clock = new FakeClock()
      const account = await open(clock)
      if (before) await account.accepts(RIGHT, right, present)
      for (const wrong of ['a', 'b', 'c'])
        expect(await account.accepts(encode(`wlbuser:${wrong}`), from, present)).toBe(false)
      clock.waits.length = 0
      expect(await account.accepts(RIGHT, right, present)).toBe(true)
      expect(clock.waits).toEqual(waits)
    },
  )

  test('two hundred guesses at once from an address: eight are looked at, and the right one among the rest is not', async () => {
    const account = await open(new FakeClock())
    const guesses = Array.from({ length: 200 }, (_, count) => (count === 100 ? RIGHT : encode(`wlbuser:${count}`)))
    const accepted = await Promise.all(guesses.map((guess) => account.accepts(guess, '192.0.2.1', present)))
    expect(accepted).not.toContain(true)
    expect(await account.accepts(RIGHT, '192.0.2.2', present)).toBe(true)
  })

  test('the same one fifty times at once is one attempt, and all are let in', async () => {
    const clock = new FakeClock()
    const account = await open(clock)
    const all = Array.from({ length: 50 }, () => account.accepts(RIGHT, '192.0.2.1', present))
    expect(new Set(await Promise.all(all))).toEqual(new Set([true]))
    expect(clock.waits).toEqual([])
  })

  test('an attempt whose clients have gone is dropped, and made again by the next one', async () => {
    const account = await open()
    const gone = AbortSignal.abort()
    expect(await account.accepts(RIGHT, '192.0.2.1', gone)).toBe(false)
    expect(await account.accepts(RIGHT, '192.0.2.1', present)).toBe(true)
  })

  test('a new password: what was known of the one before counts no longer', async () => {
    const account = await open()
    await account.accepts(RIGHT, '192.0.2.1', present)
    expect(account.isKnown('192.0.2.1')).toBe(true)
    account.replace({ userName: 'wlbuser', passwordHash: await hashPassword('other') })
    expect(account.isKnown('192.0.2.1')).toBe(false)
    expect(await account.accepts(RIGHT, '192.0.2.1', present)).toBe(false)
    expect(await account.accepts(encode('wlbuser:other'), '192.0.2.1', present)).toBe(true)
  })

  test('no credentials are no guess: refused at once, and nothing is counted', async () => {
    const clock = new FakeClock()
    const account = await open(clock)
    for (const nothing of [undefined, 'Basic', encode('no colon'), undefined])
      expect(await account.accepts(nothing, '192.0.2.1', present)).toBe(false)
    expect(await account.accepts(RIGHT, '192.0.2.1', present)).toBe(true)
    expect(clock.waits).toEqual([])
  })
})

describe('the pause after failures', () => {
  const attempt = (allowance: GuessAllowance, network = '192.0.2.1') => allowance.admit(network, present)

  test('doubles up to three seconds, and ends with a success', async () => {
    const clock = new FakeClock()
    const allowance = new GuessAllowance(clock)
    for (let count = 0; count < 9; count++) await attempt(allowance)
    expect(clock.waits).toEqual([100, 200, 400, 800, 1600, 3000, 3000, 3000])
    allowance.succeeded('192.0.2.1')
    await attempt(allowance)
    expect(clock.waits).toHaveLength(8)
  })

  test('is over after a quiet quarter of an hour', async () => {
    const clock = new FakeClock()
    const allowance = new GuessAllowance(clock)
    for (let count = 0; count < 9; count++) await attempt(allowance)
    clock.ms += 15 * 60_000 + 1
    clock.waits.length = 0
    await attempt(allowance)
    await attempt(allowance)
    expect(clock.waits).toEqual([100])
  })

  test('attempts at once take turns, and too many of them are refused unseen', async () => {
    const clock = new FakeClock()
    const allowance = new GuessAllowance(clock)
    const admitted = Array.from({ length: 10 }, () => attempt(allowance))
    expect(await Promise.all(admitted)).toEqual([...Array(8).fill(true), false, false])
    expect(clock.waits).toEqual([1000, 1000, 100, 200, 400, 800, 1600, 3000, 3000])
  })

  test('an attempt that is given up while it waits costs nothing and makes room', async () => {
    const allowance = new GuessAllowance()
    await attempt(allowance)
    const gone = new AbortController()
    const waiting = Array.from({ length: 8 }, () => allowance.admit('192.0.2.1', gone.signal))
    gone.abort()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([false]))
    expect(await attempt(allowance)).toBe(true)
  })
})

describe('the line of password checks', () => {
  /** Checks that end when told; `began` has their names in order. */
  const busyQueue = () => {
    const queue = new CheckQueue()
    const began: string[] = []
    let end = () => {}
    const ask = (name: string, isPreferred = false, signal = present) =>
      queue.run(
        () => {
          began.push(name)
          return new Promise<string>((resolve) => {
            end = () => resolve(name)
          })
        },
        isPreferred,
        signal,
      )
    const settle = () => new Promise((resolve) => setImmediate(resolve))
    const finish = async () => {
      await settle()
      end()
      await settle()
    }
    return { ask, began, finish }
  }

  test('one at a time, those preferred first', async () => {
    const { ask, began, finish } = busyQueue()
    const all = [ask('first'), ask('second'), ask('pool', true), ask('other pool', true)]
    for (const _ of all) await finish()
    expect(await Promise.all(all)).toEqual(['first', 'second', 'pool', 'other pool'])
    expect(began).toEqual(['first', 'pool', 'other pool', 'second'])
  })

  test('a full line refuses without a check; one preferred takes the last place of another', async () => {
    const { ask, began, finish } = busyQueue()
    const line = Array.from({ length: LINE_LIMIT + 1 }, (_, index) => ask(`guess ${index}`))
    expect(await ask('too many')).toBeUndefined()
    const pool = ask('pool', true)
    expect(await line[LINE_LIMIT]).toBeUndefined()
    for (let count = 0; count <= LINE_LIMIT; count++) await finish()
    expect(await pool).toBe('pool')
    expect(began.slice(0, 2)).toEqual(['guess 0', 'pool'])
    expect(began).toHaveLength(LINE_LIMIT + 1)
  })

  test('whose client has gone is passed over', async () => {
    const { ask, began, finish } = busyQueue()
    const gone = new AbortController()
    const all = [ask('first'), ask('gone', false, gone.signal), ask('third')]
    gone.abort()
    await finish()
    await finish()
    expect(await Promise.all(all)).toEqual(['first', undefined, 'third'])
    expect(began).toEqual(['first', 'third'])
  })
})
