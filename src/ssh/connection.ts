/**
 * A connection to a machine over SSH: its host key verified before anything is sent, commands run with bounded output and
 * time (RFC 4251 to 4254; docs/ssh.md). The library is loaded when the first connection is made.
 */
import type { Duplex } from 'node:stream'
import type { Client, ConnectConfig } from 'ssh2'
import type { WlbError } from '../base/error.js'
import { type Credential, describeCredential, listMethods } from './credential.js'
import { fail } from './errors.js'
import { forward, forwardToSocket } from './forward.js'
import {
  type AskAboutHostKey,
  checkGivenFingerprint,
  isKnownKey,
  type KnownHosts,
  meetHost,
  readKnownKeys,
} from './host-key.js'
import type { KnownKey } from './known-hosts.js'
import { type CommandOptions, type CommandResult, runCommand, shortReason } from './run-command.js'
import type { SshTarget } from './target.js'

export interface SshRequest {
  readonly target: SshTarget
  readonly knownHosts: KnownHosts
  /** Of the host's key, as OpenSSH prints it; with it, nobody is asked. */
  readonly hostFingerprint?: string
  /** For a host that is not known. */
  readonly askAboutHostKey: AskAboutHostKey
  /** Tried in this order. */
  readonly credentials: readonly Credential[]
  /** For connecting, and for each command without a timeout of its own. */
  readonly timeoutMs: number
  /** A jump host: the connection is made by it. */
  readonly through?: SshConnection | undefined
}

export interface SshConnection {
  readonly target: SshTarget
  /**
   * Runs a command in the other side's shell. Its exit code is a value.
   *
   * @throws SSH_CONNECTION_LOST, SSH_COMMAND_TIMEOUT, SSH_OUTPUT_TOO_LARGE.
   */
  run(command: string, options?: CommandOptions): Promise<CommandResult>
  /**
   * Connects to another machine from there. Closing this connection ends it.
   *
   * @throws SSH_JUMP_REFUSED, SSH_TIMEOUT.
   */
  forward(to: SshTarget, timeoutMs: number): Promise<Duplex>
  /** Connects to a Unix socket there; undefined where that cannot be done. */
  openSocket(path: string): Promise<Duplex | undefined>
  close(): void
}

/**
 * Connects and authenticates. The caller closes the connection. While a person is asked about a host key no connection
 * is open: it is made again afterwards, and has to show the key that was accepted.
 *
 * @throws SSH_HOST_KEY_CHANGED, SSH_HOST_KEY_REVOKED, SSH_HOST_KEY_DECLINED, SSH_FINGERPRINT_MISMATCH,
 * SSH_HOST_KEY_TYPE; SSH_AUTH_FAILED, SSH_TOO_MANY_KEYS;
 * SSH_REFUSED, SSH_JUMP_REFUSED, SSH_TIMEOUT, SSH_HOST_UNKNOWN, SSH_HOST_UNREACHABLE, SSH_FAILED when there is no connection; what
 * `askAboutHostKey` throws.
 */
export async function connectSsh(request: SshRequest): Promise<SshConnection> {
  const { target, knownHosts, hostFingerprint, askAboutHostKey } = request
  const known = await readKnownKeys(knownHosts, target)
  const first = await attempt(request, known)
  if (first.state === 'connected') return first.connection
  const { shown } = first
  await meetHost(shown, { target, knownHosts, fingerprint: hostFingerprint, ask: askAboutHostKey })
  const second = await attempt(request, await readKnownKeys(knownHosts, target))
  if (second.state === 'connected') return second.connection
  throw fail('SSH_HOST_KEY_UNSTEADY', { host: target.host, port: target.port, alias: target.alias })
}

type Attempt =
  | { readonly state: 'connected'; readonly connection: SshConnection }
  /** The connection was closed before anything was sent. */
  | { readonly state: 'not known'; readonly shown: Buffer }

