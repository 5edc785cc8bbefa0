/** What a host serves over HTTP, by method and path; the longest prefix wins, as on a pool. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { loadBundle } from '../../x509/index.js'
import type { Methods, Origin } from '../api/method.js'
import { listStore } from '../certificates/trust-store.js'
import { changeRecords, readRecords } from '../database/records.js'
import { carryOutLoad } from '../vms/published/load-command.js'
import { isMetricsPath, MetricsEndpoint, readMetricsMode } from '../vms/published/metrics-endpoint.js'
import { downloadFromWlb } from '../wlb/wlb-download.js'
import { fetchWlbSettings } from '../wlb/wlb-settings.js'
import type { LabHost } from './host.js'
import { placesOf } from './host-files.js'
import { HEARTBEAT_PATH, receiveHeartbeat } from './liveness.js'
import {
  type AnswerMode,
  answerJsonRpc,
  answerXmlRpc,
  type Exchange,
  readAnswerMode,
  refuse,
  showsPoolSecret,
} from './rpc-endpoint.js'

interface HttpServerOptions {
  readonly host: LabHost
  readonly methods: Methods
  readonly originOf: (socket: object) => Origin
  /** Stops listening to the network while the heartbeat stays: a host that is live and cannot be reached. */
  readonly deafen: () => void
}

const UNREADABLE_BODY = '<html><body><h1>HTTP 500 Internal Server Error</h1></body></html>'
/** The answer to input that is not HTTP; the same page as for a body that is not a call. */
const UNREADABLE = [
  'HTTP/1.1 500 Internal Server Error',
  'connection: close',
  'cache-control: no-cache, no-store',
  'content-type: text/html',
  `content-length: ${UNREADABLE_BODY.length}`,
  '',
  UNREADABLE_BODY,
].join('\r\n')

/** Ends clients that send half a request or do not take an answer. */
const SILENCE_MS = 60_000

/** Builds the server; connections are handed to it one by one, it listens nowhere itself. */
export function createHttpServer({ host, methods, originOf, deafen }: HttpServerOptions): Server {
  // A pool answers an HTTP/1.1 request without a Host header too.
  const options = { keepAliveTimeout: 60_000, requestTimeout: 0, requireHostHeader: false }
  let answerMode: AnswerMode = 'well'
  const metrics = new MetricsEndpoint(host)
  const server = createServer(options, (request, response) => {
    const { socket } = request
    request.once('end', () => socket.setTimeout(0)) // an event may be waited for as long as the client likes
    response.once('prefinish', () => socket.setTimeout(SILENCE_MS))
    response.setHeader('date', host.now().toUTCString())
    const exchange = { host, methods, origin: originOf(request.socket), request, response, answerMode }
    const behave = (other: AnswerMode) => {
      answerMode = other
    }
    route(exchange, { deafen, behave, metrics }).catch((error: Error) => {
      host.log(`${request.method} ${request.url}: ${error.stack}`)
      refuse(exchange, 500, 'Internal Server Error')
    })
  })
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end(UNREADABLE)
    else socket.destroy()
  })
  return server.setTimeout(SILENCE_MS)
}

interface Switches {
  readonly deafen: () => void
  readonly behave: (answerMode: AnswerMode) => void
  readonly metrics: MetricsEndpoint
}

