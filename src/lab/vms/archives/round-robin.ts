/**
 * The round-robin database of one host, VM or storage repository. Nothing is stored: a row is computed when somebody asks
 * for it, from what the machines demanded and got (../load/), and is the same each time.
 */
import { parts, type TimeWindow } from '../load/activity.js'
import type { Precision } from '../load/pool-load.js'
import type { Archive, Consolidation } from './archives.js'

export interface Source {
  readonly name: string
  readonly type: 'GAUGE' | 'DERIVE' | 'ABSOLUTE'
  readonly min: number
  readonly max: number
}

/** A source with the way to its value; `Facts` is what is known of its owner in a window. */
export interface ValuedSource<Facts> extends Source {
  readonly value: (facts: Facts) => number
}

export interface RoundRobin {
  /** `host:UUID:`, `vm:UUID:`, `sr:UUID:` */
  readonly prefix: string
  readonly sources: readonly Source[]
  readonly archives: readonly Archive[]
  /** A row; unknown values are NaN. */
  readonly row: (window: TimeWindow, cf: Consolidation) => number[]
}

interface Owner<Facts> {
  readonly prefix: string
  readonly sources: readonly ValuedSource<Facts>[]
  readonly archives: readonly Archive[]
  /** Undefined while nothing is known of the owner. Parts of a row, of which the least or greatest is taken, may be coarse. */
  readonly factsOf: (window: TimeWindow, precision: Precision) => Facts | undefined
}

export function roundRobin<Facts>({ prefix, sources, archives, factsOf }: Owner<Facts>): RoundRobin {
  const average = (window: TimeWindow, precision: Precision): number[] => {
    const facts = factsOf(window, precision)
    return sources.map(({ value }) => (facts === undefined ? Number.NaN : value(facts)))
  }
  return {
    prefix,
    sources,
    archives,
    row(window, cf) {
      if (cf === 'AVERAGE') return average(window, 'fine')
      const rows = parts(window).map((part) => average(part, 'coarse'))
      return extremes(rows, cf)
    },
  }
}

/** The least or greatest mean of the parts of the window. */
function extremes(rows: readonly number[][], cf: 'MIN' | 'MAX'): number[] {
  const [first = []] = rows
  const better = cf === 'MIN' ? Math.min : Math.max
  return first.map((_, column) => {
    const known = rows.map((row) => row[column] ?? Number.NaN).filter((value) => !Number.isNaN(value))
    return known.length === 0 ? Number.NaN : better(...known)
  })
}

/** A rate that cannot be negative. */
export function rate<Facts>(
  name: string,
  value: (facts: Facts) => number,
  max = Number.POSITIVE_INFINITY,
): ValuedSource<Facts> {
  return { name, type: 'DERIVE', min: 0, max, value }
}

export function gauge<Facts>(name: string, value: (facts: Facts) => number): ValuedSource<Facts> {
  return { name, type: 'GAUGE', min: 0, max: Number.POSITIVE_INFINITY, value }
}

/** What has happened since the last sample, by the second. */
export function absolute<Facts>(name: string, value: (facts: Facts) => number): ValuedSource<Facts> {
  return { name, type: 'ABSOLUTE', min: 0, max: Number.POSITIVE_INFINITY, value }
}

/** Sources stand in the order of their names (rrdd_monitor.ml keeps them in a map). */
export function inOrder<Facts>(sources: readonly ValuedSource<Facts>[]): ValuedSource<Facts>[] {
  return sources.toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

/** Six digits behind the point: finer than what is measured. */
export function fraction(value: number): number {
  return Math.round(value * 1e6) / 1e6
}

/** Bytes and the like, three digits behind the point. */
export function amount(value: number): number {
  return Math.round(value * 1e3) / 1e3
}
