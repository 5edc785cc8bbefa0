/** The message that all running members of a group are on one host: written when that comes about, withdrawn when it ends. */
import type { Database } from '../../database/database.js'
import { breachedOn } from '../checks/groups.js'
import { textOf } from '../values.js'
import { writeMessage } from './messages.js'

const NAME = 'ALL_RUNNING_VMS_IN_ANTI_AFFINITY_GRP_ON_SINGLE_HOST'

export function refreshGroupAlerts(database: Database, groups: readonly string[], now: Date): void {
  for (const group of groups) {
    const record = database.find('VM_group', group)
    if (!record) continue
    const host = record.placement === 'anti_affinity' ? breachedOn(database, group) : undefined
    const uuid = textOf(record, 'uuid')
    const body =
      host === undefined
        ? undefined
        : `<body><message>Breach on VM anti-affinity rules</message><VM_group>${uuid}</VM_group><host>${textOf(database.get('host', host), 'uuid')}</host></body>`
    const written = database
      .rows('message')
      .filter(([, message]) => message.name === NAME && textOf(message, 'body').includes(`<VM_group>${uuid}<`))
    for (const [ref, message] of written) if (message.body !== body) database.destroy('message', ref)
    const isKnown = written.some(([, message]) => message.body === body)
    if (body !== undefined && !isKnown) writeMessage(database, NAME, { cls: 'Pool', ref: database.pool.ref }, body, now)
  }
}
