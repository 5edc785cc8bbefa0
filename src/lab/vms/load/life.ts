/** The life of a virtual machine: on which host it ran, and when; and the demands somebody has pinned. */

/** From `at` on the VM runs on `host`, or nowhere (`''`). Between two entries nothing changes. */
export interface LifeEntry {
  /** Seconds since the epoch; 0 in the first entry of a VM that has been there from the beginning. */
  readonly at: number
  /** A host's uuid. */
  readonly host: string
  /** The host it is on the way to. */
  readonly to?: string | undefined
}

export type Life = readonly LifeEntry[]

/** A demand that somebody has set, in place of the generated one. */
export interface Pin {
  readonly from: number
  /** 0: until it is replaced. */
  readonly until: number
  readonly cores: number
}

const NOWHERE: LifeEntry = { at: 0, host: '' }

/** Returns where the VM ran at a time; before its first entry it did not exist. */
export function lifeAt(life: Life, time: number): LifeEntry {
  return life.findLast(({ at }) => at <= time) ?? NOWHERE
}

/** Tells whether the life changes inside a window. */
export function changesWithin(life: Life, from: number, to: number): boolean {
  return life.some(({ at }) => at > from && at < to)
}

/** Returns the pinned demand; the one set last counts. */
export function pinAt(pins: readonly Pin[], time: number): number | undefined {
  return pins.findLast(({ from, until }) => from <= time && (until === 0 || time < until))?.cores
}

export function pinsChangeWithin(pins: readonly Pin[], from: number, to: number): boolean {
  return pins.some((pin) => (pin.from > from && pin.from < to) || (pin.until > from && pin.until < to))
}

/** Adds an entry; one that says what the last one said changes nothing. */
export function continued(life: Life, entry: LifeEntry): Life {
  const last = life.at(-1)
  return last && last.host === entry.host && last.to === entry.to ? life : [...life, entry]
}

/** Leaves out what ended before `time`, the oldest the archives hold. */
export function forgotten(life: Life, time: number): Life {
  const first = life.findLastIndex(({ at }) => at <= time)
  return first <= 0 ? life : life.slice(first)
}
