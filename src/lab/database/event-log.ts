/**
 * Which objects changed since when, for event.from: one entry per object, so that ten changes are one event. A token is
 * the database's generation. Removed objects are remembered up to a limit; beyond it callers get EVENTS_LOST.
 *
 * Changes are also kept in their order, so that a caller who is up to date costs as much as has changed, and not as much as the
 * pool has objects: each change wakes every caller.
 */
import { createHash } from 'node:crypto'
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { CLASSES, findClass } from './classes.js'
import type { ApiRecord, Change, Database } from './database.js'
import { shownRecord } from './records.js'

const REMEMBERED_REMOVALS = 5000

/** Traces that count no more are dropped when there are more of them than of the others, and than these. */
const SPARE_TRACES = 1000

type Times = Pick<Trace, 'created' | 'modified'>

interface Trace {
  readonly className: string
  readonly ref: string
  readonly created: number
  readonly modified: number
}

type Batch = {
  readonly events: readonly ApiValue[]
  readonly valid_ref_counts: { readonly [className: string]: bigint }
  readonly token: string
}

export class EventLog {
  readonly #database: Database
  readonly #traces = new Map<string, Trace>()
  /** In the order of `modified`; an object's last one is also in `#traces`, earlier ones count no more. */
  #order: Trace[] = []
  readonly #born: number
  readonly #stop: () => void
  readonly #subscriptions = new Map<string, { readonly patterns: readonly string[]; readonly token: string }>()
  #removed: { className: string; ref: string; created: number; generation: number }[] = []
  #forgottenUntil = 0
  #closed = false
  #waiting: (() => void)[] = []

  constructor(database: Database) {
    this.#database = database
    this.#born = database.generation
    this.#stop = database.onChange((change) => this.#record(change))
  }

  /** Ends every wait; the callers get the events so far. */
  close(): void {
    this.#closed = true
    this.#stop()
    this.#wake()
  }

