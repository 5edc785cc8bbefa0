/** One host of the lab as its parts see it: who it is, where its files are, what role it has now. */
import type { ApiValue } from '../../xapi/index.js'
import type { Database, DatabaseImage } from '../database/database.js'
import type { DatabaseCopy } from '../database/database-copy.js'
import type { EventLog } from '../database/event-log.js'
import type { WlbConnection } from '../wlb/wlb-connection.js'
import type { HostLayout } from './layout.js'
import type { LocalSessions, Sessions } from './sessions.js'
import type { HostSettings } from './settings.js'

/** What only the coordinator has. */
export interface Coordinator {
  readonly kind: 'coordinator'
  readonly database: Database
  readonly events: EventLog
  readonly sessions: Sessions
  /** This host's own record. */
  readonly hostRef: string
  /** Set while the pool is being handed over: nothing may change any more. */
  frozen: boolean
  /** Called when this host is coordinator no more. */
  readonly onStepDown: Set<() => void>
}

export interface Member {
  readonly kind: 'member'
  readonly coordinatorAddress: string
  /** Sessions the coordinator has said belong to hosts of the pool. */
  readonly knownPoolSessions: Set<string>
  /** The coordinator's database as last heard. */
  copy: DatabaseCopy | undefined
  /** Connected, and its files compared with the coordinator's. */
  settled: boolean
}

export interface LabHost {
  readonly settings: HostSettings
  readonly layout: HostLayout
  readonly poolSecret: string
  readonly localSessions: LocalSessions
  readonly wlb: WlbConnection
  readonly role: Coordinator | Member
  /** By this host's own clock. */
  readonly now: () => Date
  readonly log: (message: string) => void
  /** Calls another host of the pool over TLS; throws `HostUnreachable` when there is no answer. */
  readonly callPool: (address: string, method: string, params: readonly ApiValue[]) => Promise<ApiValue>
  /** Kept connections were made under the rules of before; the next calls make new ones. */
  readonly forgetIdleConnections: () => void
  /** Makes another role take effect; the files that decide about it are already written. */
  readonly becomeCoordinator: (image: DatabaseImage) => Promise<void>
  readonly becomeMember: (coordinatorAddress: string) => Promise<void>
  /** Serves another pair of certificate and key from now on. */
  readonly reloadIdentities: () => Promise<void>
  /** Believes from now on what its folder says of clock and network. */
  readonly reloadConditions: () => Promise<void>
}

/** No connection, or one that broke before the answer. */
export class HostUnreachable extends Error {
  override readonly name = 'HostUnreachable'
}
