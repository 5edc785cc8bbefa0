/** One running host: its listeners, its role, and the change from one role to the other without a restart. */
import { readFile, rm } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import { dispatch } from '../api/dispatch.js'
import type { Methods, Origin } from '../api/method.js'
import { METHODS } from '../api/methods.js'
import { askForClaim } from '../api/pool-internal.js'
import { Database, type DatabaseImage, readImage } from '../database/database.js'
import { EventLog } from '../database/event-log.js'
import type { Rpc, ThinCliHost } from '../thin-cli/command.js'
import { serveThinCli } from '../thin-cli/server.js'
import { rememberHosts, rememberLives } from '../vms/published/lives.js'
import { forgetOperations, noteHostBoot } from '../vms/running/host-power.js'
import { RunningOperations } from '../vms/running/running-operations.js'
import { createWlbConnection } from '../wlb/wlb-connection.js'
import type { Coordinator, LabHost, Machine, Member } from './host.js'
import {
  layoutOf,
  readAllegiance,
  readConditions,
  readSettings,
  resolveByHostsFile,
  writeAllegiance,
} from './host-files.js'
import { createHttpServer } from './http-server.js'
import { createPoolTransport, type PoolTransport } from './intra-pool.js'
import { type Listeners, openListeners, receiveConnection } from './listeners.js'
import { keepHeartbeat } from './liveness.js'
import { LocalSessions, Sessions } from './sessions.js'

interface RunningHost {
  close(): Promise<void>
}

/** Starts a host from its root folder; resolves once it answers. @throws PORT_IN_USE */
export async function startHost(root: string, machine: Machine, log: (message: string) => void): Promise<RunningHost> {
  const layout = layoutOf(root)
  const settings = await readSettings(layout)
  const poolSecret = (await readFile(layout.poolSecret, 'utf8')).trim()
  const transport = createPoolTransport(layout, settings.tlsPort, poolSecret)
  let role: Coordinator | Member
  let listeners: Listeners | undefined
  let heartbeat = new AbortController()
  let conditions = await readConditions(layout)
  const now = () => new Date(Date.now() + conditions.clockOffsetMs)

  const leave = () => {
    heartbeat.abort()
    heartbeat = new AbortController()
    if (role?.kind !== 'coordinator') return
    role.events.close()
    role.operations.abandon()
    for (const stepDown of [...role.onStepDown]) stepDown()
  }
  const host: LabHost = {
    machine,
    settings,
    layout,
    poolSecret,
    localSessions: new LocalSessions(),
    wlb: createWlbConnection({
      tlsClient: settings.tlsClient,
      hostRoot: root,
      resolve: resolveByHostsFile(layout.hosts),
      isUnroutable: (address) => conditions.unroutable.includes(address),
      now,
      userAgent: `xapi/${API_VERSION}`,
    }),
    get role() {
      return role
    },
    now,
    log,
    callPool: (address, method, params) => transport.call(address, method, params),
    forgetIdleConnections: () => transport.forgetIdleConnections(),
    async becomeCoordinator(image) {
      leave()
      role = coordinatorFrom(host, image)
      // While the host starts, another one may turn out to be coordinator, which then has to know.
      if (listeners) machine.hasBooted = false
      await rm(layout.incomingDatabase, { force: true })
      await role.database.durable()
      log('this host is coordinator')
    },
    async becomeMember(coordinatorAddress) {
      leave()
      const member: Member = {
        kind: 'member',
        coordinatorAddress,
        knownPoolSessions: new Set(),
        copy: undefined,
        settled: false,
      }
      role = member
      keepHeartbeat(host, member, transport, heartbeat.signal)
      log(`this host is a member of ${coordinatorAddress}`)
    },
    reloadIdentities: async () => listeners?.reloadIdentities(),
    async reloadConditions() {
      conditions = await readConditions(layout)
    },
  }

  const allegiance = await readAllegiance(layout)
  if (allegiance.kind === 'coordinator') {
    await host.becomeCoordinator(await readImage(layout.database))
    if (host.role.kind === 'coordinator') host.role.frozen = true
  } else {
    await host.becomeMember(allegiance.coordinatorAddress)
  }

  const local = new WeakSet<object>()
  const http = createHttpServer({
    host,
    methods: METHODS,
    originOf: (socket) => (local.has(socket) ? 'local' : 'network'),
    deafen: () => listeners?.deafen(),
  })
  const receive = (stream: Duplex, origin: 'network' | 'local') => {
    if (origin === 'local') local.add(stream)
    receiveConnection(stream, http, (cli, body) => serveThinCli(cli, body, cliHost(host, METHODS, transport, origin)))
  }
  listeners = await openListeners(layout, settings, receive)
  await settleClaim(host)
  if (host.role.kind === 'coordinator') machine.hasBooted = false
  return {
    async close() {
      leave()
      await listeners?.close()
      transport.close()
      if (role.kind === 'coordinator') await role.database.durable()
    },
  }
}

