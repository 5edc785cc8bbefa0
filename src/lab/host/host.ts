/**
 * One host of the lab as its parts see it: its identity, its files, its current role, and its calls to the other hosts.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import type { Database, DatabaseCopy, DatabaseImage } from '../database/database.js'
import type { EventLog } from '../database/event-log.js'
import type { RunningOperations } from '../vms/running/running-operations.js'
import type { WlbConnection } from '../wlb/wlb-connection.js'
import type { HostLayout, HostSettings } from './host-files.js'
import type { LocalSessions, Sessions } from './sessions.js'

/** What only the coordinator has. */
export interface Coordinator {
  readonly kind: 'coordinator'
  readonly database: Database
  readonly events: EventLog
  readonly sessions: Sessions
  /** This host's own record. */
  readonly hostRef: string
  readonly operations: RunningOperations
  /** Set during a handover: nothing may change. */
  frozen: boolean
  /** Called when this host stops being coordinator. */
  readonly onStepDown: Set<() => void>
}

export interface Member {
  readonly kind: 'member'
  readonly coordinatorAddress: string
  /** Sessions the coordinator has said belong to hosts of the pool. */
  readonly knownPoolSessions: Set<string>
  /** The last copy received of the coordinator's database. */
  copy: DatabaseCopy | undefined
  /** Connected, and its files compared with the coordinator's. */
  settled: boolean
}

/** The computer a host's program runs on, and the power switches of the others. */
export interface Machine {
  /** Whether the program before this one ended without a word: the host has booted since. Cleared when the coordinator knows. */
  hasBooted: boolean
  /** Ends the program soon, so that the answer to the call is sent first. */
  end(how: 'shutdown' | 'reboot'): void
  /** Switches another host on; tells whether there is one of that name. */
  start(name: string): Promise<boolean>
}

export interface LabHost {
  readonly machine: Machine
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
  /** Closes idle connections, so that the next calls connect under the current rules of verification. */
  readonly forgetIdleConnections: () => void
  /** Takes another role; the files that record it are already written. */
  readonly becomeCoordinator: (image: DatabaseImage) => Promise<void>
  readonly becomeMember: (coordinatorAddress: string) => Promise<void>
  /** Serves another pair of certificate and key from now on. */
  readonly reloadIdentities: () => Promise<void>
  /** Reads the conditions of this host (clock, routes) from its folder again. */
  readonly reloadConditions: () => Promise<void>
}

/** No connection, or one that broke before the answer. */
export class HostUnreachable extends Error {
  override readonly name = 'HostUnreachable'
}

/** A pool waits ten seconds between attempts; hosts of a lab are on one machine. */
const RETRIES = 10
const RETRY_PAUSE_MS = 50

/** Lists the references of all hosts but the coordinator, in the database's order. */
export function memberRefs({ database, hostRef }: Coordinator): string[] {
  return database.refs('host').filter((ref) => ref !== hostRef)
}

/** @throws ApiFailure HANDLE_INVALID when there is no such host. */
export function isLive({ database }: Coordinator, hostRef: string): boolean {
  const metrics = database.find('host_metrics', String(database.get('host', hostRef).metrics))
  return metrics?.live === true
}

/**
 * Calls a member under the coordinator's own session.
 *
 * @throws ApiFailure HOST_OFFLINE at once when the member's heartbeat is gone.
 * @throws ApiFailure CANNOT_CONTACT_HOST when it has a heartbeat and does not answer, after retries.
 */
export async function callMember(
  host: LabHost,
  coordinator: Coordinator,
  hostRef: string,
  method: string,
  ...args: ApiValue[]
): Promise<ApiValue> {
  const { database, sessions } = coordinator
  if (!isLive(coordinator, hostRef)) throw new ApiFailure('HOST_OFFLINE', [hostRef])
  const address = String(database.get('host', hostRef).address)
  const session = sessions.own(coordinator.hostRef)
  for (let attempt = 0; ; attempt++) {
    try {
      return await host.callPool(address, method, [session.ref, ...args])
    } catch (error) {
      if (!(error instanceof HostUnreachable)) throw error
      host.log(`${method} to ${address}: ${error.message}`)
      if (attempt === RETRIES) throw new ApiFailure('CANNOT_CONTACT_HOST', [hostRef])
      await pause(RETRY_PAUSE_MS)
    }
  }
}
