/** Exchanges of two VMs, where no single move pays. */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { congestionWith, horizonMinutes } from '../compiled/congestion.js'
import { type Prices, priceOf, pricesOf } from '../compiled/prices.js'
import { LEAST_SURPLUS, type Search, type Shift } from './search.js'

/** Hosts that are relieved, and VMs of each that might leave it. */
const MOST_HOSTS = 8
const MOST_VMS = 16

export type Swap = readonly [out: Shift, back: Shift]

/** The exchange with the largest surplus that gains more than `margin` times its cost; `refused` has v * vms + w. */
export function bestSwap(
  search: Search,
  margin: number,
  refused: ReadonlySet<number>,
  barred?: Uint8Array,
): Swap | undefined {
  const { pool, placement } = search
  const hot = hottest(search)
  if (hot.length === 0) return undefined
  const horizon = horizonMinutes(pool)
  const partners = pool.vms.flatMap((_, w) => (barred?.[w] !== 1 && mayExchange(search, w) ? [w] : []))
  const prices: (Prices | undefined)[] = []
  const pricesAt = (h: number) => {
    prices[h] ??= pricesOf(pool, placement, h)
    return prices[h]
  }
  const ownPrice = partners.map((w) => priceOf(pool, pricesAt(placement.hostOf[w] ?? 0), w))
  let best: Swap | undefined
  let most = LEAST_SURPLUS
  for (const a of hot) {
    const priceOnA = partners.map((w) => priceOf(pool, pricesAt(a), w))
    for (const v of leaving(search, a, barred)) {
      const relief = search.reliefOf(v, a)
      const ownOfV = priceOf(pool, pricesAt(a), v)
      const elsewhere = new Float64Array(pool.hosts.length).fill(Number.NaN)
      for (const [at, w] of partners.entries()) {
        const b = placement.hostOf[w] ?? NOWHERE
        if (b === a) continue
        const extra = search.costOf(v, b) + search.costOf(w, a)
        const needed = Math.max(most + extra, extra > 0 ? margin * extra : 0)
        // three bounds, the cheapest first, that the gain never exceeds, as congestion is convex
        if (horizon * (relief + (ownPrice[at] ?? 0)) <= needed) continue
        if (Number.isNaN(elsewhere[b] ?? 0)) elsewhere[b] = priceOf(pool, pricesAt(b), v)
        const onB = (ownPrice[at] ?? 0) - (elsewhere[b] ?? 0)
        if (horizon * (Math.min(relief, ownOfV - (priceOnA[at] ?? 0)) + onB) <= needed) continue
        if (horizon * (relief + search.reliefOf(w, b)) <= needed) continue
        if (refused.has(v * pool.vms.length + w) || !fits(search, v, w)) continue
        search.evaluations += 2
        const after = congestionWith(pool, placement, a, w, v) + congestionWith(pool, placement, b, v, w)
        const gain = horizon * (search.congestion(a) + search.congestion(b) - after)
        if (gain <= needed) continue
        most = gain - extra
        const out = { v, from: a, to: b, gain, cost: search.costOf(v, b) }
        best = [out, { v: w, from: b, to: a, gain: 0, cost: search.costOf(w, a) }]
      }
    }
  }
  return best
}

function hottest(search: Search): number[] {
  return search.pool.hosts
    .flatMap((_, h) => (search.congestion(h) > 0 ? [h] : []))
    .sort((one, other) => search.congestion(other) - search.congestion(one) || one - other)
    .slice(0, MOST_HOSTS)
}

/** Those that relieve host `a` most. */
function leaving(search: Search, a: number, barred?: Uint8Array): number[] {
  return search.pool.vms
    .flatMap((_, v) => (search.placement.hostOf[v] === a && barred?.[v] !== 1 && mayExchange(search, v) ? [v] : []))
    .sort((one, other) => search.reliefOf(other, a) - search.reliefOf(one, a) || one - other)
    .slice(0, MOST_VMS)
}

/** VMs in rules and groups move alone: what an exchange does to a rule depends on its order. */
function mayExchange(search: Search, v: number): boolean {
  return (search.pool.rulesOf[v] ?? []).length === 0 && search.mayLeave(v, search.placement.hostOf[v] ?? NOWHERE)
}

function fits(search: Search, v: number, w: number): boolean {
  const { pool, placement } = search
  const [a, b] = [placement.hostOf[v] ?? 0, placement.hostOf[w] ?? 0]
  return search.mayReceive(v, b, bytesOf(pool, w)) && search.mayReceive(w, a, bytesOf(pool, v))
}

function bytesOf({ floorBytes }: CompiledPool, v: number): number {
  return floorBytes[v] ?? 0
}
