/** SSH to a real sshd: who is let in, whom we believe, what a command may say; and a server that takes passwords. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Server } from 'ssh2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { readHostAddress } from '../../src/base/names/host-address.js'
import { type Credential, connectSsh, type SshConnection, type SshRequest } from '../../src/ssh/index.js'
import { fetchCertificate, readHostStore } from '../../src/trust/index.js'
import { fetchFile } from '../../src/trust/remote/fetch-certificate.js'
import { freePort } from '../free-port.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { issue } from '../x509/test-authority.js'
import { localShell } from './local-shell.js'
import { connectTo, PASSPHRASE, requestTo, type Sshd, startSshd } from './sshd.js'

const program = requirePart('sshd')
let sshd: Sshd
let ssh: SshConnection
const scratch = mkdtempSync(join(tmpdir(), 'openwlb-ssh-'))
beforeAll(async () => {
  if (program === undefined) return
  sshd = await startSshd(program)
  ssh = await connectTo(sshd)
})
afterAll(async () => {
  rmSync(scratch, { recursive: true })
  ssh?.close()
  await sshd?.stop()
})

/** What comes of it: the word a command echoes there, or the error's code. */
async function tryTo(request: SshRequest): Promise<string> {
  try {
    const connection = await connectSsh(request)
    const { stdout } = await connection.run('echo in')
    connection.close()
    return stdout.toString().trim()
  } catch (error) {
    return codeOf(error)
  }
}

function codeOf(error: unknown): string {
  return error instanceof WlbError ? error.code : String(error)
}

