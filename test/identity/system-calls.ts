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
  /** The first path in it. */
  readonly path: string
  /** The how-many-eth of that name on that path: from 1 on. */
  readonly ordinal: number
  /** As strace writes it, the folder's own name left out. */
  readonly text: string
}

export interface Spoiled {
  readonly exitCode: number | null
  readonly stdout: string
}

export interface Program {
  readonly strace: string
  /** Node's arguments. */
  readonly args: readonly string[]
  readonly folder: string
}

/** strace counts for each thread: with one in Node's pool, the calls of a name on a path all come from the same one. */
const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
/** V8's own threads do nothing for so short a life but be traced. */
const node = [process.execPath, '--v8-pool-size=0']

/** Runs it uninjured. */
export function recordCalls({ strace, args, folder }: Program): SystemCall[] {
  const log = mkdtempSync(join(tmpdir(), 'openwlb-strace-'))
  const file = join(log, 'log')
  const trace = ['-f', '-qq', '-y', '-o', file, '-e', `trace=${CALLS.join(',')}`, '-e', 'signal=none', ...node]
  const ended = spawnSync(strace, [...trace, ...args], { env, encoding: 'utf8' })
  if (ended.status !== 0) throw new Error(`strace ended with ${ended.status}: ${ended.stderr}${ended.stdout}`)
  const lines = readFileSync(file, 'utf8').split('\n')
  rmSync(log, { recursive: true })

  const found = lines.flatMap((line) => {
    const [, name, text = ''] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? []
    const paths = [...text.matchAll(/["<](\/[^">]*)[">]/g)].flatMap(([, path = '']) => path)
    return name !== undefined && text.includes(folder) ? { name, text, paths } : []
  })
  return found.flatMap(({ name, text, paths }, index) => {
    const path = paths.find((one) => one.startsWith(folder)) ?? ''
    const same = found.slice(0, index).filter((call) => call.name === name && call.paths.includes(path))
    if (name === 'openat' && !text.includes('O_CREAT')) return [] // reads
    return { name, path, ordinal: same.length + 1, text: text.replaceAll(folder, '') }
  })
}

/** Runs it with one call spoiled: `signal=SIGKILL` as it is entered, or `error=ENOSPC` in its stead. Throws if it was not. */
export async function spoilCall(
  { strace, args }: Program,
  { name, path, ordinal }: SystemCall,
  effect: string,
): Promise<Spoiled> {
  const log = mkdtempSync(join(tmpdir(), 'openwlb-strace-'))
  const file = join(log, 'log')
  const inject = ['-e', `trace=${name}`, '-e', `inject=${name}:${effect}:when=${ordinal}`]
  // the filter makes it faster, but strace 6.1 then forgets every signal but the first call's
  const filter = effect.startsWith('signal') ? [] : ['--seccomp-bpf']
  const options = ['-f', '-qq', ...filter, '-o', file, ...inject, '-P', path, ...node]
  const child = spawn(strace, [...options, ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece
  })
  const [exitCode, signal]: (number | string | null)[] = await once(child, 'close')
  const isInjected = signal === 'SIGKILL' || readFileSync(file, 'utf8').includes('(INJECTED)')
  rmSync(log, { recursive: true })
  if (!isInjected) throw new Error(`${name} ${ordinal} on ${path} was not spoiled`)
  return {
    exitCode: typeof exitCode === 'number' ? exitCode : null,
    stdout: stdout.trim(),
  }
}

/** Containers may forbid one process to trace another. */
export function mayTrace(strace: string): boolean {
  return spawnSync(strace, ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true']).status === 0
}
