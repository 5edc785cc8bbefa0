/** When load meets what the hosts have: a line through the daily means, so that the course of a day does not count as growth. */
import { type CompiledPool, RESOURCES, type Resource } from '../compiled/compiled-pool.js'

export interface Trend {
  readonly resource: Resource
  /** Of what the live hosts have together, the last whole day; null where it is not known. */
  readonly share: number | null
  /** Growth of that share a day; null where there are less than two whole days of samples. */
  readonly sharePerDay: number | null
  /** When it reaches 90 %; null if it does not within ten years. */
  readonly fullAt: string | null
  readonly why: string
}

const DAY_SECONDS = 86_400
const FULL_SHARE = 0.9
const MOST_DAYS = 3650

/** A trend for each resource whose capacity is known. */
export function findTrends(pool: CompiledPool): readonly Trend[] {
  return RESOURCES.flatMap((resource, r) => {
    const capacity = pool.hosts.reduce(
      (sum, host, h) => sum + (host.live ? (pool.capacity[h * RESOURCES.length + r] ?? 0) : 0),
      0,
    )
    return capacity > 0 && Number.isFinite(capacity) ? [trendOf(pool, resource, capacity)] : []
  })
}

function trendOf({ pool }: CompiledPool, resource: Resource, capacity: number): Trend {
  const shares = dailyMeans(pool, resource).map((mean) => mean / capacity)
  const share = shares.at(-1) ?? null
  const unknown = { resource, share, sharePerDay: null, fullAt: null }
  if (shares.length < 2) return { ...unknown, why: 'the document holds less than two whole days' }
  const sharePerDay = slopeOf(shares)
  const days =
    share === null || sharePerDay <= 0 ? Number.POSITIVE_INFINITY : Math.max(0, FULL_SHARE - share) / sharePerDay
  if (days > MOST_DAYS) return { ...unknown, sharePerDay, why: 'it does not grow towards 90 %' }
  const fullAt = new Date(Date.parse(pool.at) + days * DAY_SECONDS * 1000).toISOString()
  return { resource, share, sharePerDay, fullAt, why: `a line through the means of ${shares.length} days` }
}

/** Of the whole pool for each whole day of the series, oldest first. A VM's unknown samples count as its mean of that day. */
function dailyMeans({ vms, demand: { stepSeconds } }: CompiledPool['pool'], resource: Resource): number[] {
  const perDay = Math.round(DAY_SECONDS / stepSeconds)
  const all = vms.filter(({ state }) => state === 'running').map(({ demand }) => demand[resource] ?? [])
  const days = perDay > 0 ? Math.floor(Math.max(0, ...all.map(({ length }) => length)) / perDay) : 0
  return Array.from({ length: days }, (_, index) => {
    const back = (days - index) * perDay
    return all.reduce((sum, series) => {
      const known = series
        .slice(Math.max(0, series.length - back), Math.max(0, series.length - back + perDay))
        .filter((sample) => sample !== null)
      return sum + (known.length > 0 ? known.reduce((total, sample) => total + sample, 0) / known.length : 0)
    }, 0)
  })
}

/** By least squares, for values one day apart. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const covariance = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0)
  return covariance / values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0)
}
