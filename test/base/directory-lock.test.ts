/** One process owns a directory, and the kernel lets go of it when that process is gone. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { lockDirectory } from '../../src/base/directory-lock.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-lock-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('held once, under whatever name the directory is called; free again after release', async () => {
  const directory = join(folder, 'held')
  mkdirSync(directory)
  symlinkSync(directory, join(folder, 'alias'))
  const lock = await lockDirectory(directory)
  for (const name of [directory, `${directory}/.`, join(folder, 'alias')])
    await expect(lockDirectory(name)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE', facts: { pid: process.pid } })
  await lock.release()
  await (await lockDirectory(directory)).release()
})

test('a killed holder holds nothing', async () => {
  const program = `
    import { lockDirectory } from './src/base/directory-lock.ts'
    await lockDirectory(process.argv[1])
    process.stdout.write('held')
    setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program, folder], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const refused = { code: 'DIRECTORY_IN_USE', facts: { directory: folder, pid: holder.pid } }
  await expect(lockDirectory(folder)).rejects.toMatchObject(refused)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await (await lockDirectory(folder)).release()
})
