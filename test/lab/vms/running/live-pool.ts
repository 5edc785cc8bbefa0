/** A lab whose VMs are started, moved and ended: what tests ask and tell its coordinator. */
import { type ApiValue, isApiMap } from '../../../../src/xapi/index.js'
import type { TestPool } from '../../test-pool.js'

export type Record_ = { readonly [field: string]: ApiValue }

export class LivePool {
  readonly pool: TestPool
  /** The host that is asked. */
  coordinator = 'xs1'

  constructor(pool: TestPool) {
    this.pool = pool
  }

  call(method: string, ...params: ApiValue[]): Promise<ApiValue> {
    return this.pool.call(this.coordinator, method, ...params)
  }

  outcome(method: string, ...params: ApiValue[]): Promise<string> {
    return this.pool.outcome(this.coordinator, method, ...params)
  }

  async record(className: string, ref: string): Promise<Record_> {
    const record = await this.call(`${className}.get_record`, ref)
    if (!isApiMap(record)) throw new Error('no record')
    return record
  }

  async records(className: string): Promise<readonly (readonly [string, Record_])[]> {
    const records = await this.call(`${className}.get_all_records`)
    if (!isApiMap(records)) throw new Error('no records')
    return Object.entries(records).map(([ref, record]) => {
      if (!isApiMap(record)) throw new Error('no record')
      return [ref, record]
    })
  }

  hostRef(name: string): Promise<string> {
    return this.pool.ref(name, this.coordinator)
  }

  /** References of the guests on a host, in the order of their names. */
  async guestsOn(name: string): Promise<string[]> {
    const host = await this.hostRef(name)
    const vms = await this.records('VM')
    return vms
      .filter(([, vm]) => vm.resident_on === host && vm.is_control_domain === false)
      .sort(([, a], [, b]) => String(a.name_label).localeCompare(String(b.name_label)))
      .map(([ref]) => ref)
  }

  async guestOn(name: string): Promise<string> {
    const [guest] = await this.guestsOn(name)
    if (guest === undefined) throw new Error(`no guest on ${name}`)
    return guest
  }

  /** Where a VM is, in words: `Running on xs2`. */
  async whereIs(vm: string): Promise<string> {
    const { power_state, resident_on, scheduled_to_be_resident_on, current_operations } = await this.record('VM', vm)
    const hosts = new Map((await this.records('host')).map(([ref, host]) => [ref, String(host.name_label)]))
    const place = hosts.get(String(resident_on))
    const next = hosts.get(String(scheduled_to_be_resident_on))
    const busy = Object.values(isApiMap(current_operations ?? '') ? Object(current_operations) : {}).join(' ')
    return [power_state, place && `on ${place}`, next && `going to ${next}`, busy && `(${busy})`]
      .filter(Boolean)
      .join(' ')
  }

  /** Waits for a task to end; returns its record. */
  async taskEnd(task: string, limitMs = 20_000): Promise<Record_> {
    const deadline = Date.now() + limitMs
    for (;;) {
      const record = await this.record('task', task)
      if (record.status !== 'pending' && record.status !== 'cancelling') return record
      if (Date.now() > deadline) throw new Error('the task does not end')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
