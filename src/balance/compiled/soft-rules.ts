/** What should rules and the spread of VM groups are worth, beside congestion: a preference has a price, a must rule has none. */

import { violationsOf } from '../rules/rule-violations.js'
import type { CompiledPool } from './compiled-pool.js'

/** A broken should rule costs this for each VM or pair, in congested host-minutes over the horizon. */
const SHOULD_COST = 60
/** A pair of a VM group on one host. */
const SPREAD_COST = 20

/** What moving `v` to `to` gains by should rules and VM groups; less than 0 where it breaks some. */
export function softGain(pool: CompiledPool, hostOf: Int32Array, v: number, to: number): number {
  return softGains(pool, hostOf, v, to).reduce((sum, { gain }) => sum + gain, 0)
}

/** The same for each of them apart. */
export function softGains({ rules, rulesOf }: CompiledPool, hostOf: Int32Array, v: number, to: number) {
  const concerned = (rulesOf[v] ?? []).flatMap((number) => rules[number] ?? []).filter(({ must }) => !must)
  if (concerned.length === 0) return []
  const after = hostOf.slice()
  after[v] = to
  return concerned.map((rule) => ({
    rule,
    gain: (violationsOf(rule, hostOf) - violationsOf(rule, after)) * (rule.isGroup ? SPREAD_COST : SHOULD_COST),
  }))
}
