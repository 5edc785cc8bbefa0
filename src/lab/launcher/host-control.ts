/** Controls a host from the launcher: its process, and requests over its own socket. */
import { request } from 'node:http'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { WlbError } from '../../base/error.js'
import { ensureFolder } from '../../base/files/durable-file.js'
import { shortenSocketPath } from '../../base/files/local-socket.js'
import { ApiFailure, type ApiValue, decodeJsonRpcResponse, encodeJsonRpcCall } from '../../xapi/index.js'
import { parseRecords, type Records } from '../database/records.js'
import { fail } from '../errors.js'
import { layoutOf } from '../host/host-files.js'
import type { HostStatus } from '../host/http-server.js'
import { hostProcess } from '../host/machine.js'
import { type PoolUse, parsePoolUse } from '../vms/published/pool-use.js'
import { endLabProcess, findLabProcess, startLabProcess } from './lab-process.js'

const ANSWER_TIMEOUT_MS = 10_000
const POLL_MS = 25
const START_TIMEOUT_MS = 30_000

/** Finds the process of a host; undefined when it does not run. */
export function findProcess(root: string): Promise<number | undefined> {
  return findLabProcess(hostProcess(root))
}

/** Starts a host, which keeps running when the launcher ends. @throws PORT_IN_USE, LAB_HOST_FAILED or LAB_TIMEOUT */
export async function startProcess(root: string, program: string): Promise<void> {
  const host = hostProcess(root)
  await ensureFolder(dirname(host.log), 0o755)
  const failure = await startLabProcess(host, program, START_TIMEOUT_MS)
  if (failure === undefined) return
  if (failure === 'timeout')
    throw fail('LAB_TIMEOUT', { waitedFor: 'the host to answer', root, waitedMs: START_TIMEOUT_MS })
  const { code, message, facts, remedy = '' } = failure
  if (code === undefined) throw fail('LAB_HOST_FAILED', { root, reason: message })
  throw new WlbError(code, message, { ...facts, root }, remedy)
}

/** Ends a host and waits until it is gone. */
export function endProcess(root: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  return endLabProcess(hostProcess(root), signal, ANSWER_TIMEOUT_MS)
}

/** Asks a host for its status; undefined when it does not run or does not answer. */
export async function askHost(root: string): Promise<HostStatus | undefined> {
  const text = await ask(root, 'GET', '/lab/host').catch(() => undefined)
  return text === undefined ? undefined : JSON.parse(text)
}

/** Asks a host to make a verified handshake with WLB; undefined when the pool has no WLB or the host does not answer. */
export async function requestHandshake(root: string): Promise<{ accepted: boolean; reason: string } | undefined> {
  const text = await ask(root, 'GET', '/lab/handshake').catch(() => 'null')
  return JSON.parse(text) ?? undefined
}

/** Sends a command to a host's own socket, and returns the answer. */
export function postToHost(root: string, path: string, body = ''): Promise<string> {
  return ask(root, 'POST', path, body)
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

/** Asks for the coordinator's records; undefined when the host does not run or is not the coordinator. */
export async function fetchRecords(root: string): Promise<Records | undefined> {
  const text = await ask(root, 'GET', '/lab/records').catch(() => undefined)
  return text === undefined ? undefined : parseRecords(JSON.parse(text))
}

/** Asks what the machines of the pool use; undefined when the host does not run or is not the coordinator. */
export async function fetchUse(root: string): Promise<PoolUse | undefined> {
  const text = await ask(root, 'GET', '/lab/use').catch(() => undefined)
  return text === undefined ? undefined : parsePoolUse(text)
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
