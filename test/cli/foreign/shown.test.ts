/** Files and certificates with hostile names and contents, and every command that shows them. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { document } from '../../balance/pools.js'
import { makeFolder, removeFolder } from '../program.js'
import { type Printed, runHere } from '../run-here.js'
import { paste } from './recorders.js'
import { atTerminal, EVIL, HIDDEN, makeEvilCertificate } from './seen.js'

/** As far as a file may be called so. */
const EVIL_NAME = EVIL.replaceAll('\0', '').replaceAll('/', '')
const folder = makeFolder()
const evil = join(folder, EVIL_NAME)
const file = (name: string) => join(evil, `${EVIL_NAME}${name}`)
const root = join(evil, 'root')
const [certificate, key, password] = [file('.pem'), file('.key'), join(folder, 'password')]

beforeAll(async () => {
  mkdirSync(evil)
  writeFileSync(password, 'geheim-und-lang\n', { mode: 0o600 })
  makeEvilCertificate(certificate, key)
  makeEvilCertificate(file('-evil.csr'), file('-evil.key'), 'request')
  writeFileSync(file('.txt'), EVIL)
  writeFileSync(file('.json'), JSON.stringify(hostilePool()))
  writeFileSync(file('-broken.json'), JSON.stringify({ ...hostilePool(), [EVIL]: EVIL }))
})
afterAll(() => removeFolder(folder))

function hostilePool() {
  const busy = { vcpus: 4, demand: { cpu: [3.5, 3, 3.2] } }
  const vms = ['v1', 'v2', 'v3'].map((name) => ({ name: `${name}${EVIL}`, host: 'h2', ...busy }))
  return document([{ name: `1${EVIL}` }, { name: `2${EVIL}` }], vms)
}

