/** A real sshd of the tests' own: keys, port and files in a temporary folder, the user who runs the tests as its only user. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connectSsh, type SshRequest, type SshTarget } from '../../src/ssh/index.js'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'

export interface Sshd {
  readonly folder: string
  readonly target: SshTarget
  /** Log in with it; a passphrase is on `lockedKey`. */
  readonly key: string
  readonly lockedKey: string
  /** A key nobody has let in. */
  readonly strangersKey: string
  /** The lines of its host keys' public halves, without the comment. */
  readonly hostKeys: readonly string[]
  /** As `ssh-keygen -lf` prints it, of the first host key. */
  readonly fingerprint: string
  stop(): Promise<void>
}

export const PASSPHRASE = 'open sesame'

/** Listens on each of these addresses, which are of loopback. Of a setting the first line counts, so that `firstLines` win. */
export async function startSshd(
  program: string,
  addresses: readonly string[] = [OWN_ADDRESS],
  firstLines: readonly string[] = [],
): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-sshd-'))
  const file = (name: string) => join(folder, name)
  const makeKey = (name: string, type: string, passphrase = '') =>
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', '', '-f', file(name)])
  makeKey('host', 'ed25519')
  makeKey('host_ec', 'ecdsa')
  makeKey('user', 'ed25519')
  makeKey('locked', 'ed25519', PASSPHRASE)
  makeKey('stranger', 'ed25519')
  const publicHalf = (name: string) => readFileSync(file(`${name}.pub`), 'utf8').trim()
  writeFileSync(file('authorized'), `${publicHalf('user')}\n${publicHalf('locked')}\n`, { mode: 0o600 })
  const port = await freePort()
  const settings = [
    ...firstLines,
    `Port ${port}`,
    ...addresses.map((address) => `ListenAddress ${address}`),
    `HostKey ${file('host')}`,
    `HostKey ${file('host_ec')}`,
    `AuthorizedKeysFile ${file('authorized')}`,
    `PidFile ${file('pid')}`,
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'MaxStartups 100',
    'SetEnv SHLVL=1', // or bash would read what the user has for interactive shells, before each command
  ]
  writeFileSync(file('config'), `${settings.join('\n')}\n`)
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true }) // it does not start without
  const server = spawn(program, ['-D', '-e', '-f', file('config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  await ready(server, addresses.length)
  const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-lf', file('host.pub')], { encoding: 'utf8' }).split(' ')
  return {
    folder,
    target: { user: userInfo().username, host: OWN_ADDRESS, port },
    key: file('user'),
    lockedKey: file('locked'),
    strangersKey: file('stranger'),
    hostKeys: ['host', 'host_ec'].map(publicHalf),
    fingerprint,
    stop: async () => {
      server.kill('SIGTERM')
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A request that succeeds, with the host known beforehand, unless told otherwise. */
export function requestTo(sshd: Sshd, more: Partial<SshRequest> = {}): SshRequest {
  const own = join(sshd.folder, 'known_hosts')
  writeFileSync(own, `[${OWN_ADDRESS}]:${sshd.target.port} ${sshd.hostKeys[0]}\n`)
  return {
    target: sshd.target,
    knownHosts: { own, others: [] },
    askAboutHostKey: async () => {
      throw new Error('nobody should be asked')
    },
    credentials: [{ kind: 'key', file: sshd.key }],
    timeoutMs: 10_000,
    ...more,
  }
}

export function connectTo(sshd: Sshd) {
  return connectSsh(requestTo(sshd))
}

async function ready(server: ChildProcess, sockets: number): Promise<void> {
  const said: string[] = []
  for await (const line of createInterface({ input: server.stderr! })) {
    said.push(line)
    if (said.filter((one) => one.includes('Server listening on')).length === sockets) {
      server.stderr!.resume()
      return
    }
  }
  throw new Error(`sshd did not start:\n${said.join('\n')}`)
}
