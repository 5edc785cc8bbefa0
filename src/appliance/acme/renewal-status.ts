/** What `wlb status` tells of renewals: when the next one is, or why there is none. */
import type { AppliancePaths } from '../paths.js'
import type { AcmeSettings } from './acme-settings.js'
import { factsInPlace } from './facts-in-place.js'
import { nextAttempt } from './renewal.js'
import { type RenewalState, readRenewalState } from './renewal-state.js'

export interface RenewalStatus {
  readonly directory: string
  readonly names: readonly string[]
  readonly challenge: 'http-01' | 'dns-01'
  /** Null where the pair in place did not come from an authority by this way: then nothing is renewed. */
  readonly next: string | null
  /** Since the last success. */
  readonly failure: NonNullable<RenewalState['failure']> | null
  /** Issued, and held back until pools trust its anchor. */
  readonly held: NonNullable<RenewalState['held']> | null
}

/** Null where no authority is configured. */
export async function readRenewalStatus(
  place: AppliancePaths,
  acme: AcmeSettings | undefined,
  now: Date,
): Promise<RenewalStatus | null> {
  if (!acme) return null
  const state = await readRenewalState(place)
  const facts = await factsInPlace(place, acme, now)
  return {
    directory: acme.directory,
    names: acme.names,
    challenge: acme.challenge.type,
    next: facts ? nextAttempt(facts, now).toISOString() : null,
    failure: state.failure ?? null,
    held: state.held ?? null,
  }
}