/** A new coordinator starts as the only live host and without operations in progress. */
function coordinatorFrom({ machine, layout, settings, now }: LabHost, image: DatabaseImage): Coordinator {
  const database = new Database(layout.database, image)
  const nowSeconds = () => Date.now() / 1000
  const forgetLives = rememberLives(database, nowSeconds)
  const own = database.rows('host').find(([, record]) => record.uuid === settings.uuid)
  if (!own) throw new Error(`the database does not know ${settings.name}`)
  for (const [ref, record] of database.rows('host_metrics')) {
    const live = ref === own[1].metrics
    if (record.live !== live) database.update('host_metrics', ref, { live, last_updated: now() })
  }
  const { ref, record } = database.pool
  if (Object.keys(record.current_operations ?? {}).length > 0) database.update('pool', ref, { current_operations: {} })
  forgetOperations(database)
  if (machine.hasBooted) noteHostBoot(database, own[0], now())
  return {
    kind: 'coordinator',
    database,
    events: new EventLog(database),
    sessions: new Sessions(database, now),
    hostRef: own[0],
    operations: new RunningOperations(),
    frozen: false,
    onStepDown: new Set([forgetLives, rememberHosts(database, nowSeconds)]),
  }
}

/** After an emergency two hosts may claim to be coordinator: the one with the higher generation is. */
async function settleClaim(host: LabHost): Promise<void> {
  const { role, settings, layout } = host
  if (role.kind === 'member') return
  const others = role.database
    .rows('host')
    .flatMap(([ref, record]) => (ref === role.hostRef ? [] : [String(record.address)]))
  const claims = await Promise.all(others.map((address) => askForClaim(host, address)))
  const winner = claims.find((claim) => {
    if (claim?.role !== 'coordinator') return false
    if (claim.generation !== role.database.generation) return claim.generation > role.database.generation
    return claim.coordinatorAddress > settings.address
  })
  if (winner) {
    host.log(`${winner.coordinatorAddress} is coordinator already`)
    await writeAllegiance(layout, { kind: 'member', coordinatorAddress: winner.coordinatorAddress })
    await host.becomeMember(winner.coordinatorAddress)
    return
  }
  role.frozen = false
}

const API_VERSION = '2.21'

/** Makes what the thin CLI may use for one connection; on the host's own socket the caller is root. */
function cliHost(host: LabHost, methods: Methods, transport: PoolTransport, origin: Origin): ThinCliHost {
  const call: Rpc = (method, ...params) => dispatch(host, methods, origin, method, params)
  const bind = (ref: string, logoutMethod: string | undefined) => ({
    ref,
    rpc: ((method, ...params) => call(method, ref, ...params)) satisfies Rpc,
    // A session that ended with its coordinator needs no logout.
    logout: async () => {
      if (logoutMethod) await call(logoutMethod, ref).catch(() => {})
    },
  })
  return {
    origin,
    apiVersion: API_VERSION,
    hostUuid: host.settings.uuid,
    refusalDelayMs: 0,
    role: () =>
      host.role.kind === 'coordinator'
        ? { kind: 'coordinator' }
        : { kind: 'member', coordinatorAddress: host.role.coordinatorAddress },
    async login(userName, password) {
      const ref = await call('session.login_with_password', userName, password, API_VERSION, 'cli')
      return bind(String(ref), 'session.logout')
    },
    async localLogin(userName, password) {
      const ref = await call('session.slave_local_login_with_password', userName, password)
      return bind(String(ref), 'session.local_logout')
    },
    attach: async (ref) => bind(ref, undefined),
    async forward(body, sessionRef) {
      if (host.role.kind === 'coordinator') throw new Error('the coordinator forwards to nobody')
      const stream = await transport.connectUnverified(host.role.coordinatorAddress)
      const lines = body
        .toString('latin1')
        .split('\n')
        .map((line) => line.replace(/\r$/, ''))
      const sent = Buffer.from([`session_id=${sessionRef}`, ...lines].join('\r\n'), 'latin1')
      stream.write(`POST /cli HTTP/1.0\r\nuser-agent: xapi/${API_VERSION}\r\ncontent-length: ${sent.length}\r\n\r\n`)
      stream.write(sent)
      return stream
    },
  }
}
