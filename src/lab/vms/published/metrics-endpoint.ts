/**
 * `/rrd_updates`, `/host_rrd` and `/vm_rrd` of a host (xen-api: rrdd_proxy.ml, rrdd_http_handler.ml). xapi checks who asks and
 * hands the request over to xcp-rrdd, whose failures are internal errors for the client.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Coordinator, LabHost } from '../../host/host.js'
import { isLoggedIn } from '../../host/http-access.js'
import { type Exchange, refuse } from '../../host/rpc-endpoint.js'
import { dumpJson, dumpXml } from '../archives/dump.js'
import type { RoundRobin } from '../archives/round-robin.js'
import { findUpdates, lastSampleAt } from '../archives/updates.js'
import { renderJson, renderXml } from '../archives/xport.js'
import { databasesOf, type HostDatabases, type LoadSettings } from './databases.js'
import { FactsOfHost } from './known-facts.js'
import { readLoadSettings } from './load-settings.js'
import { chooseDatabases, contentType, type Form, readForm, readQuestion } from './metrics-question.js'
import { readPoolFacts } from './pool-facts.js'
import { describeUse, type PoolUse } from './pool-use.js'
import { parseVmPlace, placeOfVm, type VmPlace } from './vm-place.js'

const METRICS_MODES = ['well', 'none', 'nan', 'slow'] as const
/** How a host publishes: as it should, not at all, unknown values only, or late. */
export type MetricsMode = (typeof METRICS_MODES)[number]

export function readMetricsMode(text: string): MetricsMode | undefined {
  return METRICS_MODES.find((mode) => mode === text)
}

/** Longer than impatient clients wait. */
const SLOW_MS = 5_000
const CROSS_ORIGIN = { 'Access-Control-Allow-Origin': '*' }
const PATHS = ['/rrd_updates', '/host_rrd', '/vm_rrd'] as const

export function isMetricsPath(path: string): boolean {
  return PATHS.some((prefix) => path.startsWith(prefix))
}

export class MetricsEndpoint {
  mode: MetricsMode = 'well'
  readonly #host: LabHost
  readonly #facts: FactsOfHost
  #settings: Promise<LoadSettings> | undefined

  constructor(host: LabHost) {
    this.#host = host
    this.#facts = new FactsOfHost(host)
  }

  async answer(exchange: Exchange): Promise<void> {
    const url = new URL(exchange.request.url ?? '/', 'http://host')
    if (!(await isLoggedIn(exchange, url.searchParams.get('session_id')))) {
      return refuse(exchange, 401, 'Unauthorised')
    }
    const needed = { '/rrd_updates': 'start', '/vm_rrd': 'uuid', '/host_rrd': undefined }
    const path = PATHS.find((prefix) => url.pathname.startsWith(prefix)) ?? '/host_rrd'
    const parameter = needed[path]
    if (parameter !== undefined && !url.searchParams.has(parameter)) return refuse(exchange, 400, 'Bad Request')
    if (this.mode === 'none') return refuse(exchange, 500, 'Internal Server Error')
    if (this.mode === 'slow') await pause(SLOW_MS, undefined, { ref: false })
    const databases = await this.#databases()
    if (!databases) return refuse(exchange, 500, 'Internal Server Error')
    if (path === '/rrd_updates') return this.#sendUpdates(exchange, databases, url.searchParams)
    if (path === '/host_rrd') return this.#sendDump(exchange, databases.host, url.searchParams)
    const vm = databases.vms.get(url.searchParams.get('uuid') ?? '')
    return vm ? this.#sendDump(exchange, vm, url.searchParams) : this.#sendElsewhere(exchange, url)
  }

