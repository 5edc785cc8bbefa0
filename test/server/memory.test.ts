/** The memory of a running appliance stays what it is. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askMany, startVictim, type Victim } from '../attack/victim.js'
import { setUpForTests } from './test-appliance.js'

const root = mkdtempSync(join(tmpdir(), 'openwlb-memory-'))
let victim: Victim
beforeAll(async () => {
  await setUpForTests(root)
  victim = await startVictim(root)
})
afterAll(async () => {
  victim.process.kill('SIGKILL')
  await once(victim.process, 'exit')
  rmSync(root, { recursive: true, force: true })
})

const title = 'a hundred thousand requests leave it within a tenth of what it was after ten thousand'
test(title, { tags: 'long', timeout: 600_000 }, async () => {
  await askMany(victim, 10_000)
  const before = victim.residentMb()
  await askMany(victim, 90_000)
  expect(victim.residentMb()).toBeLessThan(before * 1.1)
})
