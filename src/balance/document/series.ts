/**
 * A series of samples in a document. Ten thousand VMs have millions of samples, so that they are checked in a loop instead of
 * by a schema each. What cannot be (negative, infinite, beyond any machine) is unknown, as null is: a broken meter must
 * neither stop advice nor move a VM.
 */
import { z } from 'zod'

/** Oldest first; null is unknown. */
export type Series = readonly (number | null)[]

/** More than any machine has. */
const MOST = { cores: 65_536, bytes: 1e13 } as const
const MOST_SAMPLES = 20_160

/** The schema of one series; an entry that is neither a number nor null is an error with its path. */
export function series(unit: keyof typeof MOST) {
  return z.unknown().transform((value, context): Series => {
    const issue = (message: string, path: PropertyKey[] = []) => {
      context.issues.push({ code: 'custom', message, path, input: value })
      return z.NEVER
    }
    if (!Array.isArray(value)) return issue('Invalid input: expected an array of numbers and nulls')
    if (value.length > MOST_SAMPLES) return issue(`Too big: a series has at most ${MOST_SAMPLES} samples`)
    const samples: (number | null)[] = value
    let impossible = false
    for (let index = 0; index < samples.length; index++) {
      const sample: unknown = samples[index]
      if (sample === null) continue
      if (typeof sample !== 'number') return issue('Invalid input: expected a number or null', [index])
      if (!(sample >= 0 && sample <= MOST[unit])) impossible = true
    }
    return impossible ? samples.map((sample) => (isPossible(sample, MOST[unit]) ? sample : null)) : samples
  })
}

function isPossible(sample: number | null, most: number): boolean {
  return sample !== null && sample >= 0 && sample <= most
}
