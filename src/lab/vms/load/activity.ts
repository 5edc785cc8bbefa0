/**
 * How busy a virtual machine wants to be, as the mean over a window of time. Each part of a profile has an integral in
 * closed form, so the mean over a day costs as much as the mean over five seconds, and equals the mean of the shorter
 * windows it consists of. Windows are those of the archives: 5 s, a minute, an hour, a day, counted from the epoch.
 */
import { ripple, uniform } from './noise.js'
import type { TraceLine } from './trace.js'

export interface TimeWindow {
  /** Seconds since the epoch, a multiple of `step`. */
  readonly start: number
  readonly step: Step
}

export const STEPS = [5, 60, 3600, 86_400] as const
export type Step = (typeof STEPS)[number]

/** A cosine that is highest at `peak` seconds after each multiple of its period. */
interface Wave {
  readonly period: number
  readonly peak: number
  readonly height: number
}

/** Bursts: `height` for `width` seconds in each period. */
interface Bursts {
  readonly period: number
  readonly width: number
  readonly offset: number
  readonly height: number
}

/** How much changes from one window of that length to the next. */
export interface Ripples {
  readonly sample: number
  readonly minute: number
  readonly hour: number
  readonly day: number
}

/** All heights are fractions of the VM's vCPUs. Periods and widths are in seconds of the load's own day. */
export interface Profile {
  readonly key: number
  readonly base: number
  readonly waves: readonly Wave[]
  readonly bursts: readonly Bursts[]
  readonly ripples: Ripples
  /** A recorded day in place of everything above. */
  readonly trace: TraceLine | undefined
}

/** Returns the mean activity over a window: a fraction of the VM's vCPUs. `speed` is how many times faster the day passes. */
export function meanActivity(profile: Profile, { start, step }: TimeWindow, speed: number): number {
  const from = start * speed
  const length = step * speed
  if (profile.trace) return profile.trace.mean(from, length)
  let mean = profile.base
  for (const wave of profile.waves) mean += meanOfWave(wave, from, length)
  for (const bursts of profile.bursts) mean += meanOfBursts(bursts, from, length)
  return mean + irregular(profile, start, step)
}

/** Returns what the activity never exceeds. */
export function peakActivity({ base, waves, bursts, ripples, trace }: Profile): number {
  if (trace) return trace.peak
  const heights = [...waves, ...bursts].reduce((sum, { height }) => sum + height, base)
  return heights + ripples.sample + ripples.minute + ripples.hour + ripples.day
}

/** The mean of a cosine is its value in the middle, lowered the more the longer the window is. */
function meanOfWave({ period, peak, height }: Wave, from: number, length: number): number {
  const half = (Math.PI * length) / period
  const middle = (within(from, period) + length / 2 - peak) / period
  return height * Math.cos(2 * Math.PI * middle) * (Math.sin(half) / half)
}

function meanOfBursts({ period, width, offset, height }: Bursts, from: number, length: number): number {
  const begin = within(from + offset, period)
  return (height * (busyUntil(begin + length, period, width) - busyUntil(begin, period, width))) / length
}

/** Seconds of bursts from 0 to `time`. */
function busyUntil(time: number, period: number, width: number): number {
  const periods = Math.floor(time / period)
  return periods * width + Math.min(time - periods * period, width)
}

/** The remainder of a division; V8's own `%` takes ten times as long where the quotient is large. */
function within(time: number, period: number): number {
  return time - Math.floor(time / period) * period
}

/** Follows the real clock at every speed: it is what makes one sample differ from the next. */
function irregular({ key, ripples }: Profile, start: number, step: Step): number {
  let sum = ripples.day * (2 * uniform(key, Math.floor(start / 86_400)) - 1)
  if (step <= 3600) sum += ripples.hour * ripple(key + 1, Math.floor(start / 3600), 24)
  if (step <= 60) sum += ripples.minute * ripple(key + 2, Math.floor(start / 60), 60)
  if (step === 5) sum += ripples.sample * ripple(key + 3, Math.floor(start / 5), 12)
  return sum
}

/** Divides a window into those of the next shorter step. */
export function parts({ start, step }: TimeWindow): TimeWindow[] {
  const shorter = STEPS[STEPS.indexOf(step) - 1]
  if (shorter === undefined) return []
  return Array.from({ length: step / shorter }, (_, index) => ({ start: start + index * shorter, step: shorter }))
}
