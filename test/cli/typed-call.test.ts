/** Commands that are printed repeat what was typed, where they would be about nothing, or about another pool, without it. */
import { join } from 'node:path'
import { afterAll, expect, it, test } from 'vitest'
import { commandLine } from '../../src/cli/command-line.js'
import { type Memory, repeatTyped, typedCall } from '../../src/cli/terminal/typed-call.js'
import { makeFolder, removeFolder, run } from './program.js'

const callOf = (typed: string) => typedCall(typed.split(' '), commandLine())

it('a call is taken apart as the command line does', () => {
  expect(callOf('--root /r trust apply --goal=ca root.pem --pool lab --pool-insecure -- odd')).toEqual({
    command: 'trust apply',
    operands: ['root.pem', 'odd'],
    options: [['--root', '/r'], ['--goal', 'ca'], ['--pool', 'lab'], ['--pool-insecure']],
  })
})

const HERE = '--pool https://192.0.2.1 --password-file pw --pool-insecure'
const UNKNOWN = { unknownName: 'my lab' }
const cases: [typed: string, remedy: string, memory: Memory, printed: string][] = [
  [`trust status ${HERE}`, 'wlb trust status', {}, `wlb trust status ${HERE}`],
  [
    'trust status --pool https://192.0.2.1',
    'wlb trust status --password-file FILE',
    {},
    'wlb trust status --pool https://192.0.2.1 --password-file FILE',
  ],
  [`doctor ${HERE}`, "wlb trust apply --goal ca --pool 'my lab'", UNKNOWN, `wlb trust apply ${HERE} --goal ca`],
  [`doctor ${HERE} --html x.html`, "scp a b; wlb doctor --pool 'my lab'", UNKNOWN, `scp a b; wlb doctor ${HERE}`],
  [`doctor ${HERE}`, 'wlb trust status --pool NAME --host-ssh root', {}, `wlb trust status ${HERE} --host-ssh root`],
  [
    `trust plan ${HERE} --pool-fingerprint AA`,
    'wlb trust status --pool https://192.0.2.9:443',
    {},
    'wlb trust status --password-file pw --pool-insecure --pool https://192.0.2.9:443',
  ],
  [
    'trust apply --goal ca a.pem --crl c --pool lab --yes',
    'wlb trust apply --allow-down',
    {},
    'wlb trust apply a.pem --goal ca --crl c --pool lab --allow-down',
  ],
  [
    'trust plan --goal ca a.pem --pool lab',
    'wlb trust apply --crl FILE',
    {},
    'wlb trust apply a.pem --goal ca --pool lab --crl FILE',
  ],
  [
    'trust apply --goal ca a.pem --pool lab --wlb-password-file w',
    'wlb trust apply --resume',
    {},
    'wlb trust apply --pool lab --wlb-password-file w --resume',
  ],
  [
    'trust apply --goal ca a.pem --pool lab --wlb-password-file w',
    'wlb trust undo',
    {},
    'wlb trust undo --pool lab --wlb-password-file w',
  ],
  [
    'trust apply --goal ca a.pem --pool lab',
    'wlb trust plan --goal self-signed',
    {},
    'wlb trust plan --pool lab --goal self-signed',
  ],
  [
    `trust plan --goal ca a.pem ${HERE}`,
    'wlb trust apply',
    { isRemembered: true },
    'wlb trust apply a.pem --goal ca --pool https://192.0.2.1',
  ],
  [
    'trust renew a.pem --key k --pool lab',
    'wlb trust renew',
    { isResumed: true, isRemembered: true },
    'wlb trust renew --pool lab',
  ],
  [
    'trust renew a.pem --key k --ssh a@b --manage --pool lab',
    'wlb trust renew',
    {},
    'wlb trust renew a.pem --key k --ssh a@b --manage --pool lab',
  ],
  ['trust status --pool lab', 'wlb trust status --help', {}, 'wlb trust status --help'],
  ['trust status --pool lab', 'wlb cert request', {}, 'wlb cert request'],
  ['trust status', 'wlb trust status --pool https://ADDRESS', {}, 'wlb trust status --pool https://ADDRESS'],
  ["trust status --pool a;b'c", 'wlb trust undo', {}, "wlb trust undo --pool 'a;b'\\''c'"],
]
it.each(cases)('wlb %s says %s (%j): %s', (typed, remedy, memory, printed) => {
  expect(repeatTyped(remedy, callOf(typed), memory)).toBe(printed)
})

const wrong: [typed: string, said: string][] = [
  ['pool forget', "error: missing required argument 'UUID'\n  try: wlb pool forget --help\n"],
  ['trust frobnicate', "error: unknown command 'frobnicate'\n  try: wlb trust --help\n"],
  ['--frobnicate', "error: unknown option '--frobnicate'\n  try: wlb --help\n"],
]
it.each(wrong)('a wrong call names the help of its command: wlb %s', async (typed, said) => {
  expect(await run('wlb', typed.split(' '))).toMatchObject({ exitCode: 2, stderr: said })
})
it('a group alone shows its help once', async () => {
  expect((await run('wlb', ['balance'])).stderr).not.toContain('try:')
})

const folder = makeFolder()
afterAll(() => removeFolder(folder))
test('the remedy of an error about a pool names the pool, in text and as JSON', async () => {
  const words = ['trust', 'status', '--pool', 'https://127.0.0.1:1', '--json']
  const { stdout, stderr, exitCode } = await run('wlb', words, { XDG_CONFIG_HOME: join(folder, 'config') })
  const remedy = 'wlb trust status --pool https://127.0.0.1:1 --password-file FILE'
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`try: ${remedy}\n`)])
  expect(JSON.parse(stdout).error).toMatchObject({ code: 'USAGE_NEEDS_PASSWORD_FILE', remedy })
})
