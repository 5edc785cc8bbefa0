/** What an authority, an SSH server, SSH settings and certificates say: control bytes, escape sequences, text that turns round, and no end. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../../src/base/error.js'
import { boundedLine } from '../../../src/base/text/printable.js'
import { promptLine } from '../../../src/cli/terminal/ask.js'
import { printError } from '../../../src/cli/terminal/print.js'
import { explainRefusal, readProblem } from '../../../src/identity/index.js'
import { requirePart } from '../../real-parts.js'
import { OWN_ADDRESS } from '../../run-folder.js'
import { makeFolder, removeFolder, run } from '../program.js'
import { atTerminal, EVIL, HIDDEN } from './seen.js'

const LONG = `${EVIL}${'x\u001b[2J\u202e'.repeat(2000)}`
/** Of text for people; the longest thing of ours beside it is a remedy. */
const ENOUGH = 8000

const folder = makeFolder()
afterAll(() => removeFolder(folder))

function check(text: string): void {
  expect(text.replaceAll('\r\n', '\n').replaceAll('\u001b[K', '')).not.toMatch(HIDDEN)
  expect(text).not.toMatch(/^\s*wlb: done/m)
  expect(text).not.toContain('This is a defect in OpenWLB')
  expect(text.length).toBeLessThan(ENOUGH)
}

function printed(error: unknown): { readonly text: string; readonly json: string } {
  let [text, json] = ['', '']
  const to = (add: (piece: string) => void) => ({ write: add })
  printError(
    error,
    'json',
    undefined,
    to((piece) => {
      json += piece
    }),
    to((piece) => {
      text += piece
    }),
  )
  return { text, json }
}

const problems: [type: string, code: string][] = [
  ['userActionRequired', 'ACME_TERMS_NOT_AGREED'],
  ['rateLimited', 'ACME_RATE_LIMITED'],
  ['externalAccountRequired', 'ACME_BINDING_REQUIRED'],
  ['malformed', 'ACME_ORDER_REFUSED'],
  [EVIL, 'ACME_ORDER_REFUSED'],
]
it.each(problems)('an authority that says %j at length', (type, code) => {
  const address = `https://ca.example/${encodeURI('\u202e')}${'y'.repeat(10_000)}?${EVIL.replaceAll('\0', '')}`
  const document = {
    type: `urn:ietf:params:acme:error:${type}`,
    detail: LONG,
    instance: address,
    subproblems: Array(300).fill({ detail: LONG, identifier: { value: LONG } }),
  }
  const headers = { link: `<${address}>;rel="terms-of-service"` }
  const problem = readProblem(403, headers, JSON.stringify(document))
  const error = explainRefusal(new Error(LONG), problem, 'the order', 'https://ca.example/directory')
  expect(error instanceof WlbError && error.code).toBe(code)
  const { text, json } = printed(error)
  check(text.replaceAll(/y{1000,}/g, 'yyy')) // an address that is to be visited is given whole in the command
  expect(json).not.toMatch(HIDDEN)
})

test('an authority whose answer is no problem document', () => {
  check(printed(explainRefusal(new Error(LONG), undefined, 'the order', 'https://ca.example/directory')).text)
})

test('a question, and a text that has no end', () => {
  check(promptLine(`Do you agree to the terms of service at ${LONG}?`))
  expect(promptLine('Install this certificate for wlb?')).toBe('Install this certificate for wlb?')
  expect(boundedLine('abcdef', 4)).toBe('abcd ... (2 characters more)')
})

/** An SSH server that says what it can at every place: before the login, and instead of an answer. */
function startHostileSsh(hostKey: Buffer): InstanceType<typeof ssh2.Server> {
  const words = { banner: LONG, greeting: LONG.slice(0, 2000) }
  return new ssh2.Server({ hostKeys: [hostKey], ...words }, (client) => {
    client.on('error', () => {}) // the other side hangs up where it likes
    client.on('authentication', (login) => (login.username === EVIL_USER ? login.reject() : login.accept()))
    client.on('session', (accept) => {
      accept().on('exec', (start) => {
        const stream = start()
        stream.stderr.write(LONG)
        stream.write(LONG)
        stream.exit(3)
        stream.end()
      })
    })
  })
}

