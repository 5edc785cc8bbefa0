/**
 * The open connections of a listener: how many there may be, how long each may stay in each phase, whose handshake is next,
 * and which one is given up when there are too many (docs/security.md). A connection in use by a client that gave the right
 * password is never given up for another one.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { networkOf } from '../../base/names/network.js'

/** What a connection is waiting for. */
export type Phase =
  /** its ClientHello */
  | 'silent'
  /** its turn to begin the handshake */
  | 'queued'
  /** the end of the handshake */
  | 'handshake'
  /** a request */
  | 'waiting'
  /** our answer */
  | 'request'
  /** the client, which is to take the answer */
  | 'answered'
  /** nothing of ours: its stream was handed out */
  | 'handed out'

/** Milliseconds a connection may stay in a phase. HTTP has shorter limits of its own, which end with an answer. */
export type PhaseLimits = Readonly<Record<Phase, number>>
export const PHASE_LIMITS_MS: PhaseLimits = {
  silent: 10_000,
  queued: 10_000,
  handshake: 10_000,
  waiting: 30_000,
  request: 100_000,
  answered: 10_000,
  'handed out': Number.POSITIVE_INFINITY,
}

/** Connections at once: in all, from one network, and from one that the right password has come from. */
export interface Room {
  readonly inAll: number
  readonly perNetwork: number
  readonly perKnownNetwork: number
}
export const MOST_ROOM: Room = { inAll: 512, perNetwork: 128, perKnownNetwork: 384 }
const LEAST_IN_ALL = 16
/** File descriptors for all the rest: the database opens some as it works, the log, connections to pools. */
export const SPARE_DESCRIPTORS = 64

/** Phases in which the client has nothing to wait for. */
const IDLE: readonly Phase[] = ['silent', 'waiting']
const CHECK_EVERY_MS = 1_000
/** Given up at once when the process has no file descriptor left. */
const SHED_AT_ONCE = 8

export interface ConnectionCounts {
  readonly open: number
  readonly limit: number
  /** Without a finished handshake. */
  readonly handshaking: number
  /** Given up since the start for others, or because a phase took too long. */
  readonly givenUp: number
}

interface Connection {
  readonly socket: Socket
  readonly network: string
  readonly begin: () => void
  phase: Phase
  sinceMs: number
  /** Its client gave the right password. */
  vouched: boolean
}

export interface ConnectionsOptions {
  readonly room: Room
  /** Whether the right password has come from this network before; it is served first. */
  readonly isKnown: (network: string) => boolean
  readonly limitsMs: PhaseLimits
  /** Called with a reason for each connection that is given up, for the log. */
  readonly onGivenUp: (why: string, socket: Socket) => void
}

