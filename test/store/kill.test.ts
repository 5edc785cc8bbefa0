/** What has been acknowledged survives kill -9 of the process that owns the embedded database. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, test } from 'vitest'
import { paths } from '../../src/config/index.js'
import { openStore } from '../../src/store/index.js'
import { placeDatabase } from '../empty-database.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const POOL = '0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10'

/** Lets the writer acknowledge `writes` changes and kills it in the middle of what it does next. */
async function writeAndKill(directory: string, from: number, writes: number): Promise<number> {
  const writer = spawn(
    process.execPath,
    ['--liftoff-only', '--import', 'tsx', join(import.meta.dirname, 'writer.ts'), directory, POOL, String(from)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let acknowledged = -1
  for await (const line of createInterface({ input: writer.stdout })) {
    acknowledged = Number(line)
    if (acknowledged === from + writes) writer.kill('SIGKILL')
  }
  if (writer.signalCode === null && writer.exitCode === null) await once(writer, 'exit')
  return acknowledged
}

const rounds: [title: string, writes: number[], options: { tags: string[]; timeout: number }][] = [
  ['once', [40], { tags: [], timeout: 60_000 }],
  ['five times over', [3, 40, 1, 17, 90], { tags: ['long'], timeout: 120_000 }],
]
describe.each(rounds)('kill -9 in the middle of writing, %s', (title, writesOfRound, options) => {
  test('nothing acknowledged is lost', options, async () => {
    const root = join(folder, title)
    placeDatabase(root)
    const directory = paths(root).database
    let next = 0
    for (const writes of writesOfRound) {
      const acknowledged = await writeAndKill(directory, next, writes)
      expect(acknowledged).toBeGreaterThanOrEqual(next + writes)

      const store = await openStore({ kind: 'embedded', directory })
      const count = Number((await store.pools.readConfiguration(POOL))?.get('count'))
      const pool = await store.pools.find(POOL)
      await store.close()
      expect(count).toBeGreaterThanOrEqual(acknowledged)
      expect(Number(Buffer.from(pool!.sealedPassword).toString())).toBeGreaterThanOrEqual(count)
      next = count + 1
    }
  })
})

test('what a killed creation left behind is cleared away', { tags: 'long' }, async () => {
  const directory = join(folder, 'half')
  mkdirSync(`${directory}.making`)
  writeFileSync(join(`${directory}.making`, 'PG_VERSION'), '18')
  await (await openStore({ kind: 'embedded', directory })).close()
  expect(existsSync(`${directory}.making`)).toBe(false)
})

test('a folder that is something else is refused and left alone', async () => {
  const directory = join(folder, 'else')
  mkdirSync(directory)
  writeFileSync(join(directory, 'letters.txt'), 'keep me')
  await expect(openStore({ kind: 'embedded', directory })).rejects.toMatchObject({ code: 'DATABASE_UNUSABLE' })
  expect(existsSync(join(directory, 'letters.txt'))).toBe(true)
  expect(existsSync(`${directory}.making`)).toBe(false)
})
