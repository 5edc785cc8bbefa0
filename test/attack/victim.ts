/** A real `wlb serve` process, seen from outside: what the kernel says of it, and a pool that asks it every second. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { encodeRequest, SERVICE_PATH } from '../../src/wlb/index.js'
import { basic } from '../server/test-appliance.js'

export interface Victim {
  readonly process: ChildProcess
  readonly address: string
  readonly port: number
  descriptors(): number
  residentMb(): number
}

/** `descriptors` limits the process as `ulimit -n` does. */
export async function startVictim(root: string, descriptors?: number): Promise<Victim> {
  const wlb = join(import.meta.dirname, '../../dist/wlb.js')
  const command = [process.execPath, wlb, '--root', root, 'serve']
  const limited =
    descriptors === undefined ? command : ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', ...command]
  const [program = '', ...args] = limited
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const [ready] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), once(child, 'exit')])
  const [, address = '', port] = /^ready https:\/\/(.*):(\d+)$/.exec(String(ready)) ?? []
  if (!port) throw new Error(`did not start: ${ready}`)
  const proc = `/proc/${child.pid}`
  return {
    process: child,
    address,
    port: Number(port),
    descriptors: () => readdirSync(`${proc}/fd`).length,
    residentMb: () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`${proc}/status`, 'utf8'))?.[1]) / 1024,
  }
}

/** What each request came to: the milliseconds it took, or why it failed. */
export type Asked = number | string

const ANSWER_TIMEOUT_MS = 30_000
const BODY = encodeRequest({
  method: 'GetXenPoolConfiguration',
  request: { poolUuid: '0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10' },
})

/** Asks once, as a pool does: TLS 1.2, a connection of its own, if it is not given a kept one. */
export function ask({ address, port }: Victim, agent: Agent | false = false): Promise<Asked> {
  const startedMs = performance.now()
  return new Promise((resolve) => {
    const headers = {
      Authorization: basic(),
      'Content-Type': 'text/xml',
      'Content-Length': Buffer.byteLength(BODY),
      Connection: agent ? 'keep-alive' : 'close',
    }
    const options = { host: address, port, method: 'POST', path: SERVICE_PATH, headers, agent }
    const tls = { rejectUnauthorized: false, maxVersion: 'TLSv1.2', ecdhCurve: 'secp384r1' } as const
    const sent = request({ ...options, ...tls, timeout: ANSWER_TIMEOUT_MS }, (response) => {
      response
        .resume()
        .once('end', () =>
          resolve(response.statusCode === 200 ? performance.now() - startedMs : `${response.statusCode}`),
        )
    })
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    sent.once('timeout', () => sent.destroy(new Error('no answer')))
    sent.end(BODY)
  })
}

/** Asks on eight kept connections. */
export async function askMany(victim: Victim, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  let left = count
  const askOn = async () => {
    while (left-- > 0) {
      const asked = await ask(victim, agent)
      if (typeof asked === 'string') throw new Error(`a request failed: ${asked}`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, askOn))
  agent.destroy()
}

/** A pool that asks every second until it is stopped. */
export function steadyPool(victim: Victim): { stop(): Promise<Asked[]> } {
  const asked: Promise<Asked>[] = []
  const timer = setInterval(() => asked.push(ask(victim)), 1_000)
  return {
    stop: () => {
      clearInterval(timer)
      return Promise.all(asked)
    },
  }
}

export interface Attacker {
  stop(): Promise<void>
}

/** In a process of its own: the measuring pool must not wait for its attackers. */
export async function startAttacker(name: string, { address, port }: Victim): Promise<Attacker> {
  const program = join(import.meta.dirname, 'attacker.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', program, name, address, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return {
    stop: async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
