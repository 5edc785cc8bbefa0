/** One command on the other side: what it is given, what it says, how it ends; no more of it than was agreed. */
import type { Client, ClientChannel } from 'ssh2'
import { WlbError } from '../base/error.js'
import { quoteWord } from '../base/quote-word.js'
import { connectionLost, harmless } from './connection-failure.js'
import { renderSshTarget, type SshTarget } from './target.js'

export interface CommandOptions {
  /** What it reads; its end is sent in any case. */
  readonly stdin?: string | Buffer
  readonly timeoutMs?: number
  /** Of its standard output; 1 MiB when nothing is said. */
  readonly limitBytes?: number
  /**
   * Not to wait for the end of its output: a daemon it leaves behind may hold that open for ever. What it says when it
   * fails is still waited for, a second at most.
   */
  readonly leavesDaemon?: boolean
}

export interface CommandResult {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined
  readonly stdout: Buffer
  /** The end of it, on one line. */
  readonly stderrTail: string
}

const DEFAULT_LIMIT_BYTES = 1024 * 1024
const TAIL_CHARACTERS = 600
const LAST_WORDS_MS = 1_000

/** @throws SSH_CONNECTION_LOST, SSH_COMMAND_TIMEOUT, SSH_OUTPUT_TOO_LARGE. */
export async function runCommand(
  client: Client,
  target: SshTarget,
  command: string,
  {
    stdin = '',
    timeoutMs,
    limitBytes = DEFAULT_LIMIT_BYTES,
    leavesDaemon = false,
  }: CommandOptions & { timeoutMs: number },
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    let channel: ClientChannel | undefined
    const settle = (end: () => void) => {
      clearTimeout(timer)
      clearTimeout(lastWords)
      client.off('close', lost).off('error', fail)
      channel?.on('error', () => {}).destroy()
      end()
    }
    const fail = (cause?: unknown) => settle(() => reject(connectionLost(target, command, cause)))
    const lost = () => fail()
    let lastWords: NodeJS.Timeout | undefined
    const timer = setTimeout(() => settle(() => reject(timedOut(target, command, timeoutMs))), timeoutMs)
    client.once('close', lost).once('error', fail)
    try {
      client.exec(command, (error, opened) => {
        if (error) return fail(error)
        channel = opened
        const pieces: Buffer[] = []
        let [sizeBytes, tail] = [0, '']
        let exitCode: number | undefined
        let hasEnded = false
        const finish = () =>
          settle(() => resolve({ exitCode, stdout: Buffer.concat(pieces), stderrTail: harmless(tail) }))
        opened.on('data', (piece: Buffer) => {
          sizeBytes += piece.length
          if (sizeBytes > limitBytes) return settle(() => reject(tooMuch(target, command, limitBytes)))
          pieces.push(piece)
        })
        opened.stderr.on('data', (piece: Buffer) => {
          tail = (tail + piece.toString('utf8')).slice(-TAIL_CHARACTERS)
        })
        opened.once('exit', (code: number | null) => {
          hasEnded = true
          exitCode = code ?? undefined
          if (leavesDaemon && code === 0) finish()
          else if (leavesDaemon) lastWords = setTimeout(finish, LAST_WORDS_MS)
        })
        opened.once('close', () => (hasEnded ? finish() : fail()))
        opened.once('error', fail)
        opened.end(stdin)
      })
    } catch (error) {
      fail(error) // it throws at once where the connection is gone already
    }
  })
}

/**
 * Runs a command that has to succeed.
 *
 * @throws SSH_COMMAND_FAILED otherwise, and what `runCommand` throws.
 */
export async function runOrFail(
  ssh: { readonly target: SshTarget; run(command: string, options?: CommandOptions): Promise<CommandResult> },
  command: string,
  options?: CommandOptions,
): Promise<Buffer> {
  const { exitCode, stdout, stderrTail } = await ssh.run(command, options)
  if (exitCode !== 0) throw commandFailed(ssh.target, command, { exitCode, stderrTail })
  return stdout
}

export function commandFailed(
  target: SshTarget,
  command: string,
  { exitCode, stderrTail }: Pick<CommandResult, 'exitCode' | 'stderrTail'>,
): WlbError {
  return new WlbError(
    'SSH_COMMAND_FAILED',
    'A command failed on the other machine.',
    { target: renderSshTarget(target), command, exitCode: exitCode ?? 'ended by a signal', stderr: stderrTail },
    `ssh ${byHand(target, command)}`,
  )
}

function byHand({ user, host, port }: SshTarget, command: string): string {
  return `-p ${port} ${quoteWord(`${user}@${host}`)} ${quoteWord(command)}`
}

function timedOut(target: SshTarget, command: string, timeoutMs: number): WlbError {
  return new WlbError(
    'SSH_COMMAND_TIMEOUT',
    'A command on the other machine did not end in time.',
    { target: renderSshTarget(target), command, timeoutMs },
    `ssh ${byHand(target, command)}`,
  )
}

function tooMuch(target: SshTarget, command: string, limitBytes: number): WlbError {
  return new WlbError(
    'SSH_OUTPUT_TOO_LARGE',
    'A command on the other machine says more than was expected of it.',
    { target: renderSshTarget(target), command, limitBytes },
    `ssh ${byHand(target, command)}`,
  )
}
