/** Commands print through cli/terminal/print.ts, where foreign text is made safe to show; a remedy is a template that quotes its values. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const src = join(import.meta.dirname, '../../src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
const read = (path: string) => readFileSync(join(src, path), 'utf8')

test('nobody else of wlb writes to the terminal', () => {
  const writers = files.filter((path) => /\bstd(out|err)\.write\(|console\./.test(read(path)))
  const ofWlb = writers.filter((path) => path.startsWith('cli/') && !/^cli\/(xe\b|completion\/)/.test(path))
  expect(ofWlb.sort()).toEqual([
    'cli/balance/simulate-progress.ts', // one line that is overwritten
    'cli/balance/stream.ts', // JSON, a document a line
    'cli/cert/export.ts', // the certificate, byte for byte
    'cli/command-line.ts', // the completion scripts
    'cli/doctor/progress.ts', // one line that is overwritten
    'cli/lab/top.ts', // a screen that is drawn again
    'cli/terminal/print.ts', // the door
    'cli/wlb.ts', // the program could not be loaded
  ])
})

test('a remedy that names a fact is a shell`…` template', () => {
  const odd = files
    .filter((path) => path.endsWith('/errors.ts'))
    .flatMap((path) => read(path).split('\n'))
    .filter((line) => /remedy: \(.*=>.*(?<!shell)`[^`]*\$\{(?!command\}|\w+_OPTIONS|FLAGS|kind ===|INSTALL)/.test(line))
  expect(odd).toEqual([])
})

test('a question with a value in it goes through promptLine', () => {
  const asking = files.filter((path) => path.startsWith('cli/') && /@clack\/prompts/.test(read(path)))
  const odd = asking.flatMap((path) => read(path).split('\n')).filter((line) => /\bmessage: `[^`]*\$\{/.test(line))
  expect(asking.length).toBeGreaterThan(3)
  expect(odd).toEqual([])
})
