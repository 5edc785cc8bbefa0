/** Many mutated paths put to `openssl verify` and to us; what they do not agree on is made as small as it gets. */
import type { X509Certificate } from 'node:crypto'
import { encodePem, loadHostStore, validate } from '../../../src/x509/index.js'
import { readCertificate } from '../../../src/x509/validate/certificate-facts.js'
import { NAME } from './draw.js'
import { ACCEPTED, askInBatch, type BatchAnswer, NOT_LOADED } from './judge-batch.js'
import { type MutatedCase, makeCase, type Place } from './mutated-case.js'
import { createKeys } from './signing-keys.js'
import { listWays, replaceAt, type Tree, type Way } from './tree.js'

export interface Disagreement {
  readonly index: number
  readonly place: Place
  /** What was done, and to which part of the signed part. */
  readonly steps: string
  readonly openssl: BatchAnswer
  readonly ours: BatchAnswer
  /** The certificate or list that shows it, in hex. */
  readonly der: string
}

export interface MutatedRun {
  readonly seed: number
  readonly first: number
  readonly cases: number
}

const BATCH = 350
const PREFIX = 'Pre-verification error: '

/** Calls `heard` for each disagreement, and `progress` after each batch with what OpenSSL said. */
export function compareMutated(
  { seed, first, cases }: MutatedRun,
  heard: (disagreement: Disagreement) => void,
  progress: (answers: readonly BatchAnswer[]) => void,
): void {
  const keys = createKeys()
  for (let next = first; next < first + cases; next += BATCH) {
    const now = new Date()
    const size = Math.min(BATCH, first + cases - next)
    const made = Array.from({ length: size }, (_, offset) => makeCase(seed, next + offset, keys, now))
    // lists are asked about apart: with them comes revocation, and without one nobody would be accepted
    const groups = [made.filter(({ place }) => place !== 'list'), made.filter(({ place }) => place === 'list')]
    for (const group of groups) {
      const answers = askOpenssl(group)
      for (const one of group) {
        const ours = askOurs(one)
        if (answers.get(one) === ours) continue
        // a name that has lost what made it different can be another path's
        const openssl = askOpenssl([one]).get(one) ?? NOT_LOADED
        if (openssl !== ours) heard(describe(shrink(one, openssl, ours), openssl, ours))
      }
      progress([...answers.values()])
    }
  }
}

/** Certificates that we cannot load are asked about as leaves: elsewhere they would keep OpenSSL from loading the others. */
function askOpenssl(group: readonly MutatedCase[]): ReadonlyMap<MutatedCase, BatchAnswer> {
  const isAlone = (one: MutatedCase) => one.place !== 'leaf' && one.place !== 'list' && askOurs(one) === NOT_LOADED
  const together = group.filter((one) => !isAlone(one))
  const alone = group.filter(isAlone)
  const said = askInBatch(together)
  const saidOfLeaves = askInBatch(alone.map(asLeaf))
  return new Map([
    ...together.map((one, number) => [one, said[number] ?? NOT_LOADED] as const),
    ...alone.map((one, number) => [one, saidOfLeaves[number] === NOT_LOADED ? NOT_LOADED : 'loaded'] as const),
  ])
}

/** Below a root that OpenSSL loads. */
function asLeaf(one: MutatedCase): MutatedCase {
  const { place, root, issuer, leaf } = one
  return place === 'root' ? { ...one, leaf: root, root: issuer } : { ...one, leaf: issuer, issuer: leaf }
}

function askOurs({ leaf, issuer, root, list }: MutatedCase): BatchAnswer {
  const [served, sent] = [readCertificate(leaf), readCertificate(issuer)]
  const bundle = Buffer.from(encodePem('CERTIFICATE', root))
  const crl = list && Buffer.from(encodePem('X509 CRL', list))
  const store = loadHostStore(bundle, crl && [crl])
  if (!served || !sent || store.state === 'unusable') return NOT_LOADED
  const { anchors, crls } = store
  return describeFirst([served, sent], { anchors, crls: crls && [crl ?? ''] })
}

function describeFirst(
  presented: readonly X509Certificate[],
  store: Pick<Parameters<typeof validate>[0], 'anchors' | 'crls'>,
): BatchAnswer {
  const { defects } = validate({ presented, ...store, name: NAME, now: new Date() })
  const [first] = defects.filter(({ code }) => code !== 'NAME_MISMATCH')
  return first ? first.logText.replace(PREFIX, '') : ACCEPTED
}

/** Leaves out every part that the disagreement does not need. */
function shrink(one: MutatedCase, openssl: BatchAnswer, ours: BatchAnswer): MutatedCase {
  let smallest = one
  for (const way of listWays(one.tree).filter(isLeftOut).reverse()) {
    const simpler = smallest.having(without(smallest.tree, way))
    if (askOurs(simpler) === ours && askOpenssl([simpler]).get(simpler) === openssl) smallest = simpler
  }
  return smallest
}

/** Extensions, entries and parts of names, not the fields that each certificate and list has. */
function isLeftOut(way: Way): boolean {
  const [field = 0] = way
  return field > 1 && way.length >= 2 && way.length <= 3
}

const without = (tree: Tree, way: Way): Tree => replaceAt(tree, way, () => [])

function describe(one: MutatedCase, openssl: BatchAnswer, ours: BatchAnswer): Disagreement {
  const { index, place, steps } = one
  return {
    index,
    place,
    steps: steps.map(({ what, way }) => `${what} at ${way.join('.')}`).join('; '),
    openssl,
    ours,
    der: one[place]?.toString('hex') ?? '',
  }
}
