/** Remedies with odd words in every place where a fact stands: pasted into a shell, each does what it does with plain words. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ERROR_TABLES } from '../../../scripts/reference-page.js'
import type { ErrorRow } from '../../../src/base/error.js'
import { visibleCommand } from '../../../src/base/text/printable.js'
import { shell } from '../../../src/base/text/quote-word.js'
import { type Call, ODD_WORDS, paste, sorted, UNSEEN_WORDS } from './recorders.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-remedies-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Remedy = Exclude<ErrorRow['remedy'], string>
const rows = ERROR_TABLES.flatMap((table) => Object.entries(table)).flatMap(
  ([code, { facts, remedy }]): [code: string, facts: readonly string[], remedy: Remedy][] =>
    typeof remedy === 'string' ? [] : [[code, facts.map((name) => name.replace(/[?*]$|[()]/g, '')), remedy]],
)

/** A word that stands for the one in question; its letters are in no command of ours. */
const MARK = 'QZQ'

/** Facts that are whole commands, which whoever raises the error quotes; the remedy begins with them. */
const isCommand = (remedy: Remedy, name: string) => remedy({ ...factsFor([name], MARK), [name]: MARK }).startsWith(MARK)
const factsFor = (names: readonly string[], word: string) => Object.fromEntries(names.map((name) => [name, word]))
const factsOf = (remedy: Remedy, names: readonly string[], word: string) =>
  Object.fromEntries(names.map((name) => [name, isCommand(remedy, name) ? shell`wlb cert show ${word}` : word]))

/** An odd word is no address, so these name none, or another way. */
const DESCRIBED: Readonly<Record<string, string>> = {
  POOL_MEMBER_GIVEN: 'wlb trust status --pool https://COORDINATOR',
}

it('there are remedies to be tried', () => expect(rows.length).toBeGreaterThan(40))

it.each(rows)('%s', (code, names, remedy) => {
  const [plain = []] = paste(folder, [remedy(factsOf(remedy, names, MARK))])
  const words = ODD_WORDS.filter((word) => remedy(factsOf(remedy, names, word)) !== DESCRIBED[code])
  const commands = words.map((word) => remedy(factsOf(remedy, names, word)))
  expect(commands.map(visibleCommand)).toEqual(commands)
  expect(paste(folder, commands)).toEqual(words.map((word) => withWord(plain, word)))
})

it.each(rows)('%s, with what cannot be typed', (code, names, remedy) => {
  const shown = UNSEEN_WORDS.map((word) => visibleCommand(remedy(factsOf(remedy, names, word))))
  expect(shown.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  if (!remedy(factsOf(remedy, names, MARK)).includes(MARK) || shown.includes(DESCRIBED[code] ?? MARK)) return
  expect(paste(folder, shown)).toEqual(UNSEEN_WORDS.map(() => []))
})

function withWord(calls: readonly Call[], word: string): readonly Call[] {
  return sorted(calls.map((call) => call.map((part) => part.replaceAll(MARK, () => word))))
}