  /** Marks an object as changed and returns a token from before that change. */
  inject(className: string, ref: string): string {
    const token = tokenOf(this.#database.generation)
    this.#database.get(className, ref)
    const generation = this.#database.advance()
    this.#record({ className, ref, operation: 'mod', generation })
    return token
  }

  /**
   * Returns what happened to the classes since the token, waiting up to `timeoutMs` for something to happen. `stopped` is asked
   * after each change; it throws what the caller is told when its session has ended.
   *
   * @throws ApiFailure EVENTS_LOST when removals since the token are no longer remembered.
   * @throws ApiFailure EVENT_FROM_TOKEN_PARSE_FAILURE when the token is not one of ours.
   */
  async from(patterns: readonly string[], token: string, timeoutMs: number, stopped: () => boolean): Promise<Batch> {
    const since = token === '' ? -1 : parseToken(token)
    if (token !== '' && since < this.#forgottenUntil) throw new ApiFailure('EVENTS_LOST', [])
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const events = this.#since(patterns, since)
      const leftMs = deadline - Date.now()
      if (events.length > 0 || token === '' || leftMs <= 0 || this.#closed || stopped()) return this.#answer(events)
      await this.#nextChange(leftMs)
    }
  }

  /** The legacy form: one subscription per session, which remembers how far its caller has read. */
  subscribe(session: string, patterns: readonly string[]): void {
    const known = this.#subscriptions.get(session)
    this.#subscriptions.set(session, {
      patterns: [...(known?.patterns ?? []), ...patterns],
      token: known?.token ?? tokenOf(this.#database.generation),
    })
  }

  unsubscribe(session: string): void {
    this.#subscriptions.delete(session)
  }

  /** @throws ApiFailure SESSION_NOT_REGISTERED when the session has not subscribed, and what `assertLive` throws. */
  async next(session: string, timeoutMs: number, assertLive: () => void): Promise<ApiValue> {
    const known = this.#subscriptions.get(session)
    if (!known) throw new ApiFailure('SESSION_NOT_REGISTERED', [trackOf(session)])
    const stopped = () => {
      assertLive()
      return !this.#subscriptions.has(session)
    }
    const { events, token } = await this.from(known.patterns, known.token, timeoutMs, stopped)
    if (this.#subscriptions.has(session)) this.#subscriptions.set(session, { ...known, token })
    return events
  }

  currentId(): bigint {
    return BigInt(this.#database.generation)
  }

  #since(patterns: readonly string[], since: number): ApiValue[] {
    const events: { generation: number; event: ApiValue }[] = []
    const report = (name: string, ref: string, record: ApiRecord, { created, modified }: Times) => {
      if (modified <= since || !matches(patterns, name, ref)) return
      const operation = created > since ? 'add' : 'mod'
      const snapshot = shownRecord(this.#database, name, record)
      events.push({ generation: modified, event: eventOf(modified, name, ref, operation, snapshot) })
    }
    if (since < this.#born) {
      for (const { name, hasEvents } of CLASSES) {
        if (!hasEvents) continue
        for (const [ref, record] of this.#database.rows(name)) {
          report(name, ref, record, this.#traces.get(ref) ?? { created: 0, modified: this.#born })
        }
      }
    } else {
      for (let at = this.#order.length - 1; at >= 0; at--) {
        const trace = this.#order[at]
        if (!trace || trace.modified <= since) break
        const record = this.#traces.get(trace.ref) === trace && this.#database.find(trace.className, trace.ref)
        if (record) report(trace.className, trace.ref, record, trace)
      }
    }
    for (const { className, ref, created, generation } of this.#removed) {
      if (generation <= since || created > since || !matches(patterns, className, ref)) continue
      events.push({ generation, event: eventOf(generation, className, ref, 'del') })
    }
    return events.sort((a, b) => a.generation - b.generation).map(({ event }) => event)
  }

  #answer(events: ApiValue[]): Batch {
    const counts = CLASSES.filter(({ hasEvents }) => hasEvents).map(
      ({ name }) => [name.toLowerCase(), BigInt(this.#database.refs(name).length)] as const,
    )
    return { events, valid_ref_counts: Object.fromEntries(counts), token: tokenOf(this.#database.generation) }
  }

  #record({ className, ref, operation, generation }: Change): void {
    if (className === 'session' && operation === 'del') {
      this.#subscriptions.delete(ref)
      this.#wake() // whoever waits with it is told so
    }
    if (!findClass(className)?.hasEvents) return
    const created = operation === 'add' ? generation : (this.#traces.get(ref)?.created ?? 0)
    if (operation === 'del') {
      this.#traces.delete(ref)
      this.#removed.push({ className, ref, created, generation })
      if (this.#removed.length > REMEMBERED_REMOVALS) {
        this.#forgottenUntil = this.#removed.shift()?.generation ?? this.#forgottenUntil
      }
    } else {
      const trace = { className, ref, created, modified: generation }
      this.#traces.set(ref, trace)
      this.#order.push(trace)
      if (this.#order.length > 2 * this.#traces.size + SPARE_TRACES) {
        this.#order = this.#order.filter((one) => this.#traces.get(one.ref) === one)
      }
    }
    this.#wake()
  }

  #nextChange(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}

function eventOf(generation: number, className: string, ref: string, operation: string, snapshot?: ApiValue): ApiValue {
  return {
    id: String(generation),
    timestamp: '0.0',
    class: className.toLowerCase(),
    operation,
    ref,
    ...(snapshot !== undefined && { snapshot }),
  }
}

function matches(patterns: readonly string[], className: string, ref: string): boolean {
  return patterns.some((pattern) => {
    const [wanted, wantedRef] = pattern.split('/', 2)
    if (wanted === '*') return true
    return wanted?.toLowerCase() === className.toLowerCase() && (wantedRef === undefined || wantedRef === ref)
  })
}

/** A pool names a session by a hash where others may read it (context.ml). */
function trackOf(session: string): string {
  return `trackid=${createHash('md5').update(session).digest('hex')}`
}

/** Two counters, as a pool writes them; ours are always the same one. */
function tokenOf(generation: number): string {
  const digits = String(generation).padStart(20, '0')
  return `${digits},${digits}`
}

function parseToken(token: string): number {
  const found = /^(\d{1,20}),\d{1,20}$/.exec(token)
  if (!found) throw new ApiFailure('EVENT_FROM_TOKEN_PARSE_FAILURE', [token])
  return Number(found[1])
}
