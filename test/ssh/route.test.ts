/** Where a target leads by the user's SSH settings, as the system's own `ssh` reads them. Nothing is connected to. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { findRoute, renderSshTarget, type SshStop } from '../../src/ssh/index.js'
import { requirePart } from '../real-parts.js'

const ssh = requirePart('ssh')

let home: string
beforeAll(() => {
  home = join(mkdtempSync(join(tmpdir(), 'openwlb-home-')), 'a home')
  mkdirSync(join(home, '.ssh'), { recursive: true })
})
afterAll(() => rmSync(join(home, '..'), { recursive: true, force: true }))
beforeEach(() => {
  process.env.HOME = home
  process.env.SSH_AUTH_SOCK = '/run/agent'
})

function settings(text: string): void {
  writeFileSync(join(home, '.ssh/config'), text, { mode: 0o600 })
}

/** What to type for it, and where that is. */
function describeStop({ target }: SshStop): string {
  const { host, port, hostKeyAlias } = target
  const key = hostKeyAlias === undefined ? '' : `, key of ${hostKeyAlias}`
  return `${renderSshTarget(target)} at ${host}:${port}${key}`
}

async function route(target: string): Promise<string> {
  try {
    const { jumps, destination } = await findRoute(target)
    return [...jumps, destination].map(describeStop).join(' > ')
  } catch (error) {
    return error instanceof WlbError ? [error.code, error.facts.why].filter(Boolean).join(': ') : String(error)
  }
}

const LAB = 'Host lab\n  HostName 192.0.2.7\n  Port 2222\n  User me\n'
const HOPS = 'Host a\n  HostName 192.0.2.1\n  User anna\nHost b\n  Port 33\n'

const routes: [what: string, config: string, typed: string, leads: string][] = [
  ['no settings', '', 'wlb.example.com', 'root@wlb.example.com at wlb.example.com:22'],
  ['settings of others', LAB, 'admin@wlb:2222', 'admin@wlb:2222 at wlb:2222'],
  ['capitals, no settings', '', 'WLB.example.com', 'root@WLB.example.com at WLB.example.com:22'],
  ['IPv6, no settings', '', '[2001:db8::7]:23', 'root@[2001:db8::7]:23 at 2001:db8::7:23'],
  ['an alias', LAB, 'lab', 'me@lab:2222 at 192.0.2.7:2222'],
  ['a typed user wins', LAB, 'you@lab', 'you@lab:2222 at 192.0.2.7:2222'],
  ['a typed port wins, and 22 is one', LAB, 'lab:22', 'me@lab:22 at 192.0.2.7:22'],
  ['all typed', LAB, 'you@lab:1', 'you@lab:1 at 192.0.2.7:1'],
  ['what an alias is rendered as leads to the same', LAB, 'me@lab:2222', 'me@lab:2222 at 192.0.2.7:2222'],
  ['no user in the settings: root', 'Host lab\n  HostName 192.0.2.7\n', 'lab', 'root@lab:22 at 192.0.2.7:22'],
  ['settings of all hosts', 'Host *\n  User me\n', 'wlb', 'me@wlb at wlb:22'],
  ['a port for a host by its name', 'Host wlb\n  Port 23\n', 'wlb:22', 'root@wlb:22 at wlb:22'],
  ['patterns', 'Host 192.0.2.* !192.0.2.9\n  Port 23\n', '192.0.2.7', 'root@192.0.2.7:23 at 192.0.2.7:23'],
  ['patterns that exclude', 'Host 192.0.2.* !192.0.2.9\n  Port 23\n', '192.0.2.9', 'root@192.0.2.9 at 192.0.2.9:22'],
  ['Match', 'Match host wlb user me\n  Port 23\n', 'me@wlb', 'me@wlb:23 at wlb:23'],
  ['%h', 'Host lab\n  HostName %h.example.com\n', 'lab', 'root@lab:22 at lab.example.com:22'],
  ['a host key alias', 'Host wlb\n  HostKeyAlias thewlb\n', 'wlb', 'root@wlb at wlb:22, key of thewlb'],
  ['a jump', `${HOPS}Host lab\n  ProxyJump a\n`, 'lab', 'anna@a:22 at 192.0.2.1:22 > root@lab:22 at lab:22'],
  [
    'jumps with users and ports',
    `${HOPS}Host lab\n  ProxyJump ina@a:44,[2001:db8::1]:55\n`,
    'lab',
    'ina@a:44 at 192.0.2.1:44 > root@[2001:db8::1]:55 at 2001:db8::1:55 > root@lab:22 at lab:22',
  ],
  [
    'the first jump is reached by a jump of its own, the second only from the first',
    `${HOPS}Host lab\n  ProxyJump a,b\nHost a\n  ProxyJump c\nHost b\n  ProxyJump d\n`,
    'lab',
    'root@c at c:22 > anna@a:22 at 192.0.2.1:22 > root@b:33 at b:33 > root@lab:22 at lab:22',
  ],
  ['ProxyJump none', 'Host lab\n  ProxyJump none\nHost *\n  ProxyJump a\n', 'lab', 'root@lab at lab:22'],
  ['a circle', 'Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n', 'a', 'SSH_JUMPS_TOO_MANY'],
  ['nine jumps', 'Host lab\n  ProxyJump a,a,a,a,a,a,a,a,a\n', 'lab', 'SSH_JUMPS_TOO_MANY'],
  ['ProxyCommand', 'Host lab\n  ProxyCommand nc %h %p\n', 'lab', 'SSH_PROXY_COMMAND'],
  ['ProxyCommand with what ends lines elsewhere', 'Host lab\n  ProxyCommand nc\u2028%h\n', 'lab', 'SSH_PROXY_COMMAND'],
  ['ProxyCommand of a jump', 'Host lab\n  ProxyJump a\nHost a\n  ProxyCommand x\n', 'lab', 'SSH_PROXY_COMMAND'],
  ['ProxyCommand none', 'Host lab\n  ProxyCommand none\n', 'lab', 'root@lab at lab:22'],
  [
    'a host name that is none',
    'Host lab\n  HostName "a;b"\n',
    'lab',
    'SSH_SETTINGS_UNUSABLE: HostName is no host name or address: a;b',
  ],
  [
    'a user with a control byte, as of an escape sequence',
    'Host lab\n  User "a b\u001b[31m"\n',
    'lab',
    'SSH_SETTINGS_UNUSABLE: User is no name of a user: a b [31m',
  ],
  [
    'a user that looks like an option',
    'Host lab\n  User -oX\n',
    'lab',
    'SSH_SETTINGS_UNUSABLE: User is no name of a user: -oX',
  ],
  ['not of the form', LAB, 'a b', 'USAGE_SSH_TARGET'],
  ['an option', LAB, '-oProxyCommand=x', 'USAGE_SSH_TARGET'],
]

