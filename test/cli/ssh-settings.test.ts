/** The user's SSH settings, as a person has them: aliases and jump hosts, with real sshds on loopback ports. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { leafFor } from '../trust/managed-appliance.js'
import { type Sshd, startSshd } from '../trust/sshd.js'
import { makeFolder, removeFolder, run } from './program.js'

const program = requirePart('sshd')
const isComplete = program !== undefined && requirePart('ssh') !== undefined

const ME = userInfo().username

let [near, far, closed]: (Sshd | undefined)[] = []
let folder: string
let home: string
let appliance: string
beforeAll(async () => {
  if (program === undefined) return
  ;[near, far, closed] = [
    await startSshd(program),
    await startSshd(program),
    await startSshd(program, [OWN_ADDRESS], ['PermitOpen none']),
  ]
  folder = makeFolder()
  home = join(folder, 'a home')
  appliance = join(folder, 'appliance')
  mkdirSync(join(home, '.ssh'), { recursive: true })
  mkdirSync(join(appliance, 'etc/ssl/certs'), { recursive: true })
  writeFileSync(join(appliance, 'etc/ssl/certs/server.pem'), (await leafFor('old')).certificatePem)
})
afterAll(async () => {
  for (const sshd of [near, far, closed]) await sshd?.stop()
  removeFolder(folder)
})

/** A block of the settings: NAME is this sshd, and its key the one to log in with. */
function host(name: string, sshd: Sshd | undefined, more: readonly string[] = [], user = ME): string {
  const lines = [`HostName ${OWN_ADDRESS}`, `Port ${sshd?.target.port}`, `User ${user}`, `IdentityFile ${sshd?.key}`]
  return `Host ${name}\n${[...lines, ...more].map((line) => `  ${line}\n`).join('')}`
}

/** The sshds that the user's own known_hosts has. */
function know(...sshds: readonly (Sshd | undefined)[]): void {
  const lines = sshds.map((sshd) => `[${OWN_ADDRESS}]:${sshd?.target.port} ${sshd?.hostKeys[0]}\n`)
  writeFileSync(join(home, '.ssh/known_hosts'), lines.join(''))
}

/** What `wlb trust fetch` comes to: the place the certificate is from, or the error with these facts. */
async function fetched(settings: string, target: string, ...more: readonly string[]): Promise<string> {
  writeFileSync(join(home, '.ssh/config'), settings, { mode: 0o600 })
  const file = join(folder, 'wlb.pem')
  rmSync(file, { force: true })
  const where = ['--appliance-root', appliance, '--appliance', `${OWN_ADDRESS}:9`, '--json']
  const words = ['trust', 'fetch', target, file, ...where, ...more]
  const { stdout, stderr } = await run('wlb', words, { HOME: home, SSH_AUTH_SOCK: '', XDG_CONFIG_HOME: home }, folder)
  rmSync(join(home, 'openwlb'), { recursive: true, force: true })
  if (stdout === '') return stderr
  const { error, from } = JSON.parse(stdout)
  if (!error) {
    const isSame = readFileSync(file, 'utf8') === (await leafFor('old')).certificatePem
    return `${isSame ? 'fetched' : 'ANOTHER'} from ${from.replace(/:\/.*/, '')}`
  }
  const { alias, user, through, onTheWayTo, seen } = error.facts
  const facts = Object.entries({ alias, user, through, onTheWayTo, seen })
  return [error.code, ...facts.flatMap(([name, value]) => (value === undefined ? [] : `${name} ${value}`))].join(', ')
}

/** Ports change from run to run. */
const port = (sshd: Sshd | undefined) => String(sshd?.target.port)

