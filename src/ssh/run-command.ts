/** One command on the other machine: its input, its output up to a limit, its exit code, in a limited time. */
import type { Client, ClientChannel } from 'ssh2'
import { fail } from './errors.js'
import { markCommand } from './marked-answer.js'
import { renderSshTarget, type SshTarget } from './target.js'

export interface CommandOptions {
  /** Its standard input, which is closed afterwards in any case. */
  readonly stdin?: string | Buffer
  readonly timeoutMs?: number
  /** Of its standard output; 1 MiB by default. */
  readonly limitBytes?: number
  /**
   * Do not wait for the end of its output: a daemon it starts may hold that open for ever. When it fails, its last output
   * is waited for, a second at most.
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
/** What a login shell prints besides. */
const NOISE_BYTES = 64 * 1024
const LAST_WORDS_MS = 1_000

/** @throws SSH_CONNECTION_LOST, SSH_COMMAND_TIMEOUT, SSH_OUTPUT_TOO_LARGE; SSH_COMMAND_NOT_RUN when the other side did something else. */
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
    let isSettled = false
    const settle = (end: () => void) => {
      if (isSettled) return // data that was under way still arrives
      isSettled = true
      clearTimeout(timer)
      clearTimeout(lastWords)
      client.off('close', lost).off('error', lose)
      channel?.on('error', () => {}).destroy()
      end()
    }
    const facts = { target: renderSshTarget(target), command }
    const marked = markCommand(command)
    const lose = (cause?: unknown) => settle(() => reject(fail('SSH_CONNECTION_LOST', facts, cause)))
    const lost = () => lose()
    let lastWords: NodeJS.Timeout | undefined
    const timer = setTimeout(
      () => settle(() => reject(fail('SSH_COMMAND_TIMEOUT', { ...facts, timeoutMs }))),
      timeoutMs,
    )
    client.once('close', lost).once('error', lose)
    try {
      client.exec(marked.text, (error, opened) => {
        if (error) return lose(error)
        channel = opened
        const pieces: Buffer[] = []
        let [sizeBytes, tail] = [0, '']
        let exitCode: number | undefined
        let hasEnded = false
        const finish = () => {
          const printed = Buffer.concat(pieces)
          const answer = marked.unwrap(printed)
          const stderrTail = harmless(marked.unwrapEnd(tail)).slice(-TAIL_CHARACTERS)
          // of a daemon that holds the output open, the end is not waited for; a command killed by a signal prints no mark
          if (answer === undefined && !leavesDaemon && typeof exitCode === 'number') {
            const code = exitCode
            const said = harmless(`${printed.subarray(0, TAIL_CHARACTERS)} ${tail.slice(-TAIL_CHARACTERS)}`)
            return settle(() => reject(fail('SSH_COMMAND_NOT_RUN', { ...facts, exitCode: code, said })))
          }
          if ((answer?.length ?? 0) > limitBytes)
            return settle(() => reject(fail('SSH_OUTPUT_TOO_LARGE', { ...facts, limitBytes })))
          settle(() => resolve({ exitCode, stdout: answer ?? Buffer.alloc(0), stderrTail }))
        }
        opened.on('data', (piece: Buffer) => {
          sizeBytes += piece.length
          if (sizeBytes > limitBytes + NOISE_BYTES) {
            return settle(() => reject(fail('SSH_OUTPUT_TOO_LARGE', { ...facts, limitBytes })))
          }
          pieces.push(piece)
        })
        opened.stderr.on('data', (piece: Buffer) => {
          tail = (tail + piece.toString('utf8')).slice(-NOISE_BYTES)
        })
        opened.once('exit', (code: number | null) => {
          hasEnded = true
          exitCode = code ?? undefined
          if (leavesDaemon && code === 0) finish()
          else if (leavesDaemon) lastWords = setTimeout(finish, LAST_WORDS_MS)
        })
        opened.once('close', () => (hasEnded ? finish() : lose()))
        opened.once('error', lose)
        opened.end(stdin)
      })
    } catch (error) {
      lose(error) // it throws at once where the connection is gone already
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
  requireSuccess(ssh.target, command, { exitCode, stderrTail })
  return stdout
}

/** @throws SSH_COMMAND_FAILED unless the result of `command` is that of a success. */
export function requireSuccess(
  target: SshTarget,
  command: string,
  {
    exitCode = 'ended by a signal',
    stderrTail,
  }: Pick<CommandResult, 'stderrTail'> & { readonly exitCode?: number | string },
): void {
  if (exitCode === 0) return
  throw fail('SSH_COMMAND_FAILED', { target: renderSshTarget(target), command, exitCode, stderr: stderrTail })
}

/** A reason, as another machine or a program gave it: printable, and not endless. */
export function shortReason(text: string): string {
  return harmless(text.slice(0, NOISE_BYTES)).slice(0, TAIL_CHARACTERS)
}

/** Makes text of another machine printable: one line, no control characters. */
function harmless(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]+/g, ' ').trim()
}
