/** What `wlb status` tells of renewals: when the next one is, or why there is none. */

import type { AcmeSettings } from '../../config/acme-settings.js'
import type { AppliancePaths } from '../../config/paths.js'
import type { Chain } from '../../x509/index.js'
import { readChainInPlace } from './anchor.js'
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
  /** Served, and a pool is not rid of the anchor before. */
  readonly unfinished: NonNullable<RenewalState['unfinished']> | null
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
  const chain = await readChainInPlace(place, now)
  return {
    directory: acme.directory,
    names: acme.names,
    challenge: acme.challenge.type,
    next: facts ? nextAttempt(facts, now).toISOString() : null,
    failure: state.failure ?? null,
    held: isInPlace(state, chain) ? null : (state.held ?? null),
    unfinished: state.unfinished ?? null,
  }
}

/** Put there by hand, or by somebody who had no time to say so. */
function isInPlace({ held }: RenewalState, chain: Chain | undefined): boolean {
  return chain?.leaf.fingerprint256 === held?.fingerprintSha256
}