  /** For the launcher, over the coordinator's own socket. */
  async useOfPool({ database }: Coordinator): Promise<PoolUse> {
    return describeUse(readPoolFacts(database), await this.#loadSettings(), Date.now() / 1000)
  }

  #sendUpdates(exchange: Exchange, databases: HostDatabases, query: URLSearchParams): void {
    const question = readQuestion(query)
    const chosen = chooseDatabases(databases, query).map((one) => this.#shown(one))
    const updates = question && findUpdates(chosen, { ...question, ...this.#time() })
    if (!updates) return void refuse(exchange, 500, 'Internal Server Error')
    const form = readForm(exchange.request, query)
    const body = form === 'json' ? renderJson(updates) : renderXml(updates)
    exchange.response.writeHead(200, {
      connection: exchange.request.headers.connection === 'close' ? 'close' : 'keep-alive',
      'cache-control': 'no-cache, no-store',
      'content-length': Buffer.byteLength(body),
      'content-type': contentType(form),
      ...CROSS_ORIGIN,
      'Access-Control-Allow-Headers': 'X-Requested-With',
    })
    exchange.response.end(body)
  }

  /** A dump has no length: it ends with the connection. */
  #sendDump({ request, response }: Exchange, database: RoundRobin, query: URLSearchParams): void {
    const form: Form = readForm(request, query)
    const shown = this.#shown(database)
    const body = form === 'json' ? dumpJson(shown, this.#time()) : dumpXml(shown, this.#time())
    response.useChunkedEncodingByDefault = false
    response.writeHead(200, {
      connection: 'close',
      'cache-control': 'no-cache, no-store',
      'content-type': contentType(form),
      ...CROSS_ORIGIN,
    })
    response.end(body)
  }

  /** The archives of a VM are with its host, or, when it does not run, with the coordinator. */
  async #sendElsewhere(exchange: Exchange, url: URL): Promise<void> {
    const uuid = url.searchParams.get('uuid') ?? ''
    const { role } = this.#host
    const place = await this.#placeOf(uuid)
    if (place.kind === 'unknown') return refuse(exchange, 500, 'Internal Server Error')
    if (place.kind === 'running') return redirect(exchange, this.#host, place.address, url)
    if (role.kind === 'member') {
      url.searchParams.append('rrd_unarchive', '')
      return redirect(exchange, this.#host, role.coordinatorAddress, url)
    }
    const facts = readPoolFacts(role.database)
    const [own] = facts.hosts
    const archived = own && databasesOf(facts, own, await this.#loadSettings(), Date.now() / 1000).archived(uuid)
    if (!archived) return refuse(exchange, 404, 'Not Found')
    this.#sendDump(exchange, archived, url.searchParams)
  }

  async #placeOf(uuid: string): Promise<VmPlace> {
    const { role } = this.#host
    if (role.kind === 'coordinator') return placeOfVm(role.database, uuid)
    return parseVmPlace(String(await this.#host.callPool(role.coordinatorAddress, 'lab.vm_place', [uuid])))
  }

  async #databases(): Promise<HostDatabases | undefined> {
    const known = await this.#facts.current()
    return known && databasesOf(known.facts, known.own, await this.#loadSettings(), Date.now() / 1000)
  }

  #loadSettings(): Promise<LoadSettings> {
    this.#settings ??= readLoadSettings(this.#host)
    return this.#settings
  }

  /** Samples carry the time of this host's clock, whatever that says. */
  #time(): { readonly lastSample: number; readonly clockAhead: number } {
    const now = this.#host.now().getTime()
    return { lastSample: lastSampleAt(now / 1000), clockAhead: lastSampleAt((now - Date.now() + 2_500) / 1000) }
  }

  #shown(database: RoundRobin): RoundRobin {
    if (this.mode !== 'nan') return database
    return { ...database, row: () => database.sources.map(() => Number.NaN) }
  }
}

/** Hosts of a lab need not listen on 443. */
function redirect({ response }: Exchange, { settings }: LabHost, address: string, { pathname, search }: URL): void {
  const port = settings.tlsPort === 443 ? '' : `:${settings.tlsPort}`
  response.writeHead(302, {
    connection: 'close',
    'cache-control': 'no-cache, no-store',
    location: `https://${address}${port}${pathname}${search}`,
    'content-length': 0,
  })
  response.end()
}
