/** The demo's steps about advice: each shows what it promises. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { balancedPool } from '../../src/cli/demo/balance-steps.js'
import type { Stage } from '../../src/cli/demo/stage.js'
import { makeFolder, removeFolder, run } from './program.js'

const folder = makeFolder()
afterAll(() => removeFolder(folder))

test('a pool that is out of balance, the plan, why, and the pool after it', async () => {
  const wlb: Stage['wlb'] = async (...args) => {
    const { exitCode, ...said } = await run('wlb', args, {}, folder)
    return { ...said, exitCode: exitCode ?? 1 }
  }
  let shown = ''
  for (const { title, command, proves, run: perform, show } of balancedPool({ folder, wlb })) {
    const outcome = await perform()
    const lines = outcome.stdout.split('\n').filter((line) => !show || show.some((text) => line.includes(text)))
    shown += `${title}\n$ ${command}\n${lines.join('\n').trimEnd()}\n=> ${proves(outcome) ?? 'FAILED'}\n\n`
  }
  expect(shown).not.toContain('FAILED')
  await expect(shown).toMatchFileSnapshot('golden/balance/demo.txt')
  const places = JSON.parse(readFileSync(join(folder, 'pool-after.json'), 'utf8')).vms.map(
    ({ uuid, host }: { uuid: string; host: string }) => `${uuid} ${host}`,
  )
  expect(places.filter((place: string) => /^db-[12] xs2$/.test(place)).length).toBeLessThan(2)
})