/** As far as one can be typed. */
const EVIL_USER = 'a\u001b[2J\u202eb'

describe.skipIf(requirePart('ssh') === undefined)('wlb trust fetch (needs openssh-client)', () => {
  let server: InstanceType<typeof ssh2.Server>
  let [port, rawPort, fingerprint, key] = [0, 0, '', '']
  let raw: Server
  const home = join(folder, 'home')
  beforeAll(async () => {
    key = join(folder, 'key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key])
    fingerprint = execFileSync('ssh-keygen', ['-lf', `${key}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? ''
    mkdirSync(join(home, '.ssh'), { recursive: true })
    server = startHostileSsh(readFileSync(key))
    await new Promise<void>((resolve) => server.listen(0, OWN_ADDRESS, resolve))
    port = portOf(server)
    raw = createServer((socket) => void socket.on('error', () => {}).end(`SSH-1.0-${LONG}\r\n`))
    await once(raw.listen(0, OWN_ADDRESS), 'listening')
    rawPort = portOf(raw)
  })
  afterAll(() => {
    server?.close()
    raw?.close()
  })

  const rows: [what: string, code: string, settings: () => string, target: () => string][] = [
    ['a banner, and an answer that is none', 'SSH_', () => '', () => `root@${OWN_ADDRESS}:${port}`],
    ['a user who is not let in, if ssh takes the name', 'SSH_', () => '', () => `${EVIL_USER}@${OWN_ADDRESS}:${port}`],
    ['something else than SSH', 'SSH_FAILED', () => '', () => `root@${OWN_ADDRESS}:${rawPort}`],
    ['a HostName', 'SSH_SETTINGS_UNUSABLE', () => `Host lab\n  HostName "${settingOf(LONG)}"\n`, () => 'lab'],
    ['a User', 'SSH_SETTINGS_UNUSABLE', () => `Host lab\n  User "x ${settingOf(LONG)}"\n`, () => 'lab'],
    ['a keyword', 'SSH_SETTINGS_UNUSABLE', () => `Host lab\n  ${settingOf(LONG)} x\n`, () => 'lab'],
    ['a jump', 'SSH_SETTINGS_UNUSABLE', () => `Host lab\n  ProxyJump "${settingOf(EVIL)}"\n`, () => 'lab'],
    ['a ProxyCommand', 'SSH_PROXY_COMMAND', () => `Host lab\n  ProxyCommand ${settingOf(LONG)}\n`, () => 'lab'],
    ['a target that is none', 'USAGE_SSH_TARGET', () => '', () => `root@${EVIL.replaceAll('\0', '')}`],
  ]
  it.each(rows)(
    '%s: %s, and nothing that a terminal obeys',
    { timeout: 30_000 },
    async (_what, code, settings, target) => {
      writeFileSync(join(home, '.ssh/config'), settings(), { mode: 0o600 })
      const words = [
        'trust',
        'fetch',
        target(),
        join(folder, 'wlb.pem'),
        '--ssh-key',
        key,
        '--ssh-fingerprint',
        fingerprint,
      ]
      const env = { HOME: home, XDG_CONFIG_HOME: home, SSH_AUTH_SOCK: '' }
      const { stdout, stderr } = await run('wlb', words, env)
      expect(stderr).toContain(`[${code}`)
      check(`${stdout}${stderr}`)
      check(await atTerminal(words, env))
      const json = await run('wlb', [...words, '--json'], env)
      expect(json.stdout).not.toMatch(HIDDEN)
      expect(JSON.parse(json.stdout).error.code).toContain(code)
    },
  )
})

function portOf(server: { address(): ReturnType<Server['address']> }): number {
  const bound = server.address()
  return typeof bound === 'object' ? (bound?.port ?? 0) : 0
}

/** As one line of a file of settings. */
const settingOf = (text: string) => text.replace(/["'\n\r\0]/g, '')
