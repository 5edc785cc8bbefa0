/** Why there is no SSH connection, or no longer one, in an operator's words. */

import { WlbError } from '../base/error.js'
import { quoteWord } from '../base/quote-word.js'
import { type Credential, describeCredential } from './credential.js'
import { renderSshTarget, type SshTarget } from './target.js'

export type Stage = 'connecting' | 'authenticating'

export function connectionFailed(
  target: SshTarget,
  error: Error,
  { stage, timeoutMs }: { readonly stage: Stage; readonly timeoutMs: number },
): WlbError {
  const { host, port } = target
  const facts = { host, port, why: harmless(error.message) }
  const knock = `nc -vz ${quoteWord(host)} ${port}`
  const code = 'code' in error ? error.code : undefined
  switch (code) {
    case 'ECONNREFUSED':
      return new WlbError('SSH_REFUSED', 'No SSH server listens there.', facts, knock, error)
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new WlbError(
        'SSH_HOST_UNKNOWN',
        'The name does not resolve.',
        facts,
        `getent hosts ${quoteWord(host)}`,
        error,
      )
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return new WlbError(
        'SSH_HOST_UNREACHABLE',
        'There is no way to that address.',
        facts,
        `ip route get ${quoteWord(host)}`,
        error,
      )
  }
  const isTimeout = code === 'ETIMEDOUT' || ('level' in error && error.level === 'client-timeout')
  if (isTimeout) {
    return new WlbError(
      'SSH_TIMEOUT',
      'The SSH server did not answer in time.',
      { host, port, stage, timeoutMs },
      knock,
      error,
    )
  }
  return new WlbError(
    'SSH_FAILED',
    'The SSH connection broke before a command could be sent.',
    { ...facts, stage },
    `ssh -v -p ${port} ${quoteWord(`${target.user}@${host}`)} true`,
    error,
  )
}

export function authFailed(target: SshTarget, tried: readonly Credential[], cause: Error): WlbError {
  return new WlbError(
    'SSH_AUTH_FAILED',
    'The SSH server did not accept the user by anything that was tried.',
    { user: target.user, host: target.host, port: target.port, tried: tried.map(describeCredential).join(', ') },
    `ssh -v -p ${target.port} ${quoteWord(`${target.user}@${target.host}`)} true`,
    cause,
  )
}

export function connectionLost(target: SshTarget, command: string, cause?: unknown): WlbError {
  return new WlbError(
    'SSH_CONNECTION_LOST',
    'The SSH connection was cut while a command ran; whether it has run to its end is not known.',
    { target: renderSshTarget(target), command },
    `nc -vz ${quoteWord(target.host)} ${target.port}`,
    cause,
  )
}

/** What another machine says, on one line and without what a terminal would obey. */
export function harmless(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]+/g, ' ').trim()
}
