/** Folders and files that are whole or not there, and what is in the way of them. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, test } from 'vitest'
import { ensureFolder, replaceFile } from '../../src/base/files/durable-file.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-files-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a folder and those above it get the mode; one that is there keeps its own', async () => {
  await ensureFolder(join(folder, 'a/b/c'), 0o700)
  for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(folder, path)).mode & 0o777).toBe(0o700)
  chmodSync(join(folder, 'a'), 0o755)
  await ensureFolder(join(folder, 'a'), 0o700)
  expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o755)
})

const impossible: [path: string, code: string][] = [
  ['/proc/openwlb/etc', 'FOLDER_IMPOSSIBLE'],
  ['/dev/null/etc', 'ENOTDIR'],
  ['/dev/null', 'EEXIST'],
]
it.each(impossible)('%s: %s', async (path, code) => {
  await expect(ensureFolder(path, 0o700)).rejects.toMatchObject({ code })
})

test('a file is replaced whole, with its mode, and nothing else is left', async () => {
  const path = join(folder, 'file')
  writeFileSync(path, 'before')
  await replaceFile(path, 'after', 0o600)
  expect(readFileSync(path, 'utf8')).toBe('after')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
})

test('where it cannot be replaced, the one before stays', async () => {
  const path = join(folder, 'gone', 'file')
  await expect(replaceFile(path, 'after', 0o600)).rejects.toMatchObject({ code: 'ENOENT' })
  expect(existsSync(path)).toBe(false)
})