const rows: [
  what: string,
  settings: () => string,
  target: string,
  known: () => (Sshd | undefined)[],
  says: () => string,
][] = [
  ['an alias', () => host('lab', near), 'lab', () => [near], () => `fetched from ${ME}@lab:${port(near)}`],
  [
    'a typed user wins',
    () => host('lab', near),
    'nobody@lab',
    () => [near],
    () => 'SSH_AUTH_FAILED, alias lab, user nobody',
  ],
  [
    'a typed user wins over the one of the settings',
    () => host('lab', near, [], 'nobody'),
    `${ME}@lab`,
    () => [near],
    () => `fetched from ${ME}@lab:${port(near)}`,
  ],
  [
    'known hosts of the settings, under a name of the settings',
    () => host('lab', near, ['HostKeyAlias thelab', `UserKnownHostsFile "${join(home, 'their hosts')}"`]),
    'lab',
    () => [],
    () => `fetched from ${ME}@lab:${port(near)}`,
  ],
  [
    'known by another key',
    () => host('lab', near, ['HostKeyAlias changed', `UserKnownHostsFile "${join(home, 'their hosts')}"`]),
    'lab',
    () => [near],
    () => `SSH_HOST_KEY_CHANGED, alias lab, seen ${near?.hostKeys[0]?.split(' ')[0]} ${near?.fingerprint}`,
  ],
  [
    'one jump',
    () => `${host('lab', near, ['ProxyJump hop'])}${host('hop', far)}`,
    'lab',
    () => [near, far],
    () => `fetched from ${ME}@lab:${port(near)}`,
  ],
  [
    'a jump that has a jump',
    () => `${host('lab', near, ['ProxyJump hop'])}${host('hop', far, ['ProxyJump third'])}${host('third', near)}`,
    'lab',
    () => [near, far],
    () => `fetched from ${ME}@lab:${port(near)}`,
  ],
  [
    'several jumps, the last of which lets nothing through',
    () => `${host('lab', near, ['ProxyJump hop,shut'])}${host('hop', far)}${host('shut', closed)}`,
    'lab',
    () => [near, far, closed],
    () => `SSH_JUMP_REFUSED, alias lab, through ${ME}@shut:${port(closed)}`,
  ],
  [
    'a jump nobody knows',
    () => `${host('lab', near, ['ProxyJump hop'])}${host('hop', far)}`,
    'lab',
    () => [near],
    () => `USAGE_NEEDS_JUMP_KEY, onTheWayTo lab (${OWN_ADDRESS}:${port(near)}), seen ssh-ed25519 ${far?.fingerprint}`,
  ],
  [
    'a jump by itself knows nothing of the host behind it',
    () => `${host('lab', near, ['ProxyJump hop'])}${host('hop', far)}`,
    'lab',
    () => [far],
    () => `USAGE_NEEDS_SSH_FINGERPRINT, seen ssh-ed25519 ${near?.fingerprint}`,
  ],
  [
    'ProxyCommand',
    () => host('lab', near, [`ProxyCommand nc ${OWN_ADDRESS} ${port(near)}`]),
    'lab',
    () => [near],
    () => 'SSH_PROXY_COMMAND',
  ],
  [
    'a key with a passphrase is named',
    () => host('lab', near).replace(`${near?.key}`, `${near?.lockedKey}`),
    'lab',
    () => [near],
    () => 'USAGE_NEEDS_SSH_LOGIN',
  ],
]

describe.skipIf(!isComplete)('wlb trust fetch (needs openssh-client, openssh-server)', () => {
  it.each(rows)('%s', async (_what, settings, target, known, says) => {
    const [key] = near?.hostKeys ?? []
    writeFileSync(join(home, 'their hosts'), `thelab ${key}\nchanged ${far?.hostKeys[0]}\n`)
    know(...known())
    expect(await fetched(settings(), target)).toBe(says())
  })

  test('the fingerprint given is that of the host, not of the jump; and a password is not given to a jump', async () => {
    const settings = `${host('lab', near, ['ProxyJump hop'])}${host('hop', far)}`
    know(far)
    expect(await fetched(settings, 'lab', '--ssh-fingerprint', near?.fingerprint ?? '')).toBe(
      `fetched from ${ME}@lab:${port(near)}`,
    )
    know(near)
    expect(await fetched(settings, 'lab', '--ssh-fingerprint', far?.fingerprint ?? '')).toMatch(/^USAGE_NEEDS_JUMP_KEY/)
    know(near, far)
    const passwordFile = join(folder, 'password')
    writeFileSync(passwordFile, 'secret\n', { mode: 0o600 })
    const noKey = `${host('lab', near, ['ProxyJump hop'])}${host('hop', far).replace(/ +IdentityFile.*\n/, '')}`
    expect(await fetched(noKey, 'lab', '--ssh-password-file', passwordFile)).toBe('USAGE_NEEDS_SSH_LOGIN')
  })
})
