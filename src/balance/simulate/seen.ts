/** What a policy sees: the document as it would have been written at that time. */
import type { Pool } from '../document/pool-document.js'
import type { Series } from '../document/series.js'
import type { Replayed } from './day.js'

/**
 * Makes the documents of a replay, one for each minute that is asked for. A sample that has begun is seen, with the value it has
 * so far.
 */
export function viewOf(pool: Pool, day: Replayed): (minute: number) => Pool {
  const timeOf = (minute: number) => new Date(Date.parse(pool.at) - (day.minutes - minute) * 60_000).toISOString()
  const timeOrElse = (minute = Number.NaN, time: string | undefined) => (Number.isNaN(minute) ? time : timeOf(minute))
  let unseen = -1
  let known: Pick<Pool, 'hosts' | 'vms'> = pool
  return (minute) => {
    const left = Math.max(0, day.samples - day.knownSamples - Math.ceil((minute * 60) / pool.demand.stepSeconds))
    if (left !== unseen) known = cut(pool, left)
    unseen = left
    return {
      ...pool,
      at: timeOf(minute),
      hosts: known.hosts.map((host, h) => ({
        ...host,
        live: day.isOn[h] === 1,
        enabled: host.enabled || (day.isOffByUs[h] === 1 && day.isOn[h] === 1),
        power: host.power && {
          ...host.power,
          poweredOffByUs: day.isOffByUs[h] === 1 && day.isOn[h] === 0,
          changedAt: timeOrElse(day.switchedAtMinute[h], host.power.changedAt),
        },
      })),
      vms: known.vms.map((vm, v) => {
        const host = pool.hosts[day.hostOf[v] ?? -1]?.uuid ?? vm.host
        const lastMovedAt = timeOrElse(day.movedAtMinute[v], vm.lastMovedAt)
        return host === vm.host && lastMovedAt === vm.lastMovedAt ? vm : { ...vm, host, lastMovedAt }
      }),
    }
  }
}

/** The pool without the last samples of each series. */
function cut({ hosts, vms }: Pool, unseen: number): Pick<Pool, 'hosts' | 'vms'> {
  const until = (series: Series | undefined) => series?.slice(0, Math.max(0, series.length - unseen))
  const demandUntil = (demand: Pool['vms'][number]['demand']) => ({
    cpu: until(demand.cpu),
    networkReceive: until(demand.networkReceive),
    networkTransmit: until(demand.networkTransmit),
    diskRead: until(demand.diskRead),
    diskWrite: until(demand.diskWrite),
  })
  return {
    hosts: hosts.map((host) => ({ ...host, base: host.base && demandUntil(host.base) })),
    vms: vms.map((vm) => ({ ...vm, demand: demandUntil(vm.demand) })),
  }
}