describe.skipIf(ssh === undefined)('by the settings (needs openssh-client)', () => {
  it.each(routes)('%s', async (_what, config, typed, leads) => {
    settings(config)
    expect(await route(typed)).toBe(leads)
    // a journal keeps what is rendered, and that has to lead to the same place
    const rendered = leads.split(' > ').at(-1)?.split(' at ')[0] ?? ''
    if (leads.includes(' at ')) expect(await route(rendered)).toBe(leads)
  })

  test('a mistake in the settings: what ssh says of it', async () => {
    settings('Host lab\n  Nonsense yes\n')
    expect(await route('lab')).toMatch(/^SSH_SETTINGS_UNUSABLE: .*config: line 2: Bad configuration option: nonsense/)
  })

  test('a file that others may write: refused, as by ssh', async () => {
    settings(LAB)
    chmodSync(join(home, '.ssh/config'), 0o666)
    expect(await route('lab')).toMatch(/^SSH_SETTINGS_UNUSABLE: Bad owner or permissions on/)
    chmodSync(join(home, '.ssh/config'), 0o600)
  })

  test('more than is read', async () => {
    const variables = Array.from({ length: 300 }, (_, at) => `  SetEnv A${at}=${'x'.repeat(1000)}\n`)
    settings(`Host lab\n  SetEnv ${variables.join(' ').replace(/\s+SetEnv/g, '')}`)
    expect(await route('lab')).toBe('SSH_SETTINGS_UNUSABLE: ssh -G said more than 262144 bytes')
  })

  test('a command of Match exec that does not end is ended', { tags: 'long', timeout: 30_000 }, async () => {
    settings('Match exec "sleep 77.25"\n  Port 1\n')
    expect(await route('lab')).toBe('SSH_SETTINGS_UNUSABLE: ssh -G was not done after 10000 ms')
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain('sleep 77.25')
  })

  test('keys, agent and known hosts', async () => {
    settings(
      [
        'Host lab',
        '  HostName 192.0.2.7',
        '  IdentityFile ~/.ssh/id_%n_%h',
        '  IdentityFile "/a key/%C"',
        '  IdentityFile /plain',
        '  IdentitiesOnly yes',
        '  IdentityAgent ~/agent.sock',
        '  UserKnownHostsFile ~/.ssh/hosts "/a b/hosts"',
      ].join('\n'),
    )
    expect((await findRoute('lab')).destination).toMatchObject({
      keyFiles: [join(home, '.ssh/id_lab_192.0.2.7'), '/plain'],
      prefersKeyFiles: true,
      agent: join(home, 'agent.sock'),
      knownHosts: [join(home, '.ssh/hosts'), '/a b/hosts'],
    })
  })

  const agents: [setting: string, socket: string | undefined][] = [
    ['', '/run/agent'],
    ['IdentityAgent none', undefined],
    ['IdentityAgent SSH_AUTH_SOCK', '/run/agent'],
    ['IdentityAgent $OTHER', '/run/other'],
    ['IdentityAgent /run/third', '/run/third'],
  ]
  it.each(agents)('agent, "%s": %s', async (setting, socket) => {
    process.env.OTHER = '/run/other'
    settings(`Host lab\n  ${setting}\n`)
    expect((await findRoute('lab')).destination.agent).toBe(socket)
  })
})

test('without ssh: what was typed, root and 22', async () => {
  settings(LAB)
  process.env.PATH = '/nonexistent'
  expect([await route('lab'), await route('me@lab:23')]).toEqual(['root@lab at lab:22', 'me@lab:23 at lab:23'])
})
