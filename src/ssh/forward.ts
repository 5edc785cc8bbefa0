/** A jump: a connection that one machine makes for us to the next (RFC 4254, 7.2). */
import type { Duplex } from 'node:stream'
import type { Client } from 'ssh2'
import { fail } from './errors.js'
import { harmless } from './run-command.js'
import { renderSshTarget, type SshTarget } from './target.js'

/** @throws SSH_JUMP_REFUSED, SSH_TIMEOUT. */
export function forward(client: Client, through: SshTarget, to: SshTarget, timeoutMs: number): Promise<Duplex> {
  const { host, port, alias } = to
  return new Promise((resolve, reject) => {
    let isSettled = false
    const settle = (end: () => void) => {
      if (isSettled) return
      isSettled = true
      clearTimeout(timer)
      client.off('close', lost)
      end()
    }
    const refuse = (why: string, cause?: unknown) =>
      settle(() =>
        reject(fail('SSH_JUMP_REFUSED', { host, port, alias, through: renderSshTarget(through), why }, cause)),
      )
    const lost = () => refuse('the connection to the jump host was cut')
    const timer = setTimeout(
      () => settle(() => reject(fail('SSH_TIMEOUT', { host, port, alias, stage: 'connecting', timeoutMs }))),
      timeoutMs,
    )
    client.once('close', lost)
    try {
      client.forwardOut('127.0.0.1', 0, host, port, (error, stream) => {
        if (error) return refuse(harmless(error.message), error)
        if (isSettled) return void stream.destroy() // it came too late
        settle(() => resolve(stream))
      })
    } catch (error) {
      refuse('the connection to the jump host was cut', error)
    }
  })
}
