/** What virtual machines demanded: shares of their vCPUs, one each five minutes. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { pick, type Random, randomFrom } from './random.js'

/** One VM; shares from 0 to 1. */
export type Trace = readonly number[]

const FOLDER = new URL('../../../shared/data/planetlab/', import.meta.url)

/** A day of PlanetLab, or nothing where the data is not there. */
export function planetLab(day: string): readonly Trace[] | undefined {
  const file = new URL(`${day}.csv.gz`, FOLDER)
  if (!existsSync(file)) return undefined
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n')
  return lines.map((line) =>
    line
      .split(',')
      .slice(1)
      .map((percent) => Number(percent) / 100),
  )
}

const SAMPLES_A_DAY = 288

/**
 * Days and nights as in a company, which PlanetLab has not: offices that wake in the morning, batches that run at night, each at an
 * hour of its own, services that follow their users, and machines that idle. Each VM has its own hours and keeps them from day to
 * day, with noise that lasts for a while.
 */
export function officeDays(vms: number, days: number, seed: number): readonly Trace[] {
  const random = randomFrom(seed)
  return Array.from({ length: vms }, () => {
    const shape = pick(random, SHAPES, idle)(random)
    let drift = 0
    return Array.from({ length: days * SAMPLES_A_DAY }, (_, sample) => {
      drift = 0.9 * drift + 0.06 * random.normal()
      const hour = ((sample % SAMPLES_A_DAY) * 24) / SAMPLES_A_DAY
      const noisy = shape(hour) * (1 + drift) + 0.01 * Math.abs(random.normal())
      return Math.round(Math.min(1, Math.max(0, noisy)) * 1000) / 1000
    })
  })
}

type Shape = (hour: number) => number

/** Between two hours of the day, by way of midnight if the first is the later one. */
function isBetween(hour: number, from: number, to: number): boolean {
  return from <= to ? hour >= from && hour < to : hour >= from || hour < to
}

/** Half of the offices are here, the others eight hours ahead or behind: the pool as a whole has room at any hour. */
const office = ({ next }: Random): Shape => {
  const from = 6.5 + 3 * next()
  const to = 16 + 3 * next()
  const level = 0.35 + 0.5 * next()
  const place = next()
  const aheadHours = place < 0.5 ? 0 : place < 0.75 ? 8 : 16
  return (hourHere) => {
    const hour = (hourHere + aheadHours) % 24
    if (!isBetween(hour, from, to)) return 0.04
    return isBetween(hour, 12, 13) ? 0.6 * level : level
  }
}
const batch = ({ next }: Random): Shape => {
  const from = (20 + 9 * next()) % 24
  const to = (from + 0.75 + 3 * next()) % 24
  const level = 0.6 + 0.4 * next()
  return (hour) => (isBetween(hour, from, to) ? level : 0.03)
}
const service = ({ next }: Random): Shape => {
  const peak = 24 * next()
  const level = 0.15 + 0.45 * next()
  return (hour) => level * (0.55 + 0.45 * Math.cos(((hour - peak) * Math.PI) / 12))
}
const idle = ({ next }: Random): Shape => {
  const level = 0.02 + 0.05 * next()
  return () => level
}
const SHAPES = [
  [office, 0.4],
  [batch, 0.2],
  [service, 0.25],
] as const
