/**
 * The archives of a round-robin database, and which of them answers a question, as xcp-rrdd does it (xen-api:
 * rrdd_shared.ml `timescales`, rrdd_monitor.ml `create_rras`, rrd.ml `find_best_rras`).
 */
import type { Step } from '../load/activity.js'

/** One for each consolidation function; the five-second archive has averages only. */
export interface Archive {
  readonly cf: Consolidation
  readonly rows: number
  readonly step: Step
  /** The part of a row's samples that may be unknown before the row is. */
  readonly mayBeUnknown: number
}

export const CONSOLIDATIONS = ['AVERAGE', 'MIN', 'MAX'] as const
export type Consolidation = (typeof CONSOLIDATIONS)[number]

/** Seconds between two samples. */
export const SAMPLE_SECONDS = 5

const TIMESCALES: readonly { readonly rows: number; readonly step: Step }[] = [
  { rows: 120, step: 5 },
  { rows: 120, step: 60 },
  { rows: 168, step: 3600 },
  { rows: 366, step: 86_400 },
]

/** How far back the oldest archive reaches. */
export const OLDEST_SECONDS = 366 * 86_400

/** Lists archives in the order in which they are stored; `withExtremes` is the choice of who created the database. */
export function archivesOf(withExtremes: boolean): Archive[] {
  return TIMESCALES.flatMap(({ rows, step }): Archive[] => {
    if (!withExtremes || step === SAMPLE_SECONDS) return [{ cf: 'AVERAGE', rows, step, mayBeUnknown: 0.5 }]
    return CONSOLIDATIONS.map((cf) => ({ cf, rows, step, mayBeUnknown: 1 }))
  })
}

export interface Question {
  /** Seconds since the epoch. */
  readonly start: bigint
  /** The least number of seconds between rows. */
  readonly interval: bigint
  /** Undefined: every one. `NONE` is one that no archive has. */
  readonly cf: Consolidation | 'NONE' | undefined
}

/**
 * Returns the archives of the shortest step that reach back to the start; where none does, those that reach back
 * farthest. Empty when no archive has rows so far apart, undefined when there is none of that function.
 */
export function findArchives(
  archives: readonly Archive[],
  { start, interval, cf }: Question,
  lastSample: number,
): Archive[] | undefined {
  const offered = archives.filter((archive) => cf === undefined || archive.cf === cf)
  const oldest = offered.at(-1)
  if (!oldest) return undefined
  const least = interval / BigInt(SAMPLE_SECONDS)
  const beginOf = ({ rows, step }: Archive) => BigInt(lastSample - rows * step)
  const reaches = (time: bigint) => (archive: Archive) =>
    BigInt(archive.step / SAMPLE_SECONDS) >= least && time > beginOf(archive)
  const first = offered.find(reaches(start))
  if (first) return offered.filter(({ rows, step }) => rows === first.rows && step === first.step)
  return offered.filter(reaches(beginOf(oldest) + 1n))
}
