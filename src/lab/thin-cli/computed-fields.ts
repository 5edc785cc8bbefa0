/** Fields that are in no record: `xe` works them out from other objects. */
import { isApiMap } from '../../xapi/index.js'
import type { ApiClass } from '../database/classes.js'
import type { Rpc } from '../host/rpc.js'
import { type ApiRecord, NOT_IN_DATABASE } from './field-text.js'

type Computation = (record: ApiRecord, rpc: Rpc) => Promise<string>

const COMPUTATIONS: Readonly<Record<string, Computation>> = {
  'pool.supported-sr-types': async (_record, rpc) => [...new Set(await texts(rpc, 'SR', 'type'))].sort().join('; '),
  // The pool's edition is the least of its hosts'; the lab gives all of them the same, and none of them ends.
  'pool.license-state': async (_record, rpc) =>
    `edition: ${(await texts(rpc, 'host', 'edition'))[0] ?? 'free'}; expiry: never`,
  'host.memory-total': (record, rpc) => metric(record, rpc, 'memory_total'),
  'host.memory-free': (record, rpc) => metric(record, rpc, 'memory_free'),
  'host.memory-free-computed': (record, rpc) => metric(record, rpc, 'memory_free'),
  'host.host-metrics-live': (record, rpc) => metric(record, rpc, 'live'),
  'VM.memory-actual': async ({ power_state, memory_target }) =>
    power_state === 'Running' ? String(memory_target ?? 0n) : '0',
}

/** The text of a field that exists for `xe` only; what cannot be worked out is shown as not in the database. */
export async function computeField(owner: ApiClass, name: string, record: ApiRecord, rpc: Rpc): Promise<string> {
  return (await COMPUTATIONS[`${owner.name}.${name}`]?.(record, rpc)) ?? NOT_IN_DATABASE
}

async function metric(host: ApiRecord, rpc: Rpc, name: string): Promise<string> {
  const metrics = await rpc('host_metrics.get_record', host.metrics ?? '').catch(() => undefined)
  const value = metrics !== undefined && isApiMap(metrics) ? metrics[name] : undefined
  return value === undefined ? NOT_IN_DATABASE : String(value)
}

async function texts(rpc: Rpc, className: string, name: string): Promise<string[]> {
  const records = await rpc(`${className}.get_all_records`)
  if (!isApiMap(records)) return []
  return Object.values(records).map((record) => String((isApiMap(record) && record[name]) || ''))
}
