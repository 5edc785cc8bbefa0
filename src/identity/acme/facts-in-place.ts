/** What is to be known of the pair in place before anybody renews it. */

import type { AcmeSettings } from '../../config/acme-settings.js'
import type { AppliancePaths } from '../../config/paths.js'
import { recordInPlace } from '../identity-change.js'
import { readPair } from '../identity-store.js'
import { readChainInPlace } from './anchor.js'
import { type RenewalFacts, readRenewalFacts } from './renewal.js'
import { failuresIn, readRenewalState } from './renewal-state.js'

/** Undefined where the pair in place is not one an authority has issued to us: then it is its owner's to renew. */
export async function factsInPlace(
  place: AppliancePaths,
  { names }: AcmeSettings,
  now: Date,
): Promise<RenewalFacts | undefined> {
  const chain = await readChainInPlace(place, now)
  if (!chain) return undefined
  const { how } = await recordInPlace(place, await readPair(place))
  if (how !== 'acme') return undefined
  return readRenewalFacts(chain.leaf, names, failuresIn(await readRenewalState(place)))
}
