/**
 * What the user's SSH settings say of a host: `~/.ssh/config` and `/etc/ssh/ssh_config`, read by the system's own `ssh -G`, so that
 * patterns, `Match` and `Include` mean what they mean to it. Nothing is connected to.
 */
import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { homeFolder } from '../base/files/home-folder.js'
import { fail } from './errors.js'
import { shortReason } from './run-command.js'
import { DEFAULT_USER, type TypedTarget } from './target.js'

/** The values of each keyword, in lower case, in the order in which they are printed. */
export type UserSettings = ReadonlyMap<string, readonly string[]>

const TIMEOUT_MS = 10_000
const LIMIT_BYTES = 256 * 1024
/** What a shell answers for a program that is not there. */
const NO_PROGRAM = 127
const NAMED_FILE = /^[^\p{Cc}]+$/u

/**
 * Undefined where there is no `ssh`.
 *
 * @throws SSH_SETTINGS_UNUSABLE when `ssh` refuses them, says too much, or takes too long, as with a command of `Match exec`.
 */
export async function askUserSettings({ user, name }: TypedTarget): Promise<UserSettings | undefined> {
  const target = user === undefined ? name : `${user}@${name}`
  const unusable = (why: string) => fail('SSH_SETTINGS_UNUSABLE', { target, why })
  const words = ['-T', '-G', '-F', '/dev/stdin', ...(user === undefined ? [] : ['-l', user]), '--', name]
  const { exitCode, stdout, stderr, why } = await runSsh(words, await settingsFile())
  if (why !== undefined) throw unusable(why)
  if (exitCode === NO_PROGRAM) return undefined
  if (exitCode !== 0) throw unusable(shortReason(stderr) || `ssh -G ended with ${exitCode}`)
  const settings = new Map<string, string[]>()
  for (const line of stdout.split('\n')) {
    const [, keyword = '', value] = /^(\S+) (.*)$/s.exec(line) ?? []
    if (value !== undefined)
      settings.set(keyword.toLowerCase(), [...(settings.get(keyword.toLowerCase()) ?? []), value])
  }
  return settings
}

/**
 * Both files as `ssh` reads them, and behind them who we are where neither names a user: `ssh` alone would answer the local user,
 * and whether a file says so could not be told. A file of another user is left out: `ssh` refuses it.
 */
async function settingsFile(): Promise<string> {
  const users = join(homeFolder(), '.ssh/config')
  const owner = await stat(users).then(
    ({ uid }) => uid,
    () => undefined,
  )
  const isOurs = owner === 0 || owner === process.getuid?.()
  const included = isOurs && NAMED_FILE.test(users) ? [`Include "${users.replace(/["*?[\]]/g, '\\$&')}"`] : []
  return [...included, 'Include /etc/ssh/ssh_config', 'Host *', `  User ${DEFAULT_USER}`, ''].join('\n')
}

interface Answer {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** Why it was ended. */
  readonly why: string | undefined
}

/** A shell stands between, because `ssh` opens its settings by name, and what Node gives a program as input has none. */
const WITH_SETTINGS = 'settings=$1; shift; printf %s "$settings" | ssh "$@"'

function runSsh(words: readonly string[], settings: string): Promise<Answer> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', WITH_SETTINGS, 'sh', settings, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let [stdout, stderr, sizeBytes] = ['', '', 0]
    let why: string | undefined
    const kill = (reason: string) => {
      why ??= reason
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL') // with what the settings had it start
      } catch {
        // it has just ended
      }
    }
    const timer = setTimeout(() => kill(`ssh -G was not done after ${TIMEOUT_MS} ms`), TIMEOUT_MS)
    const counted = (keep: (piece: string) => void) => (piece: string) => {
      sizeBytes += piece.length
      if (sizeBytes > LIMIT_BYTES) kill(`ssh -G said more than ${LIMIT_BYTES} bytes`)
      else keep(piece)
    }
    const keepAnswer = counted((piece) => {
      stdout += piece
    })
    const keepComplaint = counted((piece) => {
      stderr += piece
    })
    // with too many open files there are no streams, and an error follows
    for (const [stream, keep] of [
      [child.stdout, keepAnswer],
      [child.stderr, keepComplaint],
    ] as const) {
      stream?.setEncoding('utf8').on('data', keep)
    }
    const end = (exitCode: number | null) => {
      clearTimeout(timer)
      resolve({ exitCode, stdout, stderr, why })
    }
    child.once('error', (error) => {
      why = error.message
      end(null)
    })
    child.once('close', end)
  })
}

/** Paths that `ssh` prints begin with the home that the system knows; ours is that of the environment. */
export function atHome(path: string): string {
  const home = homeFolder()
  if (path.startsWith('~/')) return join(home, path.slice(2))
  const { homedir } = userInfo()
  return path.startsWith(`${homedir}/`) ? join(home, path.slice(homedir.length + 1)) : path
}