export class Connections {
  readonly #options: ConnectionsOptions
  /** Oldest first. */
  readonly #open = new Map<Socket, Connection>()
  readonly #counts = new Map<string, number>()
  /** By network, so that they take turns; networks that are known come first. */
  readonly #queues = { known: new Map<string, Connection[]>(), others: new Map<string, Connection[]>() }
  #turn: NodeJS.Immediate | undefined
  #check: NodeJS.Timeout | undefined
  #givenUp = 0

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  /** Takes a new connection, if there is room or room can be made; `begin` starts its handshake when its turn has come. */
  admit(socket: Socket, begin: () => void): void {
    socket.on('error', () => {})
    const network = networkOf(socket.remoteAddress ?? '')
    if (!this.#makeRoom(network)) {
      this.#givenUp++
      socket.destroy()
      return
    }
    const connection: Connection = {
      socket,
      network,
      begin,
      phase: 'silent',
      sinceMs: performance.now(),
      vouched: false,
    }
    this.#open.set(socket, connection)
    this.#counts.set(network, this.#count(network) + 1)
    socket.once('close', () => this.#forget(connection))
    this.#check ??= setInterval(() => this.#endOverdue(), CHECK_EVERY_MS).unref()
    awaitHello(socket, () => this.#enqueue(connection))
  }

  enter(socket: Socket, phase: Phase): void {
    const connection = this.#open.get(socket)
    if (!connection) return
    connection.phase = phase
    connection.sinceMs = performance.now()
  }

  phaseOf(socket: Socket): Phase | undefined {
    return this.#open.get(socket)?.phase
  }

  vouch(socket: Socket): void {
    const connection = this.#open.get(socket)
    if (connection) connection.vouched = true
  }

  sockets(): Socket[] {
    return [...this.#open.keys()]
  }

  /** Closes all but those with a request under way whose client gave the right password, or whose handler is at work. */
  cutIdle(): void {
    for (const { socket, phase } of [...this.#open.values()])
      if (phase !== 'request' && phase !== 'answered' && phase !== 'handed out') socket.destroy()
  }

  /** Makes room for others of this process too, when it has no file descriptor left. */
  shed(): void {
    for (let count = 0; count < SHED_AT_ONCE; count++) {
      const victim = this.#leastWanted([...this.#open.values()])
      if (!victim) return
      this.#giveUp(victim, 'no file descriptor is left')
    }
  }

  counts(): ConnectionCounts {
    const before: readonly Phase[] = ['silent', 'queued', 'handshake']
    const handshaking = [...this.#open.values()].filter(({ phase }) => before.includes(phase)).length
    return { open: this.#open.size, limit: this.#options.room.inAll, handshaking, givenUp: this.#givenUp }
  }

  #makeRoom(network: string): boolean {
    const { inAll, perNetwork, perKnownNetwork } = this.#options.room
    const isFullThere = this.#count(network) >= (this.#options.isKnown(network) ? perKnownNetwork : perNetwork)
    if (!isFullThere && this.#open.size < inAll) return true
    const all = [...this.#open.values()]
    const victim = this.#leastWanted(isFullThere ? all.filter((other) => other.network === network) : all)
    if (victim) this.#giveUp(victim, 'there are too many connections')
    return victim !== undefined
  }

  /**
   * One whose client has not given the password before one that has; then one of a network that is not known; then one of the
   * network that has most; then one that has not said hello, or asks nothing; then the one that has stood still for longest,
   * which costs a client that makes progress nothing.
   */
  #leastWanted(candidates: readonly Connection[]): Connection | undefined {
    const rank = (connection: Connection) => [
      connection.vouched ? 1 : 0,
      this.#options.isKnown(connection.network) ? 1 : 0,
      -this.#count(connection.network),
      IDLE.includes(connection.phase) ? IDLE.indexOf(connection.phase) : IDLE.length,
      connection.sinceMs,
    ]
    let least: { readonly connection: Connection; readonly rank: readonly number[] } | undefined
    for (const connection of candidates) {
      const isBusy = connection.vouched && (connection.phase === 'request' || connection.phase === 'answered')
      if (isBusy || connection.phase === 'handed out') continue
      const own = rank(connection)
      if (!least || comesBefore(own, least.rank)) least = { connection, rank: own }
    }
    return least?.connection
  }

  #giveUp(connection: Connection, why: string): void {
    this.#givenUp++
    this.#options.onGivenUp(why, connection.socket)
    this.#forget(connection) // at once: the descriptor is closed a moment later
    connection.socket.destroy()
  }

  #forget({ socket, network }: Connection): void {
    if (!this.#open.delete(socket)) return
    const left = this.#count(network) - 1
    if (left > 0) this.#counts.set(network, left)
    else this.#counts.delete(network)
    if (this.#open.size === 0) {
      clearInterval(this.#check)
      this.#check = undefined
    }
  }

  #count(network: string): number {
    return this.#counts.get(network) ?? 0
  }

  #endOverdue(): void {
    const nowMs = performance.now()
    for (const connection of [...this.#open.values()])
      if (nowMs - connection.sinceMs > this.#options.limitsMs[connection.phase])
        this.#giveUp(connection, `${connection.phase} for too long`)
  }

  #enqueue(connection: Connection): void {
    this.enter(connection.socket, 'queued')
    const { network } = connection
    const queue = this.#options.isKnown(network) ? this.#queues.known : this.#queues.others
    const own = queue.get(network)
    if (own) own.push(connection)
    else queue.set(network, [connection])
    this.#turn ??= setImmediate(() => this.#beginNext())
  }

  /** One handshake in each round of the event loop: it takes milliseconds, in which nothing else is answered. */
  #beginNext(): void {
    const { known, others } = this.#queues
    const next = takeFirst(known) ?? takeFirst(others)
    this.#turn = known.size + others.size > 0 ? setImmediate(() => this.#beginNext()) : undefined
    if (!next || next.socket.destroyed) return
    this.enter(next.socket, 'handshake')
    next.begin()
  }
}

const RECORD_HEAD_BYTES = 5
const HANDSHAKE_RECORD = 22
const LONGEST_RECORD_BYTES = 16_384

/**
 * Calls `ready` when the first TLS record has arrived whole, so that a client pays with a ClientHello before it costs us
 * anything; what is no handshake record is left to OpenSSL at once. The bytes stay with the socket.
 */
function awaitHello(socket: Socket, ready: () => void): void {
  let seen = Buffer.alloc(0)
  const read = () => {
    for (let piece: Buffer | null = socket.read(); piece !== null; piece = socket.read())
      seen = Buffer.concat([seen, piece])
    if (socket.readableEnded || seen.length === 0) return // closes by itself
    const isHandshake = seen[0] === HANDSHAKE_RECORD
    const length = seen.length < RECORD_HEAD_BYTES ? LONGEST_RECORD_BYTES : seen.readUInt16BE(RECORD_HEAD_BYTES - 2)
    if (isHandshake && length <= LONGEST_RECORD_BYTES && seen.length < RECORD_HEAD_BYTES + length) return
    socket.off('readable', read).off('end', end)
    socket.unshift(seen)
    ready()
  }
  const end = () => void socket.destroy()
  socket.on('readable', read).once('end', end)
}

/** Takes the first one of the network whose turn it is, and sends the network to the end. */
function takeFirst(queue: Map<string, Connection[]>): Connection | undefined {
  const [turn] = queue
  if (!turn) return undefined
  const [network, connections] = turn
  const connection = connections.shift()
  queue.delete(network)
  if (connections.length > 0) queue.set(network, connections)
  return connection
}

function comesBefore(one: readonly number[], other: readonly number[]): boolean {
  for (const [index, value] of one.entries()) if (value !== other[index]) return value < (other[index] ?? 0)
  return false
}

/** What the process's file descriptors allow, at most `MOST_ROOM`; those open now stay out of it. */
export function findRoom(): Room {
  const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Number.NaN)
  if (Number.isNaN(limit)) return MOST_ROOM // unlimited
  return roomFor(limit - readdirSync('/proc/self/fd').length - SPARE_DESCRIPTORS)
}

export function roomFor(descriptors: number): Room {
  const inAll = Math.min(Math.max(descriptors, LEAST_IN_ALL), MOST_ROOM.inAll)
  const share = (most: number) => Math.floor((inAll * most) / MOST_ROOM.inAll)
  return { inAll, perNetwork: share(MOST_ROOM.perNetwork), perKnownNetwork: share(MOST_ROOM.perKnownNetwork) }
}
