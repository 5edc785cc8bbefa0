/** What a host serves over HTTP, by method and path; the longest prefix wins, as on a pool. */
import { createServer, type Server } from 'node:http'
import type { LabHost } from './host.js'
import { describeHost, rehearseWlb } from './host-status.js'
import { HEARTBEAT_PATH, receiveHeartbeat } from './liveness.js'
import type { Methods, Origin } from './method.js'
import { answerJsonRpc, answerXmlRpc, type Exchange, refuse, showsPoolSecret } from './rpc-endpoint.js'
import { downloadFromWlb } from './wlb-download.js'

export interface HttpServerOptions {
  readonly host: LabHost
  readonly methods: Methods
  readonly originOf: (socket: object) => Origin
  /** Stops listening to the network while the heartbeat stays: a host that is live and cannot be reached. */
  readonly deafen: () => void
}

const UNREADABLE_BODY = '<html><body><h1>HTTP 500 Internal Server Error</h1></body></html>'
/** The answer to what is no HTTP at all; the same page as for a body that is no call. */
const UNREADABLE = [
  'HTTP/1.1 500 Internal Server Error',
  'connection: close',
  'cache-control: no-cache, no-store',
  'content-type: text/html',
  `content-length: ${UNREADABLE_BODY.length}`,
  '',
  UNREADABLE_BODY,
].join('\r\n')

/** Builds the server; connections are handed to it one by one, it listens nowhere itself. */
export function createHttpServer({ host, methods, originOf, deafen }: HttpServerOptions): Server {
  // A pool answers an HTTP/1.1 request without a Host header too.
  const options = { keepAliveTimeout: 60_000, requestTimeout: 0, requireHostHeader: false }
  const server = createServer(options, (request, response) => {
    const exchange = { host, methods, origin: originOf(request.socket), request, response }
    route(exchange, deafen).catch((error: Error) => {
      host.log(`${request.method} ${request.url}: ${error.stack}`)
      refuse(exchange, 500, 'Internal Server Error')
    })
  })
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end(UNREADABLE)
  })
  return server
}

async function route(exchange: Exchange, deafen: () => void): Promise<void> {
  const { host, origin, request, response } = exchange
  const path = (request.url ?? '/').replace(/\?.*$/s, '')
  if (request.method === 'POST') {
    if (path === HEARTBEAT_PATH && showsPoolSecret(exchange)) return receiveHeartbeat(host, request, response)
    if (path === '/lab/deafen' && origin === 'local') {
      deafen()
      return void response.writeHead(204).end()
    }
    return path.startsWith('/jsonrpc') ? answerJsonRpc(exchange) : answerXmlRpc(exchange)
  }
  if (request.method === 'OPTIONS') {
    response.writeHead(200, {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Headers': 'X-Requested-With',
      'content-length': 0,
    })
    return void response.end()
  }
  if (request.method !== 'GET') return refuse(exchange, 403, 'Forbidden')
  if (path.startsWith('/wlb_report')) return downloadFromWlb(exchange, 'report')
  if (path.startsWith('/wlb_diagnostics')) return downloadFromWlb(exchange, 'diagnostics')
  if (origin === 'local' && path === '/lab/host') return sendJson(exchange, await describeHost(host))
  if (origin === 'local' && path === '/lab/handshake') return sendJson(exchange, (await rehearseWlb(host)) ?? null)
  refuse(exchange, 404, 'Not Found')
}

function sendJson({ response }: Exchange, document: unknown): void {
  const body = `${JSON.stringify(document)}\n`
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
