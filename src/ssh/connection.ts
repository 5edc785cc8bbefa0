/**
 * A connection to a machine over SSH: its host key verified before anything is sent, commands run with bounded output and
 * time (RFC 4251 to 4254; docs/ssh.md). The library is loaded when the first connection is made.
 */
import type { Client, ConnectConfig } from 'ssh2'
import { WlbError } from '../base/error.js'
import { authFailed, connectionFailed, type Stage } from './connection-failure.js'
import { type Credential, listMethods } from './credential.js'
import {
  type AskAboutHostKey,
  checkGivenFingerprint,
  isKnownKey,
  type KnownHosts,
  meetHost,
  readKnownKeys,
} from './host-key.js'
import type { KnownKey } from './known-hosts.js'
import { type CommandOptions, type CommandResult, runCommand } from './run-command.js'
import type { SshTarget } from './target.js'

export interface SshRequest {
  readonly target: SshTarget
  readonly knownHosts: KnownHosts
  /** Of the host's key, as OpenSSH prints it; then nobody is asked. */
  readonly hostFingerprint?: string
  /** For a host that is not known. */
  readonly askAboutHostKey: AskAboutHostKey
  /** Tried in this order. */
  readonly credentials: readonly Credential[]
  /** For connecting, and for each command that names no time of its own. */
  readonly timeoutMs: number
}

export interface SshConnection {
  readonly target: SshTarget
  /**
   * Runs a command in the other side's shell. Its exit code is a value.
   *
   * @throws SSH_CONNECTION_LOST, SSH_COMMAND_TIMEOUT, SSH_OUTPUT_TOO_LARGE.
   */
  run(command: string, options?: CommandOptions): Promise<CommandResult>
  close(): void
}

/**
 * Connects and proves who the user is. The connection belongs to the caller, who closes it. While a person is asked about a
 * key no connection is open: it is made again afterwards, and has to show the very key that was accepted.
 *
 * @throws SSH_HOST_KEY_CHANGED, SSH_HOST_KEY_REVOKED, SSH_HOST_KEY_DECLINED, SSH_FINGERPRINT_MISMATCH; SSH_AUTH_FAILED;
 * SSH_REFUSED, SSH_TIMEOUT, SSH_HOST_UNKNOWN, SSH_HOST_UNREACHABLE, SSH_FAILED when there is no connection; what `askAboutHostKey` throws.
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
  throw new WlbError(
    'SSH_HOST_KEY_UNSTEADY',
    'The host shows another key on each connection; nothing was sent.',
    { host: target.host, port: target.port },
    'wlb trust fetch --help',
  )
}

type Attempt =
  | { readonly state: 'connected'; readonly connection: SshConnection }
  /** It was hung up on before anything was sent. */
  | { readonly state: 'not known'; readonly shown: Buffer }

async function attempt(request: SshRequest, known: readonly KnownKey[]): Promise<Attempt> {
  const { target, timeoutMs, hostFingerprint } = request
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
  const config: ConnectConfig = {
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
      client.setNoDelay() // commands are short: each would wait twice for the other side to have nothing to say
      resolve(undefined)
    })
    client.on('error', (error: Error & { level?: string }) => {
      if (error.level !== 'agent') resolve(error) // an agent that is gone is one way less to prove who we are
    })
    client.once('close', () => resolve(new Error('the connection was closed')))
    client.connect(config)
  })
  if (failure === undefined) return { state: 'connected', connection: wrap(client, request) }
  client.destroy()
  if (verdict && 'error' in verdict) throw verdict.error
  if (verdict) return { state: 'not known', shown: verdict.shown }
  const isRefusal = 'level' in failure && failure.level === 'client-authentication'
  throw isRefusal
    ? authFailed(target, request.credentials, failure)
    : connectionFailed(target, failure, { stage, timeoutMs })
}

function wrap(client: Client, { target, timeoutMs }: SshRequest): SshConnection {
  return {
    target,
    run: (command, options) => runCommand(client, target, command, { timeoutMs, ...options }),
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

/** A host that has keys of several kinds is to show one it is known by; else it would look as if it had changed. */
function preferKnown(known: readonly KnownKey[]): (typeof HOST_KEY_ALGORITHMS)[number][] {
  const types = new Set(known.filter(({ isRevoked }) => !isRevoked).map(({ type }) => type))
  const isKnown = (algorithm: string) => types.has(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm)
  return [...HOST_KEY_ALGORITHMS.filter(isKnown), ...HOST_KEY_ALGORITHMS.filter((one) => !isKnown(one))]
}
