/** A program's system calls on the files below a folder, listed, and then spoiled one by one: strace kills it or lies to it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Calls that change something, and the flushes between them. */
const CALLS = [
  ...['openat', 'write', 'pwrite64', 'writev', 'ftruncate', 'fsync', 'fdatasync'],
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'symlink', 'unlink', 'unlinkat'],
  ...['mkdir', 'mkdirat', 'rmdir', 'chmod', 'fchmod', 'fchmodat', 'chown', 'fchown', 'utimensat'],
]

export interface SystemCall {
  readonly name: string
  /** The how-many-eth of that name: from 1 on. */
  readonly ordinal: number
  /** As strace writes it, the folder's own name left out. */
  readonly text: string
}

export interface Recording {
  readonly calls: readonly SystemCall[]
  /** Everything that was touched. */
  readonly paths: readonly string[]
}

export interface Program {
  readonly strace: string
  /** Node's arguments. */
  readonly args: readonly string[]
  readonly folder: string
}

/** With one thread in Node's pool all file calls come from it, so that their order and their numbers are the same each time. */
const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }

/** Runs it uninjured. */
export function recordCalls({ strace, args, folder }: Program): Recording {
  const log = mkdtempSync(join(tmpdir(), 'openwlb-strace-'))
  const file = join(log, 'log')
  const trace = ['-f', '-qq', '-y', '-o', file, '-e', `trace=${CALLS.join(',')}`, '-e', 'signal=none', process.execPath]
  const ended = spawnSync(strace, [...trace, ...args], { env, encoding: 'utf8' })
  if (ended.status !== 0) throw new Error(`strace ended with ${ended.status}: ${ended.stderr}${ended.stdout}`)
  const lines = readFileSync(file, 'utf8').split('\n')
  rmSync(log, { recursive: true })

  const counts = new Map<string, number>()
  const paths = new Set<string>()
  const calls: SystemCall[] = []
  for (const line of lines) {
    const [, name, text = ''] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? []
    if (name === undefined || !text.includes(folder)) continue
    const ordinal = (counts.get(name) ?? 0) + 1
    counts.set(name, ordinal)
    for (const [, path = ''] of text.matchAll(/["<](\/[^">]*)[">]/g)) if (path.startsWith(folder)) paths.add(path)
    if (name === 'openat' && !text.includes('O_CREAT')) continue // reads
    calls.push({ name, ordinal, text: text.replaceAll(folder, '') })
  }
  return { calls, paths: [...paths] }
}

/** Runs it with one call spoiled: `signal=SIGKILL` as it is entered, or `error=ENOSPC` in its stead. */
export async function spoilCall(
  { strace, args }: Program,
  { name, ordinal }: SystemCall,
  { paths }: Recording,
  effect: string,
): Promise<{ readonly signal: string | null; readonly exitCode: number | null; readonly stdout: string }> {
  const only = paths.flatMap((path) => ['-P', path])
  const inject = ['-e', `trace=${name}`, '-e', `inject=${name}:${effect}:when=${ordinal}`]
  // the filter makes it faster, but strace 6.1 then forgets every signal but the first call's
  const filter = effect.startsWith('signal') ? [] : ['--seccomp-bpf']
  const options = ['-f', '-qq', ...filter, '-o', '/dev/null', ...inject, ...only, process.execPath]
  const child = spawn(strace, [...options, ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece
  })
  const [exitCode, signal]: (number | string | null)[] = await once(child, 'close')
  return {
    exitCode: typeof exitCode === 'number' ? exitCode : null,
    signal: typeof signal === 'string' ? signal : null,
    stdout: stdout.trim(),
  }
}

/** Containers may forbid one process to trace another. */
export function mayTrace(strace: string): boolean {
  return spawnSync(strace, ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true']).status === 0
}
