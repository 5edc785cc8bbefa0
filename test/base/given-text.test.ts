/** Text that a person gives us: as editors, Windows and shells save it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, test } from 'vitest'
import { decodeText, whyNoText } from '../../src/base/files/given-text.js'
import { readLimitedFile, readLimitedText } from '../../src/base/files/limited-file.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-given-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const little = (text: string) => Buffer.from(text, 'utf16le')
const big = (text: string) => Buffer.from(text, 'utf16le').swap16()
const MARK = '\uFEFF'

const texts: [what: string, bytes: Buffer, text: string][] = [
  ['UTF-8', Buffer.from('grün'), 'grün'],
  ['UTF-8 with a byte order mark', Buffer.from(`${MARK}grün`), 'grün'],
  ['UTF-16, little end first, with a mark', little(`${MARK}grün\r\n`), 'grün\r\n'],
  ['UTF-16, big end first, with a mark', big(`${MARK}grün\n`), 'grün\n'],
  ['UTF-16, little end first, without a mark', little('pw'), 'pw'],
  [
    'UTF-16, big end first, without a mark',
    big('a longer one, of more than sixteen'),
    'a longer one, of more than sixteen',
  ],
  ['nothing', Buffer.alloc(0), ''],
]
it.each(texts)('%s is text', (_what, bytes, text) => {
  expect([decodeText(bytes).text, whyNoText(bytes)]).toEqual([text, undefined])
})

const others: [what: string, bytes: Buffer, why: string][] = [
  ['a NUL byte', Buffer.from('secret\0'), 'holds NUL bytes, which no text has'],
  ['only NUL bytes', Buffer.alloc(64), 'holds NUL bytes, which no text has'],
  ['Latin-1', Buffer.from('grün', 'latin1'), 'is no text in UTF-8 or UTF-16'],
  [
    'UTF-16 with half a character',
    Buffer.concat([little(`${MARK}ab`), Buffer.of(0x41)]),
    'begins as UTF-16 and is damaged',
  ],
]
it.each(others)('%s is none', (_what, bytes, why) => {
  expect(whyNoText(bytes)).toBe(why)
})

const files: [what: string, make: (path: string) => void, outcome: string][] = [
  ['a file', (path) => writeFileSync(path, 'text'), 'text'],
  ['a file at the limit', (path) => writeFileSync(path, 'x'.repeat(100)), 'x'.repeat(100)],
  ['a file over the limit', (path) => writeFileSync(path, 'x'.repeat(101)), 'FILE_TOO_LARGE'],
  ['a folder', (path) => mkdirSync(path), 'PATH_OCCUPIED'],
  ['nothing', () => {}, 'FILE_MISSING'],
  ['bytes', (path) => writeFileSync(path, Buffer.of(0xff, 0x00, 0xff)), 'TEXT_UNREADABLE'],
]
it.each(files)('%s', async (what, make, outcome) => {
  const path = join(folder, what)
  make(path)
  expect(await readLimitedText(path, 100).catch((error) => error.code)).toBe(outcome)
})

test('a device without an end is read up to the limit', async () => {
  await expect(readLimitedFile('/dev/zero', 1000)).rejects.toMatchObject({
    code: 'FILE_TOO_LARGE',
    facts: { bytes: 1001 },
  })
})

test('a pipe is read to its end', async () => {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const reading = readLimitedText(path)
  writeFileSync(path, 'from a pipe')
  expect(await reading).toBe('from a pipe')
})
