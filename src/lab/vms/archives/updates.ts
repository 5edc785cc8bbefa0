/** The rows of several databases since a moment, side by side (xen-api: rrd_updates.ml `create_multi`). */
import { type Archive, findArchives, type Question, SAMPLE_SECONDS } from './archives.js'
import type { RoundRobin } from './round-robin.js'

export interface Updates {
  readonly start: bigint
  readonly step: number
  readonly end: number
  readonly legend: readonly string[]
  /** The newest first. */
  readonly rows: readonly { readonly time: number; readonly values: readonly number[] }[]
}

/** A start below zero is relative to the newest sample. */
export interface UpdatesQuestion extends Question {
  /** The newest sample, in seconds since the epoch by the host's clock. */
  readonly lastSample: number
  /** How far that clock is ahead, in seconds. */
  readonly clockAhead: number
}

/** Returns undefined where xcp-rrdd finds no archive, and answers with an internal error. */
export function findUpdates(databases: readonly RoundRobin[], question: UpdatesQuestion): Updates | undefined {
  const { lastSample, clockAhead } = question
  const start = question.start < 0n ? question.start + BigInt(lastSample) : question.start
  const found = databases.map(({ archives }) => findArchives(archives, { ...question, start }, lastSample))
  const first = found.flatMap((archives) => archives ?? [])[0]
  if (!first || found.includes(undefined)) return undefined
  const columns = databases.map((database, index) => ({
    database,
    archives: (found[index] ?? []).filter(({ rows, step }) => rows === first.rows && step === first.step),
  }))

  const end = lastSample - (lastSample % first.step)
  const rows = Array.from({ length: first.rows }, (_, row) => end - row * first.step)
    .filter((time) => BigInt(time) >= start)
    .map((time) => ({
      time,
      values: columns.flatMap(({ database, archives }) => rowOf(database, archives, time - clockAhead)),
    }))
  const legend = columns.flatMap(({ database: { prefix, sources }, archives }) =>
    archives.flatMap(({ cf }) => sources.map(({ name }) => `${cf}:${prefix}${name}`)),
  )
  return { start: firstRow(start, BigInt(first.step)), step: first.step, end, legend, rows }
}

function rowOf(database: RoundRobin, archives: readonly Archive[], time: number): number[] {
  return archives.flatMap(({ cf, step }) => database.row({ start: time - step, step }, cf))
}

/** In 64 bits, as xcp-rrdd computes it: a start as late as can be written overflows. */
function firstRow(start: bigint, step: bigint): bigint {
  return BigInt.asIntN(64, (start / step) * step + step)
}

/** The newest sample at a time: samples are taken each five seconds. */
export function lastSampleAt(seconds: number): number {
  return Math.floor(seconds / SAMPLE_SECONDS) * SAMPLE_SECONDS
}
