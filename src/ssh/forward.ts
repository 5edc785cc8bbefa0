/** Connections that the machine at the other end makes for us: to the next machine, or to a socket of its own (RFC 4254, 7.2). */
import type { Duplex } from 'node:stream'
import type { Client, ClientChannel } from 'ssh2'
import { fail } from './errors.js'
import { shortReason } from './run-command.js'
import { renderSshTarget, type SshTarget } from './target.js'

/** @throws SSH_JUMP_REFUSED, SSH_TIMEOUT. */
export async function forward(client: Client, through: SshTarget, to: SshTarget, timeoutMs: number): Promise<Duplex> {
  const { host, port, alias } = to
  const opened = await open(client, timeoutMs, (done) => client.forwardOut('127.0.0.1', 0, host, port, done))
  if (opened.state === 'open') return opened.stream
  if (opened.state === 'late') throw fail('SSH_TIMEOUT', { host, port, alias, stage: 'connecting', timeoutMs })
  const { why, cause } = opened
  throw fail('SSH_JUMP_REFUSED', { host, port, alias, through: renderSshTarget(through), why }, cause)
}

/** Undefined where nobody listens there, the user may not, or the server cannot do it: it is an extension of OpenSSH's. */
export async function forwardToSocket(client: Client, path: string, timeoutMs: number): Promise<Duplex | undefined> {
  const opened = await open(client, timeoutMs, (done) => client.openssh_forwardOutStreamLocal(path, done))
  return opened.state === 'open' ? opened.stream : undefined
}

type Opened =
  | { readonly state: 'open'; readonly stream: Duplex }
  | { readonly state: 'late' }
  | { readonly state: 'refused'; readonly why: string; readonly cause?: unknown }

function open(
  client: Client,
  timeoutMs: number,
  start: (done: (error: Error | undefined, stream: ClientChannel) => void) => unknown,
): Promise<Opened> {
  return new Promise((resolve) => {
    let isSettled = false
    const settle = (opened: Opened) => {
      isSettled = true
      clearTimeout(timer)
      client.off('close', lost)
      resolve(opened)
    }
    const lost = (cause?: unknown) => settle({ state: 'refused', why: 'the SSH connection was cut', cause })
    const timer = setTimeout(() => settle({ state: 'late' }), timeoutMs)
    client.once('close', lost)
    try {
      start((error, stream) => {
        if (error) return settle({ state: 'refused', why: shortReason(error.message), cause: error })
        if (isSettled) return void stream.destroy() // it came too late
        settle({ state: 'open', stream })
      })
    } catch (error) {
      lost(error) // it throws at once where the connection is gone already, or the server is not OpenSSH's
    }
  })
}
