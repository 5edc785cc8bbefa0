/**
 * The generator: from a seed and a VM's uuid to its profile. VMs belong to services: those of one service have their day
 * and their large bursts together.
 */
import { type Profile, peakActivity, type Ripples } from './activity.js'
import type { LoadKind } from './kind.js'
import { between, keyOf, uniform } from './noise.js'
import type { TraceLine } from './trace.js'

const MINUTE = 60
const HOUR = 3600
const DAY = 24 * HOUR
const WEEK = 7 * DAY

/** Noon on the first Wednesday: 1 January 1970 was a Thursday. */
const MIDWEEK = 6 * DAY + 12 * HOUR

const SERVICES = 8

interface Generator {
  readonly seed: number
  readonly kind: LoadKind
  /** Recorded days; each VM gets one of them, whatever the kind. */
  readonly trace?: readonly TraceLine[] | undefined
}

export function makeProfile({ seed, kind, trace }: Generator, uuid: string): Profile {
  const key = keyOf(`${seed} ${uuid}`)
  const service = keyOf(`${seed} service ${Math.floor(uniform(key, 0) * SERVICES)}`)
  const recorded = trace?.[Math.floor(uniform(key, 1) * trace.length)]
  return fitted({ ...SHAPES[kind](key, service), key, trace: recorded })
}

type Shape = Omit<Profile, 'key' | 'trace'>

const SHAPES: Readonly<Record<LoadKind, (key: number, service: number) => Shape>> = {
  flat(key) {
    const base = between(key, 10, 0.12, 0.45)
    return { base, waves: [dayWave(between(key, 11, 0, DAY), base * 0.05)], bursts: [], ripples: ripplesOf(base * 0.2) }
  },
  diurnal(key, service) {
    const base = between(key, 10, 0.12, 0.32)
    const worksAtNight = uniform(service, 10) < 0.2
    const hour = worksAtNight ? between(service, 11, 1, 4) : between(service, 11, 11, 16)
    const waves = [
      dayWave(hour * HOUR + between(key, 11, -HOUR, HOUR), base * between(key, 12, 0.45, 0.6)),
      { period: WEEK, peak: MIDWEEK, height: base * 0.1 },
    ]
    return { base, waves, bursts: [burstsOf(key, 20, 3 * HOUR, 0.1)], ripples: ripplesOf(base * 0.25) }
  },
  bursty(key, service) {
    const base = between(key, 10, 0.08, 0.2)
    const bursts = [
      burstsOf(service, 20, 3 * HOUR, 0.4),
      burstsOf(service, 30, 7 * HOUR, 0.3),
      burstsOf(key, 40, HOUR, 0.2),
      burstsOf(key, 50, 25 * MINUTE, 0.15),
    ]
    return { base, waves: [dayWave(13 * HOUR, base * 0.3)], bursts, ripples: ripplesOf(base * 0.4) }
  },
}

function dayWave(peak: number, height: number) {
  return { period: DAY, peak, height }
}

/** Bursts of a twentieth to a sixth of their period; periods of different VMs and services have no common multiple. */
function burstsOf(key: number, index: number, period: number, height: number) {
  const own = period * between(key, index, 0.7, 1.4)
  return {
    period: own,
    width: own * between(key, index + 1, 0.05, 0.16),
    offset: own * uniform(key, index + 2),
    height: height * between(key, index + 3, 0.5, 1.2),
  }
}

function ripplesOf(height: number): Ripples {
  return { sample: height * 0.4, minute: height * 0.25, hour: height * 0.2, day: height * 0.15 }
}

/** No VM uses more than its vCPUs: a profile that would is lowered as a whole, which keeps its means exact. */
function fitted(profile: Profile): Profile {
  const peak = peakActivity({ ...profile, trace: undefined })
  if (peak <= 1) return profile
  const { base, waves, bursts, ripples } = profile
  const lower = <T extends { readonly height: number }>(part: T): T => ({ ...part, height: part.height / peak })
  return {
    ...profile,
    base: base / peak,
    waves: waves.map(lower),
    bursts: bursts.map(lower),
    ripples: {
      sample: ripples.sample / peak,
      minute: ripples.minute / peak,
      hour: ripples.hour / peak,
      day: ripples.day / peak,
    },
  }
}

/** Bytes a second for each busy core, and the share of its memory a VM touches. */
export interface Appetite {
  readonly rx: number
  readonly tx: number
  readonly read: number
  readonly write: number
  readonly memory: number
}

/** What the VM does with its processor time: some serve files, some compute. */
export function makeAppetite({ key }: Profile): Appetite {
  const megabytes = (index: number, least: number, most: number) => least * (most / least) ** uniform(key, index) * 1e6
  return {
    rx: megabytes(60, 0.05, 4),
    tx: megabytes(61, 0.05, 8),
    read: megabytes(62, 0.05, 6),
    write: megabytes(63, 0.1, 6),
    memory: between(key, 64, 0.3, 0.7),
  }
}
