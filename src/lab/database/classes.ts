/**
 * The classes of the lab's pool: one table from which records, getters, setters, events and the lists of `xe` are made.
 * Fields stand in the order `xe` prints them (docs/protocol/pool.md, fields).
 */
import { ABSENT_CLASSES } from './classes/absent.js'
import {
  CERTIFICATE_FIELDS,
  CERTIFICATE_WIRE_ORDER,
  MESSAGE_FIELDS,
  SECRET_FIELDS,
  SESSION_FIELDS,
  TASK_FIELDS,
} from './classes/administration.js'
import { HOST_CPU_FIELDS, HOST_FIELDS, HOST_METRICS_FIELDS, HOST_WIRE_ORDER } from './classes/host.js'
import {
  NETWORK_FIELDS,
  NETWORK_WIRE_ORDER,
  PIF_FIELDS,
  PIF_METRICS_FIELDS,
  PIF_WIRE_ORDER,
  VIF_FIELDS,
  VIF_WIRE_ORDER,
} from './classes/network.js'
import { POOL_FIELDS } from './classes/pool.js'
import {
  PBD_FIELDS,
  SR_FIELDS,
  SR_WIRE_ORDER,
  VBD_FIELDS,
  VBD_WIRE_ORDER,
  VDI_FIELDS,
  VDI_WIRE_ORDER,
} from './classes/storage.js'
import { VM_FIELDS, VM_GROUP_FIELDS, VM_GUEST_METRICS_FIELDS, VM_METRICS_FIELDS, VM_WIRE_ORDER } from './classes/vm.js'
import type { ApiField } from './field.js'

export interface ApiClass {
  /** As on the wire: `pool`, `Certificate`, `VM`. */
  readonly name: string
  readonly fields: readonly ApiField[]
  /** The fields of a record, in the order of the wire; what only `xe` computes is not among them. */
  readonly stored: readonly ApiField[]
  /** Sessions and tasks live as long as the process that made them. */
  readonly lifetime: 'stored' | 'process'
  /** Whether event.from reports it. */
  readonly hasEvents: boolean
}

type Traits = Partial<Pick<ApiClass, 'lifetime' | 'hasEvents'>> & { readonly wireOrder?: readonly string[] }

function apiClass(name: string, fields: readonly ApiField[], traits: Traits = {}): ApiClass {
  const { wireOrder, lifetime = 'stored', hasEvents = true } = traits
  const stored = fields.filter((field) => field.name !== '')
  const rank = new Map(wireOrder?.map((field, index) => [field, index]))
  if (wireOrder) stored.sort((a, b) => (rank.get(a.name) ?? rank.size) - (rank.get(b.name) ?? rank.size))
  return { name, fields, stored, lifetime, hasEvents }
}

export const CLASSES: readonly ApiClass[] = [
  apiClass('pool', POOL_FIELDS),
  apiClass('host', HOST_FIELDS, { wireOrder: HOST_WIRE_ORDER }),
  apiClass('host_metrics', HOST_METRICS_FIELDS),
  apiClass('host_cpu', HOST_CPU_FIELDS),
  apiClass('Certificate', CERTIFICATE_FIELDS, { wireOrder: CERTIFICATE_WIRE_ORDER }),
  apiClass('VM', VM_FIELDS, { wireOrder: VM_WIRE_ORDER }),
  apiClass('VM_metrics', VM_METRICS_FIELDS),
  apiClass('VM_guest_metrics', VM_GUEST_METRICS_FIELDS),
  apiClass('VM_group', VM_GROUP_FIELDS),
  apiClass('SR', SR_FIELDS, { wireOrder: SR_WIRE_ORDER }),
  apiClass('PBD', PBD_FIELDS),
  apiClass('VDI', VDI_FIELDS, { wireOrder: VDI_WIRE_ORDER }),
  apiClass('VBD', VBD_FIELDS, { wireOrder: VBD_WIRE_ORDER }),
  apiClass('network', NETWORK_FIELDS, { wireOrder: NETWORK_WIRE_ORDER }),
  apiClass('PIF', PIF_FIELDS, { wireOrder: PIF_WIRE_ORDER }),
  apiClass('PIF_metrics', PIF_METRICS_FIELDS),
  apiClass('VIF', VIF_FIELDS, { wireOrder: VIF_WIRE_ORDER }),
  apiClass('secret', SECRET_FIELDS),
  apiClass('message', MESSAGE_FIELDS),
  apiClass('task', TASK_FIELDS, { lifetime: 'process' }),
  apiClass('session', SESSION_FIELDS, { lifetime: 'process', hasEvents: false }),
  ...ABSENT_CLASSES.map(([name, fields]) => apiClass(name, fields)),
]

const BY_NAME = new Map(CLASSES.map((owner) => [owner.name.toLowerCase(), owner]))

/** Finds a class by its wire name in any case: event tokens write it in lower case. */
export function findClass(name: string): ApiClass | undefined {
  return BY_NAME.get(name.toLowerCase())
}
