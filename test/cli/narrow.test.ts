/** What a terminal of 60 columns shows: sentences broken at blanks, commands in one piece, nothing cut off. */
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, it, test } from 'vitest'
import { columnsOf, fitText, layOutTable } from '../../src/cli/terminal/narrow.js'
import { makeFolder, removeFolder } from './program.js'
import { wlbAtTerminal } from './terminal.js'

const lines: [what: string, text: string, shown: string][] = [
  ['what fits', 'one two', 'one two'],
  ['a sentence', 'The hosts of this pool agree on it.', 'The hosts of this pool agree\non it.'],
  ['a step', '12. install the root on every host', '12. install the root on every\n    host'],
  ['a fact', 'name:   one of the appliance here', 'name:   one of the appliance\n        here'],
  ['a label that takes the room', 'not in the certificate:  a, b and c', 'not in the certificate:  a, b\n  and c'],
  [
    'a step’s command',
    '    # xe pool-install-ca-certificate filename=a',
    '    # xe pool-install-ca-certificate filename=a',
  ],
  ['what to type', '  try: wlb --root /var/lib/other/root setup', '  try: wlb --root /var/lib/other/root setup'],
  [
    'a command after a sentence',
    'It is a placeholder; for a signed one: wlb cert request --yes',
    'It is a placeholder; for a\nsigned one:\n  wlb cert request --yes',
  ],
  [
    'a command after a sentence and two blanks',
    'Give it to your authority; then  wlb cert install signed.pem',
    'Give it to your authority;\nthen\n  wlb cert install signed.pem',
  ],
  [
    'a command after many',
    'On a host:     wlb lab exec xs1 -- xe pool-list',
    'On a host:     wlb lab exec xs1 -- xe pool-list',
  ],
  [
    'any program to type',
    "   try:  vi '/a folder of   blanks/and more'",
    "   try:  vi '/a folder of   blanks/and more'",
  ],
  ['blanks in a word of a command', "    # rm '/a folder of    many blanks'", "    # rm '/a folder of    many blanks'"],
  [
    'a command that is described',
    'The appliance can be started:  # not a command as it stands, it has: wlb serve',
    'The appliance can be started:\n  # not a command as it stands, it has: wlb serve',
  ],
  ['a term and what it means', '  wlb serve      run the appliance here', '  wlb serve\n      run the appliance here'],
  ['a word without blanks', 'SHA-256:  AA:BB:CC:DD:EE:FF:00:11:22:33:44', 'SHA-256:  AA:BB:CC:DD:EE:FF:00:11:22:33:44'],
]
it.each(lines)('%s: "%s"', (_what, text, shown) => {
  expect(fitText(text, 30)).toBe(shown)
  expect(fitText(text, undefined)).toBe(text)
})

test('no word is lost or changed at any width', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z:.# -]{0,120}$/), fc.integer({ min: 1, max: 90 }), (text, columns) => {
      const fitted = fitText(text, columns)
      const words = (one: string) => one.split(/\s+/).filter(Boolean)
      expect(words(fitted)).toEqual(words(text))
    }),
  )
})

const ROWS = [
  ['xs1', 'coordinator', 'it does not verify the appliance'],
  ['xs2', 'member', 'ok'],
]
const tables: [columns: number | undefined, shown: string][] = [
  [undefined, 'host  role         says\nxs1   coordinator  it does not verify the appliance\nxs2   member       ok'],
  [
    40,
    'host  role         says\nxs1   coordinator  it does not verify\n                   the appliance\nxs2   member       ok',
  ],
  [
    30,
    'host:  xs1\nrole:  coordinator\nsays:  it does not verify the appliance\n\nhost:  xs2\nrole:  member\nsays:  ok',
  ],
]
it.each(tables)('a table at %s columns', (columns, shown) => {
  expect(layOutTable(['host', 'role', 'says'], ROWS, columns)).toBe(shown)
})

it('a file or a pipe has no columns', () => {
  expect([columnsOf({}), columnsOf({ isTTY: true, columns: 60 }), columnsOf({ columns: 60 })]).toEqual([
    undefined,
    60,
    undefined,
  ])
})

const folder = makeFolder()
afterAll(() => removeFolder(folder))
const calls: [name: string, args: string[]][] = [
  ['help', ['--help']],
  ['help-cert-request', ['cert', 'request', '--help']],
  ['help-trust-apply', ['trust', 'apply', '--help']],
  ['jobs', []],
  ['faults', ['lab', 'fault', 'list']],
  ['error', ['cert', 'check', 'nowhere.pem']],
]
it.each(calls)('at 60 columns: %s', async (name, args) => {
  const shown = await wlbAtTerminal(args, { WLB_ROOT: '/nowhere/at/all' }, 60).ended
  await expect(shown).toMatchFileSnapshot(join(import.meta.dirname, `golden/narrow/${name}.txt`))
  const long = shown.split('\n').filter((line) => line.length > 60)
  expect(long.filter((line) => !/\b(wlb|xe) /.test(line))).toEqual([])
})
