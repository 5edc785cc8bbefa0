/** Sessions: on the coordinator one record each, lost when its process ends (docs/protocol/pool.md, sessions). */
import { randomUUID } from 'node:crypto'
import { ApiFailure } from '../../xapi/index.js'
import type { Database } from '../database/database.js'

/** A `pool` session belongs to a host of the pool, a `local` one counts on the host that gave it only. */
type SessionKind = 'user' | 'pool' | 'local'

export interface Session {
  readonly ref: string
  readonly kind: SessionKind
  /** Its user has the read-only role and no other. */
  readonly isReadOnly: boolean
}

export interface User {
  readonly name: string
  readonly isReadOnly: boolean
}

const ROOT: User = { name: 'root', isReadOnly: false }

const MOST_SESSIONS = 500

export class Sessions {
  readonly #database: Database
  readonly #order = new Set<string>()
  readonly #now: () => Date
  #ownPoolSession: string | undefined

  constructor(database: Database, now: () => Date) {
    this.#database = database
    this.#now = now
  }

  /** Opens a session; beyond a bound the one unused for longest ends. */
  open(kind: 'user' | 'pool', host: string, originator: string, user = ROOT): Session {
    const now = this.#now()
    const ref = this.#database.create('session', {
      this_host: host,
      pool: kind === 'pool',
      originator,
      is_local_superuser: !user.isReadOnly,
      auth_user_name: user.name,
      last_active: now,
      validation_time: now,
    })
    this.#order.add(ref)
    const [oldest] = this.#order
    if (this.#order.size > MOST_SESSIONS && oldest) this.close(oldest)
    return { ref, kind, isReadOnly: user.isReadOnly }
  }

  find(ref: string): Session | undefined {
    const record = this.#database.find('session', ref)
    if (!record) return undefined
    this.#order.delete(ref)
    this.#order.add(ref)
    const isReadOnly = record.is_local_superuser !== true
    return { ref, kind: record.pool === true ? 'pool' : 'user', isReadOnly }
  }

  /** Ends the session of every user, as the idle timeout does. */
  expire(): void {
    for (const ref of [...this.#order]) if (this.#database.find('session', ref)?.pool !== true) this.close(ref)
  }

  close(ref: string): void {
    this.#order.delete(ref)
    this.#database.destroy('session', ref)
  }

  /** The session under which the coordinator calls its members. */
  own(host: string): Session {
    const known = this.#ownPoolSession === undefined ? undefined : this.find(this.#ownPoolSession)
    if (known) return known
    const opened = this.open('pool', host, 'xapi')
    this.#ownPoolSession = opened.ref
    return opened
  }
}

/** Sessions of emergency commands, which work without a coordinator. */
export class LocalSessions {
  readonly #refs = new Set<string>()

  open(): Session {
    const ref = `OpaqueRef:${randomUUID()}`
    const [oldest] = this.#refs
    if (this.#refs.size >= MOST_SESSIONS && oldest) this.#refs.delete(oldest)
    this.#refs.add(ref)
    return { ref, kind: 'local', isReadOnly: false }
  }

  find(ref: string): Session | undefined {
    return this.#refs.has(ref) ? { ref, kind: 'local', isReadOnly: false } : undefined
  }

  expire(): void {
    this.#refs.clear()
  }

  close(ref: string): void {
    this.#refs.delete(ref)
  }
}

export function sessionInvalid(ref: string): ApiFailure {
  return new ApiFailure('SESSION_INVALID', [ref])
}
