/**
 * Reports and diagnostics: the host that is asked connects to the appliance itself, with its own trust store. The
 * caller gets 200 as soon as the appliance has answered; later failures are recorded in the task only.
 */
import type { WlbCall } from '../../wlb/index.js'
import { ApiFailure, NULL_REF } from '../../xapi/index.js'
import { finishTask } from '../api/pool-internal.js'
import type { LabHost } from '../host/host.js'
import { isLoggedIn } from '../host/http-access.js'
import { type Exchange, refuse } from '../host/rpc-endpoint.js'
import { fetchWlbSettings } from './wlb-settings.js'

type DownloadCall = Extract<WlbCall, { readonly method: 'ExecuteReport' | 'GetDiagnostics' }>

const OWN_PARAMETERS = new Set(['session_id', 'task_id', 'report'])

export async function downloadFromWlb(exchange: Exchange, what: 'report' | 'diagnostics'): Promise<void> {
  const { host, request, response } = exchange
  const query = new URL(request.url ?? '/', 'http://host').searchParams
  const task = query.get('task_id') ?? NULL_REF
  if (!(await isLoggedIn(exchange, query.get('session_id')))) {
    await endTask(host, task, ['SESSION_AUTHENTICATION_FAILED'])
    return refuse(exchange, 401, 'Unauthorised')
  }

  const outcome = await download(host, callFor(what, query), () => {
    response.useChunkedEncodingByDefault = false // the body ends with the connection, although the header says keep-alive
    response.writeHead(200, { connection: 'keep-alive', 'cache-control': 'no-cache, no-store' }).flushHeaders()
  })
  // The task is finished first: callers read it as soon as the body has ended.
  await endTask(host, task, 'failure' in outcome ? [outcome.failure.code, ...outcome.failure.params] : [])
  if (response.headersSent) return void response.end('text' in outcome ? outcome.text : '')
  refuse(exchange, 500, 'Internal Server Error')
}

async function download(
  host: LabHost,
  call: DownloadCall,
  onAccepted: () => void,
): Promise<{ text: string } | { failure: ApiFailure }> {
  try {
    const settings = await fetchWlbSettings(host, 'checked')
    return await host.wlb.call(call, { ...settings, timeoutMs: settings.reportTimeoutMs, onAccepted })
  } catch (error) {
    return { failure: error instanceof ApiFailure ? error : new ApiFailure('INTERNAL_ERROR', [String(error)]) }
  }
}

function callFor(what: 'report' | 'diagnostics', query: URLSearchParams): DownloadCall {
  if (what === 'diagnostics') return { method: 'GetDiagnostics', request: {} }
  const parameters = [...query].filter(([name]) => !OWN_PARAMETERS.has(name))
  return { method: 'ExecuteReport', request: { reportName: query.get('report') ?? '', parameters } }
}

async function endTask(host: LabHost, task: string, failure: readonly string[]): Promise<void> {
  if (task === NULL_REF) return
  if (host.role.kind === 'coordinator') return finishTask(host.role, task, failure)
  await host.callPool(host.role.coordinatorAddress, 'lab.finish_task', [task, ...failure])
}
