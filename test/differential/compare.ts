/** Asks the judges about many sets, a few at a time, and keeps what they do not agree on. */
import { hasDeltaList, readsDeltaLists } from './delta-lists.js'
import { type Answer, describeAnswer, type JudgedSet } from './judge.js'
import { askOpenssl } from './judge-openssl.js'
import { askStunnel } from './judge-stunnel.js'
import type { KeyPool } from './key-pool.js'
import { type CertificateSet, makeSet } from './random-set.js'

export interface Opinions {
  readonly set: CertificateSet
  /** undefined: this judge cannot answer for this set. */
  readonly stunnel: Answer | undefined
  readonly openssl: Answer | undefined
  readonly ours: Answer | undefined
}

export interface Comparison {
  readonly seed: number
  readonly sets: number
  readonly keys: KeyPool
  readonly stunnel: boolean
  readonly openssl: boolean
  readonly ours: (set: JudgedSet) => Answer | undefined
  readonly first?: number
  /** A twist that every set gets. */
  readonly always?: string | undefined
}

const AT_ONCE = 3

/** Calls `heard` once a set, in any order. Sets with a certificate that cannot be parsed are left out. */
export async function compareJudges(comparison: Comparison, heard: (opinions: Opinions) => void): Promise<void> {
  const { first = 0, sets } = comparison
  let next = first
  const work = async () => {
    for (let index = next++; index < first + sets; index = next++) {
      const set = makeSet(comparison.seed, index, comparison.keys, new Date(), comparison.always)
      // what an older OpenSSL makes of delta lists is no measure
      if (set && !(readsDeltaLists() && hasDeltaList(set))) heard(await askAll(comparison, set))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

async function askAll(comparison: Comparison, set: CertificateSet): Promise<Opinions> {
  const stunnelKnows = comparison.stunnel && set.leafIsRsa && set.clock === undefined
  const opensslKnows = comparison.openssl && set.bundleIsPlain && set.crlFilesArePlain
  const [stunnel, openssl] = await Promise.all([
    stunnelKnows ? askStunnel(set) : undefined,
    opensslKnows ? askOpenssl(set) : undefined,
  ])
  return { set, stunnel, openssl, ours: comparison.ours(set) }
}

/** One line that finds the set again. */
export function describeOpinions({ set, stunnel, openssl, ours }: Opinions): string {
  const said = Object.entries({ stunnel, openssl, ours })
    .filter(([, answer]) => answer !== undefined)
    .map(([judge, answer]) => `${judge}: ${answer ? describeAnswer(answer) : ''}`)
  return `${set.seed}/${set.index} [${set.twists.join('; ')}] ${said.join(' | ')}`
}
