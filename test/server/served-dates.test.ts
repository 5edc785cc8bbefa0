/** A certificate that is served out of its dates: the log says so, by the clock of the appliance; `wlb status` and `wlb cert show` too. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Clock } from '../../src/base/clock.js'
import { openLog, paths } from '../../src/config/index.js'
import { type RunningAppliance, serve } from '../../src/server/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { run } from '../cli/program.js'
import { configureOnly, HOSTNAME, setUpForTests } from './test-appliance.js'

const DAY_MS = 86_400_000
const folder = mkdtempSync(join(tmpdir(), 'openwlb-dates-'))
const logged: string[] = []
let appliance: RunningAppliance | undefined

/** Stands where it is set; what is to be done in 15 seconds is done on `tick`. */
let nowMs = Date.now() - 2 * DAY_MS
const waiting = new Set<() => void>()
const clock: Clock = {
  now: () => new Date(nowMs),
  schedule: (work, delayMs) => {
    if (delayMs === 15_000) waiting.add(work)
    return () => waiting.delete(work)
  },
}
function tick(): void {
  for (const work of [...waiting]) {
    waiting.delete(work)
    work()
  }
}

beforeAll(async () => {
  const root = join(folder, 'served')
  await setUpForTests(root)
  appliance = await serve({ root, clock, log: openLog({ write: (line) => void logged.push(line) }) })
})
afterAll(async () => {
  await appliance?.close()
  expect(waiting.size).toBe(0)
  rmSync(folder, { recursive: true })
})

const EARLY = 'the certificate is not valid yet; is the clock right?'
const LATE = 'the certificate has expired'
const AGAIN = 'the certificate is in its dates again'
const NEVER_MS = 100 * 365 * DAY_MS
const steps: [what: string, aheadMs: number, act: 'start' | 'tick' | 'reload', said: string][] = [
  ['the start, with a clock that is two days behind', -2 * DAY_MS, 'start', EARLY],
  ['a while later', -1.9 * DAY_MS, 'tick', ''],
  ['a reload', -1.8 * DAY_MS, 'reload', EARLY],
  ['the clock is set', DAY_MS, 'tick', AGAIN],
  ['a reload, all well', DAY_MS, 'reload', ''],
  ['it ends', NEVER_MS, 'tick', LATE],
  ['a reload', NEVER_MS, 'reload', LATE],
  ['the clock jumps back beyond its beginning', -1.5 * DAY_MS, 'tick', EARLY],
]

test.each(steps)('%s (%d ms from now, %s): "%s"', async (_what, aheadMs, act, said) => {
  nowMs = Date.now() + aheadMs
  const before = act === 'start' ? 0 : logged.length
  if (act === 'tick') tick()
  if (act === 'reload') await appliance?.reload()
  const lines = logged.slice(before).map((line): { msg: string; notBefore?: string } => JSON.parse(line))
  const ofDates = lines.filter(({ msg }) => /certificate (is|has)/.test(msg))
  expect(ofDates.map(({ msg }) => msg).join('; ')).toBe(said)
  for (const line of ofDates) expect(line).toMatchObject({ notBefore: expect.any(String), now: expect.any(String) })
})

const shown: [what: string, madeMs: number, label: RegExp][] = [
  ['not yet valid', Date.now() + 5 * DAY_MS, /^NOT YET VALID: +CN=.*, before 20.*; here it is 20/m],
  ['expired', Date.now() - NEVER_MS / 2, /^EXPIRED: +CN=.*, on .*: pools that verify refuse it$/m],
]
test.each(shown)('status and cert show of one that is %s', async (what, madeMs, label) => {
  const root = join(folder, what.replaceAll(' ', '-'))
  await configureOnly(root)
  const identity = await createSelfSigned({ hostname: HOSTNAME, addresses: [], now: new Date(madeMs) })
  const { certificate, key, certificateFolder } = paths(root)
  mkdirSync(certificateFolder, { recursive: true })
  writeFileSync(certificate, identity.certificatePem)
  writeFileSync(key, identity.privateKeyPem, { mode: 0o600 })
  for (const words of [['status'], ['cert', 'show']]) {
    expect((await run('wlb', ['--root', root, ...words])).stdout).toMatch(label)
  }
})