async function attempt(request: SshRequest, known: readonly KnownKey[]): Promise<Attempt> {
  const { target, timeoutMs, hostFingerprint, through } = request
  const { default: ssh2 } = await import('ssh2')
  const client = new ssh2.Client()
  let verdict: { readonly error: unknown } | { readonly shown: Buffer } | undefined
  let stage: Stage = 'connecting'
  const verify = (shown: Buffer): boolean => {
    try {
      const isKnown = isKnownKey(target, shown, known)
      if (isKnown && hostFingerprint !== undefined) checkGivenFingerprint(target, shown, hostFingerprint)
      if (!isKnown) verdict = { shown: Buffer.from(shown) }
      return isKnown
    } catch (error) {
      verdict = { error }
      return false
    }
  }
  const methods = await listMethods(target.user, request.credentials)
  const sock = await through?.forward(target, timeoutMs)
  const config: ConnectConfig = {
    ...(sock && { sock }),
    host: target.host,
    port: target.port,
    username: target.user,
    readyTimeout: timeoutMs,
    keepaliveInterval: 5_000,
    keepaliveCountMax: 3,
    algorithms: { serverHostKey: preferKnown(known) },
    hostVerifier: verify,
    authHandler: methods,
  }
  const failure = await new Promise<Error | undefined>((resolve) => {
    client.once('handshake', () => {
      stage = 'authenticating'
    })
    client.once('ready', () => {
      client.setNoDelay() // commands are short, and Nagle's algorithm would delay each of them
      resolve(undefined)
    })
    client.on('error', (error: Error & { level?: string }) => {
      if (error.level !== 'agent') resolve(error) // an agent that is gone is one credential less, and the others are tried
    })
    client.once('close', () => resolve(new Error('the connection was closed')))
    client.connect(config)
  })
  if (failure === undefined) return { state: 'connected', connection: wrap(client, request) }
  client.destroy()
  if (verdict && 'error' in verdict) throw verdict.error
  if (verdict) return { state: 'not known', shown: verdict.shown }
  throw explainFailure(failure, request, stage)
}

type Stage = 'connecting' | 'authenticating'

function explainFailure(error: Error, { target, credentials, timeoutMs }: SshRequest, stage: Stage): WlbError {
  const { user, host, port, alias } = target
  const level = 'level' in error ? error.level : undefined
  if (level === 'client-authentication') {
    const tried = credentials.map(describeCredential).join(', ')
    return fail('SSH_AUTH_FAILED', { user, host, port, alias, tried }, error)
  }
  if (/too many authentication failures/i.test(error.message)) {
    const tried = credentials.map(describeCredential).join(', ')
    return fail('SSH_TOO_MANY_KEYS', { user, host, port, alias, tried, missing: '--ssh-key' }, error)
  }
  if (/no matching host key format/.test(error.message)) {
    return fail('SSH_HOST_KEY_TYPE', { user, host, port, alias, accepted: HOST_KEY_ALGORITHMS.join(', ') }, error)
  }
  const facts = { host, port, alias, why: shortReason(error.message) }
  const code = 'code' in error ? error.code : undefined
  switch (code) {
    case 'ECONNREFUSED':
      return fail('SSH_REFUSED', facts, error)
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail('SSH_HOST_UNKNOWN', facts, error)
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return fail('SSH_HOST_UNREACHABLE', facts, error)
  }
  const isTimeout = code === 'ETIMEDOUT' || level === 'client-timeout'
  if (isTimeout) return fail('SSH_TIMEOUT', { host, port, alias, stage, timeoutMs }, error)
  return fail('SSH_FAILED', { user, ...facts, stage }, error)
}

function wrap(client: Client, { target, timeoutMs }: SshRequest): SshConnection {
  return {
    target,
    run: (command, options) => runCommand(client, target, command, { timeoutMs, ...options }),
    forward: (to, limitMs) => forward(client, target, to, limitMs),
    openSocket: (path) => forwardToSocket(client, path, timeoutMs),
    close: () => {
      client.end()
      client.destroy()
    },
  }
}

const HOST_KEY_ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const

/** A host with keys of several types has to show one it is known by; otherwise it would seem to have changed. */
function preferKnown(known: readonly KnownKey[]): (typeof HOST_KEY_ALGORITHMS)[number][] {
  const types = new Set(known.filter(({ isRevoked }) => !isRevoked).map(({ type }) => type))
  const isKnown = (algorithm: string) => types.has(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm)
  return [...HOST_KEY_ALGORITHMS.filter(isKnown), ...HOST_KEY_ALGORITHMS.filter((one) => !isKnown(one))]
}
