/** What completion offers on a line of `wlb`: the command line's own table, and what this machine knows. */
import { Argument, Command, Option } from '@commander-js/extra-typings'
import { describe, expect, it, test } from 'vitest'
import { commandLine } from '../../../src/cli/command-line.js'
import type { Answer } from '../../../src/cli/completion/answer.js'
import { matching, NOTHING } from '../../../src/cli/completion/answer.js'
import { completeWlb, type LiveValues } from '../../../src/cli/completion/wlb-words.js'

const KNOWN: Record<string, string[]> = {
  ROW: ['22'],
  WHAT: ['stop', 'start'],
  '--pool': ['lab', 'office'],
  HOST: ['xs1', 'xs2'],
}
const live: LiveValues = (standsFor, { root }) =>
  KNOWN[standsFor] && Promise.resolve(KNOWN[standsFor].map((word) => ({ word: root ? `${word}-of-${root}` : word })))

async function offered(line: string, program = commandLine()): Promise<string> {
  const onHost = async (host: string, words: readonly string[]): Promise<Answer> =>
    matching([{ word: `on ${host}: ${words.join(' ')}` }], '')
  const answer = await completeWlb(program, line.split(' ').slice(1), live, onHost)
  if (answer.kind === 'files') return `${answer.only} behind "${answer.head}"`
  return answer.candidates.map(({ word }) => word).join(' ')
}

const LINES: [line: string, offered: string][] = [
  ['wlb ce', 'cert'],
  ['wlb lab ', 'up status down exec break vms load top fault help'],
  ['wlb cert install ', 'any behind ""'],
  ['wlb cert install a.pem ', 'any behind ""'],
  ['wlb cert install --k', '--key'],
  ['wlb cert install --key ', 'any behind ""'],
  ['wlb cert install --key=', 'any behind "--key="'],
  ['wlb cert install --name ', ''],
  ['wlb cert check --trust a.pem ', 'any behind ""'],
  ['wlb cert check --trust a.pem --as', '--as-pool --as-browser'],
  ['wlb cert show ', '--json --root --help'],
  ['wlb cert show --json ', '--root --help'],
  ['wlb cert self-signed --key-bits ', '2048 3072 4096'],
  ['wlb cert self-signed --key-bits=3', '--key-bits=3072'],
  ['wlb ca revoke --reason key', 'keyCompromise'],
  ['wlb ca revoke ', 'any behind ""'],
  ['wlb ca sign --san x --al', '--allow'],
  ['wlb --root ', 'folders behind ""'],
  ['wlb --root /x cert show --j', '--json'],
  ['wlb trust status --pool ', 'lab office'],
  ['wlb trust status --pool=o', '--pool=office'],
  ['wlb lab exec ', 'xs1 xs2'],
  ['wlb --root /x lab exec xs1', 'xs1-of-/x'],
  ['wlb lab exec --root=/y xs2', 'xs2-of-/y'],
  ['wlb lab exec xs1 -- xe pool-', 'on xs1: -- xe pool-'],
  ['wlb lab exec xs1 xe -s', 'on xs1: xe -s'],
  ['wlb lab break ', 'stop start'],
  ['wlb lab break stop ', 'xs1 xs2'],
  ['wlb lab fault ', 'inject clear list help'],
  ['wlb lab fault stop ', 'xs1 xs2'],
  ['wlb lab fault inject ', '22'],
  ['wlb trust plan --goal ', 'self-signed ca'],
  ['wlb completion ', 'bash zsh fish'],
  ['wlb completion zsh ', '--help'],
  ['wlb nonsense ', ''],
  ['wlb help la', 'lab'],
  ['wlb lab help ex', 'exec'],
]
it.each(LINES)('%s', async (line, expected) => {
  expect(await offered(line)).toBe(expected)
})

describe('words that come later are offered without a line of code', () => {
  const program = new Command('wlb')
  program
    .command('trust')
    .addArgument(new Argument('<COLOUR>').choices(['red', 'rose']))
    .addOption(new Option('--goal <GOAL>').choices(['self-signed', 'ca']))
    .addOption(new Option('--secret <X>').hideHelp())
  test.each([
    ['wlb trust --goal ', 'self-signed ca'],
    ['wlb trust r', 'red rose'],
    ['wlb trust --', '--goal --help'],
    ['wlb trust -- --', ''],
  ])('%s', async (line, expected) => {
    expect(await offered(line, program)).toBe(expected)
  })
})

test('nothing with a control character in it reaches the terminal', () => {
  expect(matching([{ word: 'a\u001b[2J' }, { word: 'b', meaning: 'x\u0007y' }], '')).toEqual({
    kind: 'words',
    candidates: [{ word: 'b', meaning: 'x y' }],
  })
  expect(NOTHING).toEqual({ kind: 'words', candidates: [] })
})
