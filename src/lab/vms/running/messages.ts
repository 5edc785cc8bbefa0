/** The messages a pool writes about its VMs, with xapi's names and priorities (api_messages.ml). */
import type { Database } from '../../database/database.js'
import { textOf } from '../values.js'

const PRIORITIES = {
  VM_STARTED: 5n,
  VM_SHUTDOWN: 5n,
  VM_REBOOTED: 5n,
  VM_SUSPENDED: 5n,
  VM_RESUMED: 5n,
  VM_MIGRATED: 5n,
  WLB_CONSULTATION_FAILED: 3n,
  ALL_RUNNING_VMS_IN_ANTI_AFFINITY_GRP_ON_SINGLE_HOST: 3n,
} as const

export type MessageName = keyof typeof PRIORITIES

interface Subject {
  readonly cls: 'VM' | 'Host' | 'Pool'
  readonly ref: string
}

const CLASS_NAMES = { VM: 'VM', Host: 'host', Pool: 'pool' } as const

export function writeMessage(
  database: Database,
  name: MessageName,
  { cls, ref }: Subject,
  body: string,
  now: Date,
): void {
  database.create('message', {
    name,
    priority: PRIORITIES[name],
    cls,
    obj_uuid: textOf(database.get(CLASS_NAMES[cls], ref), 'uuid'),
    body,
    timestamp: now,
  })
}

/** A host as messages name it. */
export function nameHost(database: Database, ref: string): string {
  const host = database.get('host', ref)
  return `${textOf(host, 'name_label')} (uuid: ${textOf(host, 'uuid')})`
}
