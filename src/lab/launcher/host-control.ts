/** The launcher's end of a host: its process, and what it says about itself on its own socket. */

import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ensureFolder } from '../../base/durable-file.js'
import { WlbError } from '../../base/error.js'
import { shortenSocketPath } from '../../base/local-socket.js'
import { ApiFailure, type ApiValue, decodeJsonRpcResponse, encodeJsonRpcCall } from '../../xapi/index.js'
import { parseRecords, type Records } from '../database/records.js'
import { fail } from '../errors.js'
import { layoutOf } from '../host/host-files.js'
import type { HostStatus } from '../host/http-server.js'

const ANSWER_TIMEOUT_MS = 10_000
const POLL_MS = 25
const START_TIMEOUT_MS = 30_000

/** The process of a host, undefined when it does not run. A number left over from before a reboot is somebody else's. */
export async function findProcess(root: string): Promise<number | undefined> {
  const pid = Number(await readFile(pidFile(root), 'utf8').catch(() => ''))
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return commandLine.split('\0').includes(root) ? pid : undefined
}

/** Starts a host, which goes on when the launcher ends. @throws PORT_IN_USE or LAB_HOST_FAILED */
export async function startProcess(root: string, program: string): Promise<number> {
  const { log } = layoutOf(root)
  await ensureFolder(dirname(log), 0o755)
  const output = await open(log, 'a', 0o600)
  try {
    const child = spawn(process.execPath, [program, root], {
      detached: true,
      stdio: ['ignore', output.fd, output.fd, 'ipc'],
    })
    await readiness(child, root)
    const pid = child.pid ?? 0
    await writeFile(pidFile(root), `${pid}\n`)
    child.unref()
    return pid
  } finally {
    await output.close()
  }
}

/** Ends a host and waits until it is gone. */
export async function endProcess(root: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const pid = await findProcess(root)
  if (pid === undefined) return
  process.kill(pid, signal)
  const deadline = Date.now() + ANSWER_TIMEOUT_MS
  while ((await findProcess(root)) !== undefined) {
    if (Date.now() > deadline) process.kill(pid, 'SIGKILL')
    await pause(POLL_MS)
  }
}

/** What a host says; undefined when it does not run or does not answer. */
export async function askHost(root: string): Promise<HostStatus | undefined> {
  const text = await ask(root, 'GET', '/lab/host').catch(() => undefined)
  return text === undefined ? undefined : JSON.parse(text)
}

/** The host's own verdict on a verified connection to WLB; undefined when the pool has no WLB or the host does not answer. */
export async function askForHandshake(root: string): Promise<{ accepted: boolean; reason: string } | undefined> {
  const text = await ask(root, 'GET', '/lab/handshake').catch(() => 'null')
  return JSON.parse(text) ?? undefined
}

export async function tellHost(root: string, path: string, body = ''): Promise<void> {
  await ask(root, 'POST', path, body)
}

/** Calls as root on a host's own socket, with a session of its own. @throws ApiFailure as the pool says it. */
export async function callAsRoot(root: string, method: string, ...params: ApiValue[]): Promise<ApiValue> {
  const call = async (name: string, given: readonly ApiValue[]) => {
    const body = encodeJsonRpcCall({ version: '2.0', method: name, params: given, id: 1n })
    const { result } = decodeJsonRpcResponse(await ask(root, 'POST', '/jsonrpc', body))
    if (result.status === 'success') return result.value
    const [code = 'INTERNAL_ERROR', ...rest] = result.description
    throw new ApiFailure(code, rest)
  }
  const session = await call('session.login_with_password', ['root', ''])
  try {
    return await call(method, [session, ...params])
  } finally {
    await call('session.logout', [session])
  }
}

/** The coordinator's records; undefined where the host does not run or is none. */
export async function askForRecords(root: string): Promise<Records | undefined> {
  const text = await ask(root, 'GET', '/lab/records').catch(() => undefined)
  return text === undefined ? undefined : parseRecords(JSON.parse(text))
}

/** Waits until `check` holds. @throws LAB_TIMEOUT with what was waited for. */
export async function waitUntil(what: string, root: string, check: () => Promise<boolean>, moreMs = 0): Promise<void> {
  const waitMs = START_TIMEOUT_MS + moreMs
  const deadline = Date.now() + waitMs
  while (!(await check())) {
    if (Date.now() > deadline) throw fail('LAB_TIMEOUT', { waitedFor: what, root, waitedMs: waitMs })
    await pause(POLL_MS)
  }
}

function ask(root: string, method: string, path: string, body = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = shortenSocketPath(layoutOf(root).socket)
    const sent = request({ socketPath: socket.path, method, path, timeout: ANSWER_TIMEOUT_MS }, async (response) => {
      const pieces: Buffer[] = []
      try {
        for await (const piece of response) pieces.push(piece)
        if ((response.statusCode ?? 500) >= 300) throw new Error(`${path}: HTTP ${response.statusCode}`)
        resolve(Buffer.concat(pieces).toString('utf8'))
      } catch (error) {
        reject(error)
      }
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.on('error', reject)
    sent.on('close', () => socket.close())
    sent.end(body)
  })
}

interface Told {
  readonly ready?: true
  readonly failed?: {
    readonly code?: string
    readonly message: string
    readonly facts?: Record<string, string | number | boolean>
    readonly remedy?: string
  }
}

function readiness(child: ChildProcess, root: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(fail('LAB_TIMEOUT', { waitedFor: 'the host to answer', root, waitedMs: START_TIMEOUT_MS }))
    }, START_TIMEOUT_MS)
    const settle = (error?: Error) => {
      clearTimeout(timer)
      child.removeAllListeners()
      if (child.connected) child.disconnect()
      if (error) reject(error)
      else resolve()
    }
    child.once('error', settle)
    child.once('exit', () => settle(fail('LAB_HOST_FAILED', { root, reason: 'it ended at once' })))
    child.once('message', ({ failed }: Told) => {
      if (!failed) return settle()
      const { code, message, facts, remedy } = failed
      if (!code) return settle(fail('LAB_HOST_FAILED', { root, reason: message }))
      settle(new WlbError(code, message, { ...facts, root }, remedy ?? ''))
    })
  })
}

function pidFile(root: string): string {
  return join(root, 'var/lib/xcp/xapi.pid')
}
