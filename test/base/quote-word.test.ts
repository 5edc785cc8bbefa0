/** Words in commands that are shown: real shells read back exactly the words that went in, and do nothing else. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, it, test } from 'vitest'
import { quoteWord, shell } from '../../src/base/text/quote-word.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-words-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SHELLS = ['sh', 'bash']

/** What a program is given that stands before these words. */
function wordsIn(program: string, commandLine: string): string[] {
  const script = `printf '%s\\0' ${commandLine}`
  const env = { ...process.env, HOME: '/home/other', FOO: 'bar' }
  const text = execFileSync(program, ['-c', script], { cwd: folder, env, encoding: 'utf8' })
  return text.split('\0').slice(0, -1)
}

const quoted: [word: string, as: string][] = [
  ['xs1.example.com:443', 'xs1.example.com:443'],
  ['/etc/ssl/certs/server.pem', '/etc/ssl/certs/server.pem'],
  ['', "''"],
  ['a b', "'a b'"],
  ["it's", "'it'\\''s'"],
  ['~', "'~'"],
  ['~root/x', "'~root/x'"],
  ['!!', "'!!'"],
  ['$(touch x)', "'$(touch x)'"],
  ['`touch x`', "'`touch x`'"],
  ['a;touch x', "'a;touch x'"],
  ['*', "'*'"],
  ['[::1]:8012', "'[::1]:8012'"],
  ['#no', "'#no'"],
  ['Müller', "'Müller'"],
]
it.each(quoted)('%s: %s', (word, as) => {
  expect(quoteWord(word)).toBe(as)
  for (const program of SHELLS) expect(wordsIn(program, as)).toEqual([word])
})

const commands: [what: string, command: string, words: string[]][] = [
  ['a plain word', shell`ls -l ${'/a'}`, ['ls', '-l', '/a']],
  ['a part of a word', shell`xe x uuid=${'a;b'} y=${"c'd"}.pem`, ['xe', 'x', 'uuid=a;b', "y=c'd.pem"]],
  ['an address', shell`wlb --pool https://${"x';touch y;'"}:443`, ['wlb', '--pool', "https://x';touch y;':443"]],
  ['a file like an option', shell`ls -l ${'-rf'}`, ['ls', '-l', './-rf']],
  ['a part like one', shell`xe name=${'-a'}`, ['xe', 'name=-a']],
  ['nothing', shell`ls ${''} ${'x'}`, ['ls', '', 'x']],
  ['a number', shell`nc -vz ${'h'} ${8012}`, ['nc', '-vz', 'h', '8012']],
]
it.each(commands)('a command with %s', (_, command, words) => {
  for (const program of SHELLS) expect(wordsIn(program, command)).toEqual(words)
})

test('any words at all, and nothing is done beside', () => {
  const word = fc.string({ unit: fc.constantFrom(...` '"\\$\`;&|<>(){}[]*?~!#=-\n\té🙂ax/:`) })
  fc.assert(
    fc.property(fc.array(word, { minLength: 20, maxLength: 20 }), (words) => {
      for (const program of SHELLS) expect(wordsIn(program, words.map(quoteWord).join(' '))).toEqual(words)
    }),
    { numRuns: 30 },
  )
  expect(readdirSync(folder)).toEqual([])
})
