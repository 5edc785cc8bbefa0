/**
 * The appliance under attack (docs/security.md). While each attack lasts a pool asks every second from the address that the
 * attack comes from: none of its requests fails or takes over two seconds. Afterwards memory and descriptors come back.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { setUpForTests } from '../server/test-appliance.js'
import { type Attacker, ask, startAttacker, startVictim, steadyPool, type Victim } from './victim.js'

const ATTACK_MS = 5_000
const SLOWEST_MS = 2_000
/** For the end of the process after SIGTERM. */
const LAST_MS = 12_000
const COME_BACK = { timeout: 60_000, interval: 250 }

const root = mkdtempSync(join(tmpdir(), 'openwlb-attack-'))
let victim: Victim
let attacker: Attacker | undefined
beforeAll(() => setUpForTests(root))
afterEach(async () => {
  await attacker?.stop()
  attacker = undefined
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const end = async ({ process: child }: Victim) => {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** What a pool's requests came to while the attack lasted. */
async function underAttack(
  name: string,
): Promise<{ readonly failed: unknown[]; readonly slowestMs: number; readonly count: number }> {
  attacker = await startAttacker(name, victim)
  const pool = steadyPool(victim)
  await new Promise((resolve) => setTimeout(resolve, ATTACK_MS))
  const asked = await pool.stop()
  await attacker.stop()
  attacker = undefined
  const took = asked.filter((one) => typeof one === 'number')
  return { failed: asked.filter((one) => typeof one === 'string'), slowestMs: Math.max(...took), count: asked.length }
}

const ATTACKS = [
  'silent connections',
  'silent connections from many addresses',
  'half a ClientHello',
  'connections that end at once',
  'half-closed connections',
  'handshakes and no request',
  'slow headers',
  'slow bodies',
  'pipelines of 1,000',
  'wrong passwords from one address',
  'wrong passwords from many addresses',
  'headers of 1 MB',
  'endless headers',
  'answers never read',
  'tiny records and renegotiation',
]

interface Usage {
  readonly descriptors: number
  readonly residentMb: number
}

async function warmUp(): Promise<Usage> {
  for (let count = 0; count < 200; count++) await ask(victim)
  return { descriptors: victim.descriptors(), residentMb: victim.residentMb() }
}

/** The database opens a file now and then, and V8 keeps some pages for the next peak. */
async function hasComeBack(before: Usage): Promise<void> {
  await expect.poll(() => victim.descriptors(), COME_BACK).toBeLessThanOrEqual(before.descriptors + 10)
  await expect.poll(() => victim.residentMb(), COME_BACK).toBeLessThan(before.residentMb + 64)
}

describe('with the descriptors a service has', () => {
  let before: Usage
  beforeAll(async () => {
    victim = await startVictim(root)
    before = await warmUp()
  })
  afterAll(() => end(victim))

  test.each(ATTACKS)('%s: the pool is served, and all comes back', { tags: 'long', timeout: 120_000 }, async (name) => {
    const seen = await underAttack(name)
    await hasComeBack(before)
    expect(seen.failed).toEqual([])
    expect(seen.count).toBeGreaterThanOrEqual(3)
    expect(seen.slowestMs).toBeLessThan(SLOWEST_MS)
  })
})

describe('with 256 descriptors', () => {
  beforeAll(async () => {
    victim = await startVictim(root, 256)
  })
  afterAll(() => end(victim))

  const attacks = [
    'silent connections',
    'silent connections from many addresses',
    'handshakes and no request from elsewhere',
  ]
  test.each(attacks)('%s: the pool is served, and all comes back', { tags: 'long', timeout: 120_000 }, async (name) => {
    const before = await warmUp()
    const seen = await underAttack(name)
    await hasComeBack(before)
    expect(seen.failed).toEqual([])
    expect(seen.count).toBeGreaterThanOrEqual(3) // of no request at all the next line would be true
    expect(seen.slowestMs).toBeLessThan(SLOWEST_MS)
  })
})

describe('SIGTERM', () => {
  const attacks = [
    'silent connections',
    'pipelines of 1,000',
    'wrong passwords from many addresses',
    'answers never read',
  ]
  test.each(attacks)(
    'during %s: the process ends within twelve seconds, with 0',
    { tags: 'long', timeout: 60_000 },
    async (name) => {
      victim = await startVictim(root)
      attacker = await startAttacker(name, victim)
      await ask(victim)
      const ended = once(victim.process, 'exit')
      const startedMs = performance.now()
      victim.process.kill('SIGTERM')
      try {
        const [exitCode] = await Promise.race([
          ended,
          new Promise<[string]>((resolve) => setTimeout(resolve, LAST_MS, ['runs'])),
        ])
        expect(exitCode).toBe(0)
        expect(performance.now() - startedMs).toBeLessThan(LAST_MS)
      } finally {
        await end(victim)
      }
    },
  )
})
