/** What a policy sees: the document as it would have been written at that time. */
import type { Pool } from '../document/pool-document.js'
import type { Series } from '../document/series.js'
import type { Replayed } from './day.js'

/** A sample that has begun is seen, with the value it has so far. */
export function seenAt(pool: Pool, day: Replayed, minute: number): Pool {
  const unseen = Math.max(0, day.samples - day.knownSamples - Math.ceil((minute * 60) / pool.demand.stepSeconds))
  const until = (series: Series | undefined) => series?.slice(0, Math.max(0, series.length - unseen))
  const demandUntil = (demand: Pool['vms'][number]['demand']) => ({
    cpu: until(demand.cpu),
    networkReceive: until(demand.networkReceive),
    networkTransmit: until(demand.networkTransmit),
    diskRead: until(demand.diskRead),
    diskWrite: until(demand.diskWrite),
  })
  const timeOf = (then: number) => new Date(Date.parse(pool.at) - (day.minutes - then) * 60_000).toISOString()
  return {
    ...pool,
    at: timeOf(minute),
    hosts: pool.hosts.map((host, h) => ({
      ...host,
      live: day.isOn[h] === 1,
      enabled: host.enabled || (day.isOffByUs[h] === 1 && day.isOn[h] === 1),
      base: host.base && demandUntil(host.base),
      power: host.power && { ...host.power, poweredOffByUs: day.isOffByUs[h] === 1 && day.isOn[h] === 0 },
    })),
    vms: pool.vms.map((vm, v) => {
      const movedAt = day.movedAtMinute[v] ?? Number.NaN
      return {
        ...vm,
        host: pool.hosts[day.hostOf[v] ?? -1]?.uuid ?? vm.host,
        demand: demandUntil(vm.demand),
        lastMovedAt: Number.isNaN(movedAt) ? vm.lastMovedAt : timeOf(movedAt),
      }
    }),
  }
}
