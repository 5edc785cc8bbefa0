/** XenAPI over HTTP: `/` and `/RPC2` in XML-RPC, `/jsonrpc` in JSON-RPC (docs/protocol/pool.md, XenAPI). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import {
  ApiFailure,
  type ApiResult,
  type ApiValue,
  decodeJsonRpcCall,
  decodeXmlRpcCall,
  encodeJsonRpcResponse,
  encodeXmlRpcResponse,
} from '../../xapi/index.js'
import { dispatch } from '../api/dispatch.js'
import type { Methods, Origin } from '../api/method.js'
import { answerLabCall } from '../api/pool-internal.js'
import type { LabHost } from './host.js'
import { isSameSecret } from './host-files.js'

/** 300 KiB: what a pool reads of one call. */
const RPC_LIMIT_BYTES = 307_200

const RPC_HEADERS = {
  'cache-control': 'no-cache, no-store',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'X-Requested-With',
}

const THUMBPRINT_ASKED = 'x-xenapi-request-host-certificate-thumbprint'
const THUMBPRINT_GIVEN = 'x-xenapi-response-host-certificate-thumbprint'

export interface Exchange {
  readonly host: LabHost
  readonly methods: Methods
  readonly origin: Origin
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** How this host answers callers that are neither hosts of the pool nor on its own shell. */
  readonly answerMode: AnswerMode
}

export async function answerJsonRpc(exchange: Exchange): Promise<void> {
  const body = await readBody(exchange)
  if (body === undefined) return
  const call = decodeOrRefuse(exchange, () => decodeJsonRpcCall(body))
  if (!call) return
  const result = await resultOf(exchange, call.method, call.params)
  await send(
    exchange,
    result,
    'application/json',
    encodeJsonRpcResponse({ version: call.version, id: call.id, result }),
  )
}

export async function answerXmlRpc(exchange: Exchange): Promise<void> {
  const body = await readBody(exchange)
  if (body === undefined) return
  const call = decodeOrRefuse(exchange, () => decodeXmlRpcCall(body))
  if (!call) return
  // Hosts test kept connections with this call; the answer repeats its parameter.
  if (call.method.startsWith('system.isAlive:')) {
    const value = call.params[0] ?? ''
    return send(exchange, { status: 'success', value }, 'text/xml', encodeXmlRpcResponse({ status: 'success', value }))
  }
  const result = await resultOf(exchange, call.method, call.params)
  await send(exchange, result, 'text/xml', encodeXmlRpcResponse(result, call.method))
}

/** Answers in HTML what is not XenAPI: a wrong request, an unknown method or path. */
export function refuse({ response }: Exchange, status: number, title: string): void {
  if (response.headersSent) return void response.destroy()
  const body = `<html><body><h1>HTTP ${status} ${title}</h1></body></html>`
  response.writeHead(status, {
    connection: 'close',
    'cache-control': 'no-cache, no-store',
    'content-type': 'text/html',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

/** Tells whether a request comes from a host of this pool. */
export function showsPoolSecret({ host, request }: Exchange): boolean {
  const found = /(?:^|;\s*)pool_secret=([^;]*)/.exec(request.headers.cookie ?? '')
  return found?.[1] !== undefined && isSameSecret(host.poolSecret, found[1])
}

async function resultOf(exchange: Exchange, method: string, params: readonly ApiValue[]): Promise<ApiResult> {
  const { host, methods, origin } = exchange
  try {
    const isLabCall = method.startsWith('lab.') && showsPoolSecret(exchange)
    const value = isLabCall
      ? await answerLabCall(host, method, params)
      : await dispatch(host, methods, origin, method, params)
    return { status: 'success', value }
  } catch (error) {
    if (error instanceof ApiFailure) return { status: 'failure', description: [error.code, ...error.params] }
    host.log(`${method}: ${error instanceof Error ? error.stack : String(error)}`)
    return {
      status: 'failure',
      description: ['INTERNAL_ERROR', error instanceof Error ? error.message : String(error)],
    }
  }
}

/** API failures have status 200, like every answer to a call that was understood. */
function send(exchange: Exchange, result: ApiResult, type: string, body: string): Promise<void> {
  const { host, request, response } = exchange
  const asked = request.headers[THUMBPRINT_ASKED]
  const redirected = result.status === 'failure' && result.description[0] === 'HOST_IS_SLAVE'
  const thumbprint = redirected && typeof asked === 'string' ? coordinatorThumbprint(host, asked) : undefined
  const headers = {
    connection: request.headers.connection === 'close' ? 'close' : 'keep-alive',
    'content-type': type,
    ...RPC_HEADERS,
    ...(thumbprint && { [THUMBPRINT_GIVEN]: thumbprint }),
  }
  const isTrustedCaller = exchange.origin === 'local' || showsPoolSecret(exchange)
  return sendAnswer(isTrustedCaller ? 'well' : exchange.answerMode, response, headers, body)
}

/** Returns the fingerprint with which a redirected client can check the coordinator's certificate. */
function coordinatorThumbprint({ role }: LabHost, asked: string): string | undefined {
  const field = { 'sha-256:master': 'fingerprint_sha256', 'sha-1:master': 'fingerprint_sha1' }[asked]
  if (!field || role.kind === 'coordinator') return undefined
  const { pool = {}, Certificate: certificates = {} } = role.copy?.image.tables ?? {}
  const coordinator = Object.values(pool)[0]?.master
  const found = Object.values(certificates).find((record) => record.type === 'host' && record.host === coordinator)
  const fingerprint = found?.[field]
  return typeof fingerprint === 'string' ? fingerprint : undefined
}

async function readBody(exchange: Exchange): Promise<string | undefined> {
  const { request } = exchange
  const pieces: Buffer[] = []
  let size = 0
  if (Number(request.headers['content-length'] ?? 0) > RPC_LIMIT_BYTES) {
    refuse(exchange, 413, 'Request Entity Too Large')
    return undefined
  }
  for await (const piece of request) {
    size += piece.length
    if (size > RPC_LIMIT_BYTES) {
      refuse(exchange, 413, 'Request Entity Too Large')
      return undefined
    }
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function decodeOrRefuse<T>(exchange: Exchange, decode: () => T): T | undefined {
  try {
    return decode()
  } catch {
    refuse(exchange, 500, 'Internal Server Error')
    return undefined
  }
}

const ANSWER_MODES = ['well', 'slow', 'cut', 'garbage'] as const
export type AnswerMode = (typeof ANSWER_MODES)[number]

/** Longer than impatient clients wait. */
const SLOW_MS = 5_000
const GARBAGE = '<html><body>It works!</body></html>'

export function readAnswerMode(text: string): AnswerMode | undefined {
  return ANSWER_MODES.find((answerMode) => answerMode === text)
}

/** Sends an answer in the given mode: late, without its second half, or a web page under the headers of the answer. */
async function sendAnswer(
  answerMode: AnswerMode,
  response: ServerResponse,
  headers: Readonly<Record<string, string | number>>,
  body: string,
): Promise<void> {
  if (answerMode === 'slow') await pause(SLOW_MS, undefined, { ref: false })
  const sent = answerMode === 'garbage' ? GARBAGE : body
  response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(sent) })
  if (answerMode !== 'cut') return void response.end(sent)
  const bytes = Buffer.from(sent)
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy())
}