async function route(exchange: Exchange, switches: Switches): Promise<void> {
  const { host, origin, request, response } = exchange
  const path = (request.url ?? '/').replace(/\?.*$/s, '')
  if (request.method === 'POST') {
    if (path === HEARTBEAT_PATH && showsPoolSecret(exchange)) return receiveHeartbeat(host, request, response)
    if (path.startsWith('/lab/') && origin === 'local') return carryOut(exchange, path, switches)
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
  if (isMetricsPath(path)) return switches.metrics.answer(exchange)
  if (path.startsWith('/wlb_report')) return downloadFromWlb(exchange, 'report')
  if (path.startsWith('/wlb_diagnostics')) return downloadFromWlb(exchange, 'diagnostics')
  if (origin === 'local' && path === '/lab/host') return sendJson(exchange, await describeHost(host))
  if (origin === 'local' && path === '/lab/records' && host.role.kind === 'coordinator') {
    return sendJson(exchange, readRecords(host.role.database))
  }
  if (origin === 'local' && path === '/lab/use' && host.role.kind === 'coordinator') {
    return sendJson(exchange, await switches.metrics.useOfPool(host.role))
  }
  if (origin === 'local' && path === '/lab/handshake') return sendJson(exchange, (await tryWlbHandshake(host)) ?? null)
  refuse(exchange, 404, 'Not Found')
}

/** Carries out a command of the launcher. */
async function carryOut(exchange: Exchange, path: string, { deafen, behave, metrics }: Switches): Promise<void> {
  const { host, response } = exchange
  const metricsMode = readMetricsMode(path.slice('/lab/metrics-'.length))
  const answerMode = readAnswerMode(path.slice('/lab/answer-'.length))
  if (answerMode && path.startsWith('/lab/answer-')) behave(answerMode)
  else if (metricsMode && path.startsWith('/lab/metrics-')) metrics.mode = metricsMode
  else if (path === '/lab/deafen') deafen()
  else if (path === '/lab/conditions') await host.reloadConditions()
  else if (path === '/lab/expire-sessions') {
    host.localSessions.expire()
    if (host.role.kind === 'coordinator') host.role.sessions.expire()
  } else if (path === '/lab/load' && host.role.kind === 'coordinator') {
    const pinned = await carryOutLoad(host.role.database, await readText(exchange), Date.now() / 1000)
    return sendJson(exchange, pinned)
  } else if (path === '/lab/records' && host.role.kind === 'coordinator') {
    await changeRecords(host.role.database, await readText(exchange))
  } else return refuse(exchange, 404, 'Not Found')
  response.writeHead(204).end()
}

async function readText({ request }: Exchange): Promise<string> {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += piece
  return text
}

function sendJson({ response }: Exchange, document: unknown): void {
  const body = `${JSON.stringify(document)}\n`
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

/** Shorter than a pool's timeout: a user waits for the status. */
const HANDSHAKE_TIMEOUT_MS = 5_000

export interface HostStatus {
  readonly name: string
  readonly uuid: string
  readonly role: 'coordinator' | 'member'
  readonly pid: number
  /** A member: connected to its coordinator, its files compared. A coordinator: always. */
  readonly settled: boolean
  /** Uuids of the live hosts; known to the coordinator only. */
  readonly live: readonly string[]
  /** Guests that run, by the uuid of their host; known to the coordinator only. */
  readonly guests: Readonly<Record<string, number>>
  readonly generation: number
  /** Names of the certificates on this host's own disk. */
  readonly certificates: readonly string[]
  readonly crls: readonly string[]
  readonly bundle: 'missing' | 'unusable' | 'loaded'
  readonly anchors: number
  readonly verifiesPool: boolean
}

async function describeHost(host: LabHost): Promise<HostStatus> {
  const { role, settings, layout } = host
  const [place] = placesOf(layout, { store: 'LegacyRootCert' })
  const bytes = place?.bundle ? await readFile(place.bundle).catch(() => undefined) : undefined
  const bundle = loadBundle(bytes)
  return {
    name: settings.name,
    uuid: settings.uuid,
    role: role.kind,
    pid: process.pid,
    settled: role.kind === 'coordinator' || role.settled,
    live: liveHosts(host),
    guests: countGuests(host),
    generation: role.kind === 'coordinator' ? role.database.generation : (role.copy?.image.generation ?? 0),
    certificates: await listStore(layout, { store: 'LegacyRootCert' }),
    crls: await listStore(layout, { store: 'CRL' }),
    bundle: bytes === undefined ? 'missing' : bundle.state,
    anchors: bundle.state === 'loaded' ? bundle.anchors.length : 0,
    verifiesPool: existsSync(layout.verifySwitch),
  }
}

function liveHosts({ role }: LabHost): string[] {
  if (role.kind === 'member') return []
  const { database } = role
  return database.rows('host').flatMap(([, record]) => {
    return database.find('host_metrics', String(record.metrics))?.live === true ? [String(record.uuid)] : []
  })
}

function countGuests({ role }: LabHost): Record<string, number> {
  if (role.kind === 'member') return {}
  const { database } = role
  const counts = new Map(database.rows('host').map(([ref, record]) => [ref, { uuid: String(record.uuid), guests: 0 }]))
  for (const [, vm] of database.rows('VM')) {
    const count = counts.get(String(vm.resident_on))
    if (count && vm.is_control_domain === false) count.guests++
  }
  return Object.fromEntries([...counts.values()].map(({ uuid, guests }) => [uuid, guests]))
}

/** Connects to the pool's WLB address as a verified connection of this host would: with its own store. */
async function tryWlbHandshake(host: LabHost): Promise<{ accepted: boolean; reason: string } | undefined> {
  const settings = await fetchWlbSettings(host, 'as-is').catch(() => undefined)
  if (!settings || settings.url === '') return undefined
  return host.wlb.handshake({ ...settings, verify: true, timeoutMs: HANDSHAKE_TIMEOUT_MS })
}
