/** Words and numbers for people: what every sentence of advice is made of. */
import type { CompiledPool } from './compiled-pool.js'
import { meanShareOf, minutesOver } from './congestion.js'
import type { Placement } from './placement.js'

export function nameOfHost({ hosts }: CompiledPool, h: number): string {
  return hosts[h]?.name ?? hosts[h]?.uuid ?? 'nowhere'
}

export function nameOfVm({ vms }: CompiledPool, v: number): string {
  return vms[v]?.name ?? vms[v]?.uuid ?? ''
}

/** "1 move", "3 moves". */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** To a thousandth, and never -0: what a document holds. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000 + 0
}

/** How a host is and how it would be: "CPU 92 -> 61 %, minutes an hour over 76.5 % 40 -> 0, over 90 % 19 -> 0". */
export function describeChange(pool: CompiledPool, h: number, before: Placement, after: Placement): string {
  const whole = (share: number) => Math.round(share * 100)
  const change = (of: (placement: Placement) => number) => `${Math.round(of(before))} -> ${Math.round(of(after))}`
  const cpu = (placement: Placement) => whole(meanShareOf(pool, placement, h, 0))
  const memory = (placement: Placement) => whole((placement.wantBytes[h] ?? 0) / Math.max(1, pool.memoryBytes[h] ?? 0))
  const over = (share: number) => change((placement) => minutesOver(pool, placement, share, h))
  return `CPU ${change(cpu)} %, memory ${change(memory)} %, minutes an hour over 76.5 % ${over(0.765)}, over 90 % ${over(0.9)}`
}