const shown: [what: string, args: () => readonly string[]][] = [
  ['cert check', () => ['cert', 'check', certificate, '--name', 'wlb.example.com']],
  ['cert check of another name', () => ['cert', 'check', certificate, '--name', EVIL_NAME]],
  ['cert check of a file that is none', () => ['cert', 'check', file('.txt'), '--name', 'wlb.example.com']],
  ['cert check of nothing', () => ['cert', 'check', file('.none'), '--name', 'wlb.example.com']],
  ['cert check of an address', () => ['cert', 'check', '--connect', EVIL_NAME]],
  ['setup', () => ['setup', '--hostname', 'wlb.example.com', '--password-file', password, '--yes']],
  ['setup with a name that is none', () => ['setup', '--hostname', EVIL_NAME, '--password-file', password, '--yes']],
  ['status', () => ['status']],
  ['account show', () => ['account', 'show']],
  ['cert install, the plan', () => ['cert', 'install', certificate, '--key', key, '--dry-run']],
  ['cert install', () => ['cert', 'install', certificate, '--key', key, '--yes']],
  ['cert install of what is none', () => ['cert', 'install', file('.txt'), '--key', key, '--yes']],
  ['cert install with nobody to ask', () => ['cert', 'install', certificate, '--key', key]],
  ['cert show', () => ['cert', 'show']],
  ['cert history', () => ['cert', 'history']],
  ['cert export', () => ['cert', 'export', '--out', file('-out.pem')]],
  ['cert request', () => ['cert', 'request', '--organization', EVIL_NAME]],
  ['cert request, written', () => ['cert', 'request', '--out', file('.csr')]],
  ['cert rollback', () => ['cert', 'rollback', '--dry-run']],
  ['status of what was installed', () => ['status']],
  ['doctor', () => ['doctor']],
  ['ca create', () => ['ca', 'create', '--dir', file('-ca'), '--name', 'Lab', '--passphrase-file', password, '--yes']],
  ['ca create with a name that is hostile', () => ['ca', 'create', '--dir', file('-ca2'), '--name', EVIL_NAME]],
  ['ca sign', () => ['ca', 'sign', file('.csr'), '--dir', file('-ca'), '--passphrase-file', password, '--yes']],
  [
    'ca sign of a hostile request',
    () => ['ca', 'sign', file('-evil.csr'), '--dir', file('-ca'), '--passphrase-file', password, '--yes'],
  ],
  ['ca list', () => ['ca', 'list', '--dir', file('-ca')]],
  ['ca revoke', () => ['ca', 'revoke', file('.none'), '--dir', file('-ca'), '--passphrase-file', password]],
  ['ca crl', () => ['ca', 'crl', '--dir', file('-ca'), '--passphrase-file', password]],
  ['balance plan', () => ['balance', 'plan', '--pool-file', file('.json'), '--explain']],
  ['balance plan, a stream', () => ['balance', 'plan', '--stream', '--pool-file', file('.json')]],
  ['balance evacuate', () => ['balance', 'evacuate', '--host', 'h2', '--pool-file', file('.json')]],
  ['balance capacity', () => ['balance', 'capacity', '--pool-file', file('.json')]],
  ['balance place', () => ['balance', 'place', '--vm', 'v1', '--pool-file', file('.json')]],
  ['balance of a host that is none', () => ['balance', 'evacuate', '--host', EVIL_NAME, '--pool-file', file('.json')]],
  ['balance of a broken document', () => ['balance', 'plan', '--pool-file', file('-broken.json')]],
  ['balance of no document', () => ['balance', 'plan', '--pool-file', file('.txt')]],
  ['pool forget', () => ['pool', 'forget', EVIL_NAME, '--yes']],
  ['trust plan of files', () => ['trust', 'plan', '--goal', 'ca', certificate, '--pool', EVIL_NAME]],
  ['trust fetch', () => ['trust', 'fetch', `root@${EVIL_NAME}`]],
  ['watch', () => ['watch', '--once', '--mail-to', EVIL_NAME]],
  ['trust status of a fleet', () => ['trust', 'status', '--fleet', file('.txt')]],
  ['a command that is none', () => [EVIL_NAME]],
  ['an option that is none', () => ['status', `--${EVIL_NAME}`]],
  ['lab up', () => ['lab', 'up', '--add-host', `${EVIL_NAME}=127.0.0.1`]],
]
it.each(shown)('%s', { timeout: 60_000 }, async (_, args) => {
  const words = ['--root', root, ...args()]
  check(await runHere(words, folder))
  const json = await runHere([...words, '--json'], folder)
  check(json)
  if (json.stdout !== '' && !words.includes('--stream')) expect(() => JSON.parse(json.stdout)).not.toThrow()
})

const atTerminals = shown.filter(([what]) =>
  /^(cert check|cert install, the plan|status|balance plan|ca list)$/.test(what),
)
it.each(atTerminals)('%s, at a terminal', { timeout: 60_000 }, async (_, args) => {
  const text = await atTerminal(['--root', root, ...args()], { XDG_CONFIG_HOME: join(folder, 'config') })
  check({ stdout: text.replaceAll('\r\n', '\n'), stderr: '' })
})

function check({ stdout, stderr }: Printed): void {
  const text = `${stdout}${stderr}`
  expect(text).not.toMatch(HIDDEN)
  expect(text).not.toMatch(/^\s*wlb: done/m) // no line of its own
  expect(text).not.toContain('This is a defect in OpenWLB')
  // where a command stands in a sentence it is behind two blanks or in a line of its own
  const commands = [...text.matchAll(/(?:^ *(?:try: |# )?|: {2}|; then {2})((?:wlb|xe|cat|openssl|df|ls|mv|#) .*)$/gm)]
  const typed = commands.map(([, command = '']) => command).filter((command) => command.includes('owned'))
  for (const calls of paste(join(folder, 'shell'), typed))
    expect(calls.flat().filter((word) => word === 'touch')).toEqual([])
  expect(readdirSync(folder).filter((name) => name === 'owned')).toEqual([])
}