describe.skipIf(!program)('sshd (needs openssh-server)', () => {
  const key = (): Credential => ({ kind: 'key', file: sshd.key })
  const logins: [what: string, outcome: string, credentials: () => Credential[]][] = [
    ['a key', 'in', () => [key()]],
    ['a key with a passphrase', 'in', () => [{ kind: 'key', file: sshd.lockedKey, passphrase: PASSPHRASE }]],
    ['its passphrase missing', 'SSH_KEY_PASSPHRASE_NEEDED', () => [{ kind: 'key', file: sshd.lockedKey }]],
    ['a wrong one', 'SSH_KEY_PASSPHRASE_WRONG', () => [{ kind: 'key', file: sshd.lockedKey, passphrase: 'x' }]],
    ['the key of a stranger', 'SSH_AUTH_FAILED', () => [{ kind: 'key', file: sshd.strangersKey }]],
    ['a stranger’s, then the right one', 'in', () => [{ kind: 'key', file: sshd.strangersKey }, key()]],
    ['a public half', 'SSH_KEY_UNREADABLE', () => [{ kind: 'key', file: `${sshd.key}.pub` }]],
    ['no key at all', 'SSH_KEY_UNREADABLE', () => [{ kind: 'key', file: join(sshd.folder, 'config') }]],
    ['a file that is not there', 'FILE_MISSING', () => [{ kind: 'key', file: '/nowhere/at/all' }]],
    ['a password it does not take', 'SSH_AUTH_FAILED', () => [{ kind: 'password', password: 'x' }]],
    ['no agent there, then a key', 'in', () => [{ kind: 'agent', socket: '/nowhere/at/all' }, key()]],
    ['nothing', 'SSH_AUTH_FAILED', () => []],
  ]
  it.each(logins)('log in with %s: %s', async (_what, outcome, credentials) => {
    expect(await tryTo(requestTo(sshd, { credentials: credentials() }))).toBe(outcome)
  })

  it('log in by an agent', async () => {
    const socket = join(sshd.folder, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(agent.stdout, 'data')
    const add = spawn('ssh-add', ['-q', sshd.key], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' })
    await once(add, 'exit')
    expect(await tryTo(requestTo(sshd, { credentials: [{ kind: 'agent', socket }] }))).toBe('in')
    agent.kill()
    await once(agent, 'exit')
  })

  it('a host that is not known: its fingerprint as ssh-keygen prints it, asked once, kept, and known from then on', async () => {
    const own = join(sshd.folder, 'new/known_hosts')
    const asked: string[] = []
    const askAboutHostKey = async ({ fingerprint }: { fingerprint: string }) => asked.push(fingerprint) > 0
    const request = requestTo(sshd, { knownHosts: { own, others: [] }, askAboutHostKey })
    expect([await tryTo(request), await tryTo(request), asked]).toEqual(['in', 'in', [sshd.fingerprint]])
    expect(readFileSync(own, 'utf8')).toBe(`[${OWN_ADDRESS}]:${sshd.target.port} ${sshd.hostKeys[0]}\n`)
    expect([statSync(own).mode & 0o777, statSync(dirname(own)).mode & 0o777]).toEqual([0o600, 0o700])
  })

  const OTHER = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g'
  const WRONG = `SHA256:${'A'.repeat(43)}`
  const hosts: [what: string, outcome: string, lines: () => string[], more?: () => Partial<SshRequest>][] = [
    [
      'not known, and the answer is no',
      'SSH_HOST_KEY_DECLINED',
      () => [],
      () => ({ askAboutHostKey: async () => false }),
    ],
    ['not known, its fingerprint given', 'in', () => [], () => ({ hostFingerprint: sshd.fingerprint })],
    ['not known, another fingerprint given', 'SSH_FINGERPRINT_MISMATCH', () => [], () => ({ hostFingerprint: WRONG })],
    [
      'known, another fingerprint given',
      'SSH_FINGERPRINT_MISMATCH',
      () => [sshd.hostKeys[0]!],
      () => ({ hostFingerprint: WRONG }),
    ],
    ['known by another key', 'SSH_HOST_KEY_CHANGED', () => [OTHER]],
    [
      'known by another key, its fingerprint given',
      'SSH_HOST_KEY_CHANGED',
      () => [OTHER],
      () => ({ hostFingerprint: sshd.fingerprint }),
    ],
    ['known by the key of its second kind', 'in', () => [sshd.hostKeys[1]!]],
  ]
  it.each(hosts)('%s: %s', async (_what, outcome, lines, more) => {
    const own = join(sshd.folder, 'case_hosts')
    writeFileSync(
      own,
      lines()
        .map((line) => `[${OWN_ADDRESS}]:${sshd.target.port} ${line}\n`)
        .join(''),
    )
    const before = readFileSync(own, 'utf8')
    expect(await tryTo(requestTo(sshd, { knownHosts: { own, others: [] }, ...more?.() }))).toBe(outcome)
    if (outcome !== 'in') expect(readFileSync(own, 'utf8')).toBe(before)
  })

  it('known in another file: taken, and nothing is added to ours', async () => {
    const own = join(sshd.folder, 'unused_hosts')
    const others = [requestTo(sshd).knownHosts.own]
    expect(await tryTo(requestTo(sshd, { knownHosts: { own, others } }))).toBe('in')
    expect(() => statSync(own)).toThrow('ENOENT')
  })

  const commands: [what: string, outcome: string, run: () => Promise<unknown>][] = [
    ['its exit code is a value', '3', async () => (await ssh.run('exit 3')).exitCode],
    ['a signal is no exit code', 'undefined', async () => (await ssh.run('kill -9 $$')).exitCode],
    ['it reads what it is given', 'a\0b', async () => (await ssh.run('cat', { stdin: Buffer.from('a\0b') })).stdout],
    ['what it complains is on one line', 'a b', async () => (await ssh.run("printf 'a\\n\\033b' >&2")).stderrTail],
    ['it says too much', 'SSH_OUTPUT_TOO_LARGE', () => ssh.run('yes', { limitBytes: 1000 })],
    ['it does not end', 'SSH_COMMAND_TIMEOUT', () => ssh.run('sleep 60', { timeoutMs: 200 })],
    [
      'a daemon it leaves behind is not waited for',
      '0',
      async () => {
        const { exitCode, stdout } = await ssh.run('sleep 60 & echo $!', { leavesDaemon: true })
        await ssh.run(`kill ${stdout}`)
        return exitCode
      },
    ],
    [
      'a file there',
      'content',
      async () => {
        writeFileSync(join(sshd.folder, 'a b'), 'content')
        return fetchFile(ssh, join(sshd.folder, 'a b'))
      },
    ],
    ['no such file', 'SSH_FILE_MISSING', () => fetchFile(ssh, '/nowhere/at/all')],
    ['a folder', 'SSH_FILE_UNREADABLE', () => fetchFile(ssh, '/tmp')],
    ['a file without end', 'SSH_FILE_UNREADABLE', () => fetchFile(ssh, '/dev/zero')],
    ['a file too large', 'SSH_FILE_TOO_LARGE', () => fetchFile(ssh, join(sshd.folder, 'a b'), 6)],
    ['a file as large as may be', 'content', () => fetchFile(ssh, join(sshd.folder, 'a b'), 7)],
  ]
  it.each(commands)('a command: %s: %s', async (_what, outcome, run) => {
    expect(String(await run().catch(codeOf))).toBe(outcome)
  })

  it('a connection that is cut while a command runs, and after', async () => {
    const own = await connectTo(sshd)
    expect(await own.run('kill -9 $PPID; sleep 60').catch(codeOf)).toBe('SSH_CONNECTION_LOST')
    expect(await own.run('true').catch(codeOf)).toBe('SSH_CONNECTION_LOST')
  })

  const certificates: [what: string, outcome: string, content: () => Promise<string | Buffer | undefined>][] = [
    ['as it is, blanks and notes included', 'the same bytes', async () => `notes\r\n${await leaf()}\n \n`],
    ['in DER', 'the same bytes', async () => (await wlb()).certificate.raw],
    ['a private key behind it', 'PRIVATE_KEY_NOT_WANTED', async () => `${await leaf()}${(await wlb()).privateKeyPem}`],
    ['half a private key', 'PRIVATE_KEY_NOT_WANTED', async () => `${await leaf()}-----BEGIN RSA PRIVATE KEY-----\nMII`],
    [
      'a key in UTF-16',
      'PRIVATE_KEY_NOT_WANTED',
      async () => Buffer.from(`\ufeff${await leaf()}${(await wlb()).privateKeyPem}`, 'utf16le'),
    ],
    ['no certificate', 'FILE_UNRECOGNIZED', async () => 'hello\n'],
    ['nothing', 'FILE_UNRECOGNIZED', async () => ''],
    ['no file', 'SSH_FILE_MISSING', async () => undefined],
  ]
  it.each(certificates)('server.pem: %s: %s', async (what, outcome, make) => {
    const root = join(sshd.folder, `appliance ${what.replace(/\W/g, '')}`)
    const folder = join(root, 'etc/ssl/certs')
    mkdirSync(folder, { recursive: true })
    const content = await make()
    if (content !== undefined) writeFileSync(join(folder, 'server.pem'), content)
    const said = await fetchCertificate(ssh, { applianceRoot: root }).then(
      ({ bytes }) => (bytes.equals(Buffer.from(content ?? '')) ? 'the same bytes' : 'others'),
      codeOf,
    )
    expect(said).toBe(outcome)
  })

  it('reads the store of a host: files, bundle, links, clock, and what a name resolves to', async () => {
    const root = join(sshd.folder, 'a host')
    const store = join(root, 'etc/stunnel')
    mkdirSync(join(store, 'certs'), { recursive: true })
    mkdirSync(join(store, 'crls'))
    writeFileSync(join(store, 'certs/wlb.pem'), 'one')
    writeFileSync(join(store, "certs/o'dd \n.pem"), Buffer.from([0, 1, 255]))
    writeFileSync(join(store, 'certs/other.txt'), 'not one')
    symlinkSync('wlb.pem', join(store, 'certs/0a1b2c3d.0'))
    writeFileSync(join(store, 'crls/crl.pem'), 'crl')
    symlinkSync('crl.pem', join(store, 'crls/0a1b2c3d.r0'))
    writeFileSync(join(store, 'xapi-stunnel-ca-bundle.pem'), 'bundle')
    mkdirSync(join(store, 'certs/damaged.pem'))
    execFileSync('mkfifo', [join(store, 'crls/pipe')])
    utimesSync(join(store, 'certs/wlb.pem'), Date.now() / 1000 - 3_600, Date.now() / 1000 - 3_600)
    const { clockMs, resolved, certificatesChangedMs, certificates, crls, ...facts } = await readHostStore(ssh, {
      root,
      name: 'localhost',
    })
    expect(facts).toEqual({
      bundle: Buffer.from('bundle'),
      links: [
        { folder: 'certs', name: '0a1b2c3d.0', target: 'wlb.pem' },
        { folder: 'crls', name: '0a1b2c3d.r0', target: 'crl.pem' },
      ],
      odd: [
        { path: 'certs/damaged.pem', what: 'directory' },
        { path: 'crls/pipe', what: 'fifo' },
      ],
    })
    expect([...certificates, ...crls].map(({ name, bytes }) => [name, bytes.toString('latin1')])).toEqual([
      ["o'dd \n.pem", '\0\x01\xff'],
      ['wlb.pem', 'one'],
      ['crl.pem', 'crl'],
    ])
    const hourAgo = certificates.find(({ name }) => name === 'wlb.pem')?.changedMs ?? 0
    expect(Math.abs(Date.now() - hourAgo - 3_600_000)).toBeLessThan(30_000)
    expect(Math.abs(Date.now() - (certificatesChangedMs ?? 0))).toBeLessThan(30_000)
    expect(Math.abs(clockMs - Date.now())).toBeLessThan(60_000)
    expect(resolved).toEqual(expect.arrayContaining([expect.stringMatching(/^(127\.0\.0\.1|::1)$/)]))
  })

  it('an empty store, a name without an address, a file too large for a store', async () => {
    const root = join(sshd.folder, 'bare')
    mkdirSync(join(root, 'etc/stunnel'), { recursive: true })
    expect(await readHostStore(ssh, { root, name: 'no.such.name.invalid' })).toMatchObject({
      certificates: [],
      bundle: undefined,
      crls: [],
      links: [],
      resolved: [],
      odd: [],
    })
    expect((await readHostStore(ssh, { root })).resolved).toBeUndefined()
    mkdirSync(join(root, 'etc/stunnel/crls'), { recursive: true })
    writeFileSync(join(root, 'etc/stunnel/crls/huge'), Buffer.alloc(1024 * 1024 + 1))
    expect(await readHostStore(ssh, { root }).catch(codeOf)).toBe('HOST_STORE_TOO_LARGE')
  })
})

/** What lies behind a closed door is not taken for nothing. */
describe('a store that is not to be read', () => {
  /** Root is stopped by no permissions, so the command is run as somebody else. */
  const isRoot = process.getuid?.() === 0
  const stranger = localShell(
    { user: 'guest', host: readHostAddress('xs1', 'a host'), port: 22 },
    isRoot ? ['setpriv', '--reuid=65534', '--clear-groups'] : [],
  )
  const doors: [closed: string, why: string][] = [
    ['etc/stunnel', 'guest may not read /etc/stunnel/'],
    ['etc/stunnel/certs', 'guest may not read /etc/stunnel/certs'],
    ['etc/stunnel/crls', 'guest may not read /etc/stunnel/crls'],
    ['etc/stunnel/certs/wlb.pem', 'guest may not read /etc/stunnel/certs/wlb.pem'],
    ['etc/stunnel/xapi-stunnel-ca-bundle.pem', 'guest may not read /etc/stunnel/xapi-stunnel-ca-bundle.pem'],
    ['', 'there is no'],
  ]
  it.each(doors)('%s closed: %s', async (closed, why) => {
    const root = mkdtempSync(join(tmpdir(), 'openwlb-doors-'))
    chmodSync(root, 0o755)
    const place = (path: string) => join(root, 'etc/stunnel', path)
    if (closed !== '') {
      for (const folder of ['certs', 'crls']) mkdirSync(place(folder), { recursive: true })
      for (const file of ['certs/wlb.pem', 'xapi-stunnel-ca-bundle.pem']) writeFileSync(place(file), 'x')
      chmodSync(join(root, closed), 0)
    }
    const said = await readHostStore(stranger, { root }).catch((error: unknown) => error)
    if (closed !== '') chmodSync(join(root, closed), 0o700)
    rmSync(root, { recursive: true })
    expect(said).toMatchObject({ code: 'HOST_STORE_UNREADABLE', facts: { why: expect.stringContaining(why) } })
  })
})

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}

const wlb = () => issue({ subject: 'wlb.example.lab', dnsNames: ['wlb.example.lab'] })
const leaf = async () => (await wlb()).certificatePem

describe('servers that are no sshd', () => {
  const base = (port: number, more: Partial<SshRequest> = {}): SshRequest => ({
    target: { user: 'root', host: OWN_ADDRESS, port },
    knownHosts: { own: join(scratch, 'none'), others: [] },
    askAboutHostKey: async () => false,
    credentials: [{ kind: 'password', password: 'p:ä ss' }],
    timeoutMs: 300,
    ...more,
  })

  it('nobody listens', async () => {
    expect(await tryTo(base(await freePort()))).toBe('SSH_REFUSED')
  })

  it('the name does not resolve', async () => {
    const target = { user: 'root', host: readHostAddress('no.such.name.invalid', 'nobody'), port: 22 }
    expect(await tryTo(base(22, { target, timeoutMs: 10_000 }))).toBe('SSH_HOST_UNKNOWN')
  })

  const others: [what: string, outcome: string, says: string | undefined][] = [
    ['a server that says nothing', 'SSH_TIMEOUT', undefined],
    ['a server that hangs up', 'SSH_FAILED', ''],
    ['a web server', 'SSH_FAILED', 'HTTP/1.0 400 Bad Request\r\n\r\n'],
  ]
  it.each(others)('%s: %s', async (_what, outcome, says) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      if (says !== undefined) socket.end(says)
    }).listen(0, OWN_ADDRESS)
    await once(server, 'listening')
    expect(await tryTo(base(portOf(server.address())))).toBe(outcome)
    server.close()
  })

  // sshd checks passwords by PAM or the system's own file; a server of the library takes its place
  const passwords: [method: 'password' | 'keyboard-interactive', password: string, outcome: string][] = [
    ['password', 'p:ä ss', 'in'],
    ['password', 'wrong', 'SSH_AUTH_FAILED'],
    ['keyboard-interactive', 'p:ä ss', 'in'],
    ['keyboard-interactive', 'wrong', 'SSH_AUTH_FAILED'],
  ]
  it.each(passwords)('%s "%s": %s', async (method, password, outcome) => {
    // by ssh-keygen: the library's own generator writes a malformed key now and then
    const hostKey = join(scratch, `host-${method}-${outcome}`)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', hostKey])
    const server = new Server({ hostKeys: [readFileSync(hostKey)] }, (client) => {
      client.on('error', () => {})
      client.on('authentication', (attempt) => {
        const check = (given: string | undefined) => (given === 'p:ä ss' ? attempt.accept() : attempt.reject([method]))
        if (attempt.method !== method) attempt.reject([method])
        else if (attempt.method === 'password') check(attempt.password)
        else if (attempt.method === 'keyboard-interactive') {
          attempt.prompt([{ prompt: 'Password: ', echo: false }], (answers) => check(answers[0]))
        }
      })
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec, _refuse, { command }) => {
          const channel = acceptExec()
          channel.write(execFileSync('sh', ['-c', command], { stdio: 'pipe' }))
          channel.exit(0)
          channel.end()
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, OWN_ADDRESS, resolve))
    const port = portOf(server.address())
    const own = join(scratch, `hosts-${port}`)
    const [type, base64] = readFileSync(`${hostKey}.pub`, 'utf8').split(' ')
    writeFileSync(own, `[${OWN_ADDRESS}]:${port} ${type} ${base64}\n`)
    const request = base(port, { knownHosts: { own, others: [] }, credentials: [{ kind: 'password', password }] })
    expect(await tryTo({ ...request, timeoutMs: 10_000 })).toBe(outcome)
    server.close()
  })
})
