/**
 * Liveness of members: every member keeps one connection to the coordinator open, and is gone as soon as it closes.
 * Over the same connection the coordinator sends copies of the database, so that a member could take over in an
 * emergency.
 */
import { existsSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { askForClaim } from '../api/pool-internal.js'
import { lacksCertificates } from '../certificates/distribution.js'
import { type Database, DatabaseCopy } from '../database/database.js'
import { noteHostBoot, noteLiveness } from '../vms/running/host-power.js'
import { type Coordinator, HostUnreachable, type LabHost, type Member } from './host.js'
import { writeAllegiance } from './host-files.js'
import type { PoolTransport } from './intra-pool.js'
import { handOverFinished } from './roles.js'

export const HEARTBEAT_PATH = '/lab/heartbeat'
const RECONNECT_PAUSE_MS = 100
/**
 * The shortest pause between copies of the database, for every four members and every megabyte: copies matter in an
 * emergency only, and each is the whole database.
 */
const COPY_PAUSE_MS = 250
const MEMBERS_A_PAUSE = 4
const BYTES_A_PAUSE = 1_000_000

/** Coordinator: counts a member as live for as long as its connection stays open. */
export function receiveHeartbeat(host: LabHost, request: IncomingMessage, response: ServerResponse): void {
  const query = new URL(request.url ?? '', 'http://host').searchParams
  const uuid = query.get('host')
  const { role } = host
  if (role.kind === 'member') {
    response.writeHead(409, { 'content-type': 'text/plain' }).end(role.coordinatorAddress)
    return
  }
  const found = role.database.rows('host').find(([, record]) => record.uuid === uuid)
  if (!found) {
    response.writeHead(404).end()
    return
  }
  const metrics = String(found[1].metrics)
  response.writeHead(200, { 'content-type': 'application/json' })
  const stopCopies = sendCopies(role, response)
  connected.set(metrics, (connected.get(metrics) ?? 0) + 1)
  role.database.update('host_metrics', metrics, { live: true, last_updated: host.now() })
  if (query.has('booted')) noteHostBoot(role.database, found[0], host.now())
  else noteLiveness(role.database, found[0])
  host.log(`${found[1].name_label} is live`)
  const end = () => response.end()
  role.onStepDown.add(end)
  response.once('close', () => {
    stopCopies()
    role.onStepDown.delete(end)
    const left = (connected.get(metrics) ?? 1) - 1
    connected.set(metrics, left)
    if (left > 0 || host.role !== role) return
    role.database.update('host_metrics', metrics, { live: false, last_updated: host.now() })
    noteLiveness(role.database, found[0])
    host.log(`${found[1].name_label} is gone`)
  })
}

/** A member may connect again before its old connection is seen to close. */
const connected = new Map<string, number>()

function sendCopies({ database }: Coordinator, response: ServerResponse): () => void {
  let sent = -1
  let timer: NodeJS.Timeout | undefined
  const send = () => {
    timer = undefined
    if (sent === database.storedGeneration) return
    sent = database.storedGeneration
    response.write(copyOf(database))
  }
  send()
  const stopListening = database.onChange(() => {
    timer ??= setTimeout(send, copyPauseMs())
  })
  return () => {
    stopListening()
    clearTimeout(timer)
  }
}

function copyPauseMs(): number {
  const megabytes = Math.ceil((copy?.text.length ?? 0) / BYTES_A_PAUSE)
  return COPY_PAUSE_MS * Math.ceil(connected.size / MEMBERS_A_PAUSE) * Math.max(1, megabytes)
}

/** Makes the text of a copy; members that get the same state share one text. */
function copyOf(database: Database): string {
  if (copy?.database !== database || copy.generation !== database.storedGeneration) {
    const text = `${database.text()}\n`
    copy = { database, generation: database.storedGeneration, text }
  }
  return copy.text
}

let copy: { readonly database: Database; readonly generation: number; readonly text: string } | undefined

/** Member: stays connected until `signal` aborts, and connects again whenever the connection is lost. */
export async function keepHeartbeat(
  host: LabHost,
  member: Member,
  transport: PoolTransport,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await beat(host, member, transport, signal)
    } catch (error) {
      const expected = error instanceof HostUnreachable || signal.aborted
      if (!expected) host.log(`heartbeat: ${error instanceof Error ? error.message : String(error)}`)
    }
    member.settled = false
    await pause(RECONNECT_PAUSE_MS, undefined, { signal }).catch(() => {})
  }
}

async function beat(host: LabHost, member: Member, transport: PoolTransport, signal: AbortSignal): Promise<void> {
  const { response, stop } = await transport.open(
    member.coordinatorAddress,
    `${HEARTBEAT_PATH}?host=${host.settings.uuid}${host.machine.hasBooted ? '&booted' : ''}`,
  )
  const end = () => stop()
  signal.addEventListener('abort', end, { once: true })
  response.on('error', () => {}) // the loop below sees its end
  try {
    if (response.statusCode === 409) return await followNewCoordinator(host, member)
    if (response.statusCode !== 200) throw new Error(`the coordinator answers ${response.statusCode}`)
    host.machine.hasBooted = false
    for await (const line of linesOf(response)) {
      member.copy = new DatabaseCopy(line)
      await member.copy.write(host.layout.database)
      if (!member.settled) await repair(host, member)
      member.settled = true
    }
  } finally {
    signal.removeEventListener('abort', end)
    stop()
  }
}

/**
 * The former coordinator is a member now: of this host, which then takes over; or of a third one, which this host then
 * follows.
 */
async function followNewCoordinator(host: LabHost, member: Member): Promise<void> {
  const claim = await askForClaim(host, member.coordinatorAddress)
  if (claim?.role !== 'member') return
  if (claim.coordinatorAddress === host.settings.address) return handOverFinished(host)
  if (claim.coordinatorAddress === member.coordinatorAddress) return
  const next = await askForClaim(host, claim.coordinatorAddress)
  if (next?.role !== 'coordinator') return
  await writeAllegiance(host.layout, { kind: 'member', coordinatorAddress: claim.coordinatorAddress })
  await host.becomeMember(claim.coordinatorAddress)
}

/** A member that verifies its pool and lacks certificates asks the coordinator to send them again. */
async function repair(host: LabHost, { coordinatorAddress, copy }: Member): Promise<void> {
  if (!existsSync(host.layout.verifySwitch) || !(await lacksCertificates(host))) return
  const own = Object.entries(copy?.image.tables.host ?? {}).find(([, record]) => record.uuid === host.settings.uuid)
  if (!own) return
  host.log('certificates are missing: asking the coordinator')
  try {
    const session = await host.callPool(coordinatorAddress, 'session.slave_login', [own[0], host.poolSecret])
    await host.callPool(coordinatorAddress, 'host.copy_primary_host_certs', [session, own[0]])
    await host.callPool(coordinatorAddress, 'session.logout', [session])
  } catch (error) {
    host.log(`certificates are still missing: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let pieces: string[] = []
  for await (const piece of response.setEncoding('utf8')) {
    const [end, ...begun] = String(piece).split('\n')
    pieces.push(end ?? '')
    for (const start of begun) {
      yield pieces.join('')
      pieces = [start]
    }
  }
}
