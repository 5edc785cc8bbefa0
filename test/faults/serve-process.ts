/** `wlb serve` as a process of its own, and a client that asks it twice a second and keeps what was acknowledged. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { call } from '../server/raw-client.js'

export const POOL = '0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10'
const WLB = join(import.meta.dirname, '../../dist/wlb.js')
const EVERY_MS = 500

export interface ServeProcess {
  readonly child: ChildProcess
  readonly pid: number
  readonly port: number
  /** Every line logged so far. */
  readonly logged: string[]
}

export interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  readonly afterMs: number
}

/** Throws what it said when it does not start. */
export async function startServe(root: string): Promise<ServeProcess> {
  const child = spawn(process.execPath, ['--liftoff-only', WLB, '--root', root, 'serve'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const logged: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => void logged.push(line))
  const [ready] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), once(child, 'exit')])
  const port = Number(/^ready https:.*:(\d+)$/.exec(String(ready))?.[1])
  if (!port) throw new Error(`did not start: ${logged.join('\n')}`)
  return { child, pid: child.pid ?? 0, port, logged }
}

/** Runs `wlb` to its end, under `tracer` if given. */
export async function runWlb(root: string, args: readonly string[], tracer: readonly string[] = []): Promise<Ended> {
  const startedMs = performance.now()
  const [program = '', ...words] = [...tracer, process.execPath, '--liftoff-only', WLB, '--root', root, ...args]
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    said.stdout += piece
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    said.stderr += piece
  })
  const [exitCode]: unknown[] = await once(child, 'close')
  const afterMs = performance.now() - startedMs
  return { exitCode: typeof exitCode === 'number' ? exitCode : null, ...said, afterMs }
}

/** Ends it if it still runs. Returns its exit code, or the signal. */
export async function endServe({ child }: ServeProcess, signal: NodeJS.Signals): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await once(child, 'exit')
  }
  return child.exitCode ?? child.signalCode ?? 'unknown'
}

/** The processes that run the embedded database for it: one, none while it is down. */
export function enginesOf(pid: number): number[] {
  return childrenOf(pid).filter((child) => commandOf(child).includes('@electric-sql/pglite'))
}

function childrenOf(pid: number): number[] {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).flatMap((task) =>
    readFileSync(join(tasks, task, 'children'), 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number),
  )
}

/** Empty for a process that is gone. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

export interface ClientAnswer {
  readonly outcome: 'stored' | 'fault' | 'none'
  readonly text: string
  readonly ms: number
}

export interface SteadyClient {
  readonly answers: ClientAnswer[]
  /** The last number that was acknowledged. */
  stored(): number
  /** The last number that was sent: it may have been stored without an acknowledgement. */
  sent(): number
  /** Waits until `count` answers more satisfy `wanted`. */
  see(wanted: ClientAnswer['outcome'], count: number, limitMs: number): Promise<void>
  stop(): Promise<void>
}

/** Stores the next number, and something beside it, twice a second, each request on a connection of its own, not waiting for the one before. */
export function askSteadily(port: () => number, filler = () => ''): SteadyClient {
  const answers: ClientAnswer[] = []
  const pending = new Set<Promise<void>>()
  let sent = 0
  let stored = 0
  const ask = async () => {
    const number = ++sent
    const startedMs = performance.now()
    const entries = [
      ['count', String(number)],
      ['filler', filler()],
    ] as const
    const answer = await call(port(), { method: 'SetXenPoolConfiguration', request: { poolUuid: POOL, entries } }).then(
      (reply): Omit<ClientAnswer, 'ms'> => {
        if (reply.kind === 'result') stored = Math.max(stored, number)
        return { outcome: reply.kind === 'result' ? 'stored' : 'fault', text: JSON.stringify(reply) }
      },
      (error: unknown) => ({ outcome: 'none', text: String(error) }) as const,
    )
    answers.push({ ...answer, ms: performance.now() - startedMs })
  }
  const timer = setInterval(() => {
    const asking = ask().finally(() => pending.delete(asking))
    pending.add(asking)
  }, EVERY_MS)
  return {
    answers,
    stored: () => stored,
    sent: () => sent,
    see: async (wanted, count, limitMs) => {
      const from = answers.length
      const endMs = performance.now() + limitMs
      const seen = () => answers.slice(from).filter(({ outcome }) => outcome === wanted).length
      while (seen() < count) {
        if (performance.now() > endMs) {
          const got = answers
            .slice(from)
            .slice(-5)
            .map(({ outcome, ms, text }) => `${outcome} ${Math.round(ms)} ms ${text}`)
          throw new Error(`${count} x ${wanted} not seen in ${limitMs} ms:\n${got.join('\n')}`)
        }
        await pause(50)
      }
    },
    stop: async () => {
      clearInterval(timer)
      await Promise.all(pending)
    },
  }
}

/** What the appliance has for the number now. */
export async function readNumber(port: number): Promise<number> {
  const reply = await call(port, { method: 'GetXenPoolConfiguration', request: { poolUuid: POOL } })
  if (reply.kind !== 'result') throw new Error(JSON.stringify(reply))
  const texts = (name: string) => reply.leaves.filter(([path]) => path.endsWith(`/${name}`)).map(([, text]) => text)
  return Number(texts('Value')[texts('Key').indexOf('count')])
}
