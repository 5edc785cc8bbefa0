/**
 * One certificate or revocation list with something wrong in it, signed again so that nothing but that matters, and the path it
 * stands in: leaf, issuer, root, each with a name of its own, so that many paths fit into one run of `openssl verify`.
 */
import { bitString, integer, sequence, time, wrapped } from '../der-writer.js'
import { writeExtension } from '../extension-writer.js'
import { type DistinguishedName, writeName } from '../name-writer.js'
import type { RawExtension } from '../plan.js'
import { createRandom, type Random } from '../random.js'
import { drawEntryExtensions, drawExtensions, drawListExtensions, drawName, type Level } from './draw.js'
import { drawStep, mutate, type Step } from './mutations.js'
import { drawSigning, type Keys } from './signing-keys.js'
import { partAt, readTrees, type Tree, writeTree } from './tree.js'

export type Place = 'leaf' | 'issuer' | 'root' | 'list'

export interface MutatedCase {
  readonly index: number
  readonly place: Place
  readonly steps: readonly Step[]
  /** The signed part that was changed. */
  readonly tree: Tree
  readonly leaf: Buffer
  readonly issuer: Buffer
  readonly root: Buffer
  readonly list: Buffer | undefined
  /** The same path with another signed part in the changed one's place. */
  readonly having: (tree: Tree) => MutatedCase
}

const DAY_MS = 86_400_000
/** Where the algorithm stands in the signed part. */
const ALGORITHM_FIELD: Readonly<Record<Place, number>> = { leaf: 2, issuer: 2, root: 2, list: 1 }
const PLACES: readonly Place[] = ['leaf', 'leaf', 'leaf', 'issuer', 'issuer', 'root', 'list']

/** Seed and index make the same case each time, but for keys and times. */
export function makeCase(seed: number, index: number, all: Keys, now: Date): MutatedCase {
  const random = createRandom(seed, index)
  const { keys, algorithm, sign } = drawSigning(random, all)
  const place = PLACES[index % PLACES.length] ?? 'leaf'
  const names = {
    root: drawName(random, `Root ${index}`),
    issuer: drawName(random, `Issuer ${index}`),
    leaf: drawName(random, random.chance(0.5) ? 'wlb.example.lab' : 'Leaf'),
  }
  const certificate = (level: Level, issuer: DistinguishedName, subject: DistinguishedName, spki: Buffer) =>
    sequence(
      wrapped(0, integer(2)),
      integer(index * 3 + level + 1),
      algorithm,
      writeName(issuer),
      sequence(time(new Date(+now - DAY_MS), 'utc'), time(new Date(+now + 30 * DAY_MS), 'utc')),
      writeName(subject),
      spki,
      ...inOrNone(drawExtensions(random, level), 3),
    )
  const parts = {
    root: certificate(2, names.root, names.root, keys.root.spki),
    issuer: certificate(1, names.root, names.issuer, keys.issuer.spki),
    leaf: certificate(0, names.issuer, names.leaf, keys.leaf.spki),
    list: listPart(algorithm, names.issuer, index * 3 + 1, random, now),
  }
  const [given] = readTrees(parts[place]) ?? []
  if (!given) throw new Error('what was written cannot be read')

  const steps: Step[] = []
  let tree = given
  for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left--) {
    const step = drawStep(tree, random)
    steps.push(step)
    tree = mutate(tree, step, random)
  }
  // a list always says it twice: up to 3.0.19 OpenSSL does not compare the two
  const isSaidTwice = place === 'list' || random.chance(0.5)
  const having = (changed: Tree): MutatedCase => {
    const written = { ...parts, [place]: writeTree(changed) }
    const inside = partAt(changed, [ALGORITHM_FIELD[place]])
    const signPart = (part: Buffer, by: 'issuer' | 'root', of: Place) => {
      const beside = of === place && isSaidTwice && inside ? writeTree(inside) : algorithm
      return sequence(part, beside, bitString(sign(part, by)))
    }
    return {
      index,
      place,
      steps,
      tree: changed,
      leaf: signPart(written.leaf, 'issuer', 'leaf'),
      issuer: signPart(written.issuer, 'root', 'issuer'),
      root: signPart(written.root, 'root', 'root'),
      list: place === 'list' ? signPart(written.list, 'issuer', 'list') : undefined,
      having,
    }
  }
  return having(tree)
}

function listPart(
  algorithm: Buffer,
  issuer: DistinguishedName,
  serialOfLeaf: number,
  random: Random,
  now: Date,
): Buffer {
  const date = time(new Date(+now - DAY_MS), 'utc')
  const entry = (serial: number) => sequence(integer(serial), date, ...inOrNone(drawEntryExtensions(random)))
  const extensions = inOrNone(drawListExtensions(random), 0)
  const serials = random.pick([[5], [5, serialOfLeaf], [serialOfLeaf, 5]])
  return sequence(
    integer(1),
    algorithm,
    writeName(issuer),
    date,
    time(new Date(+now + 30 * DAY_MS), 'utc'),
    sequence(...serials.map(entry)),
    ...extensions,
  )
}

function inOrNone(extensions: readonly RawExtension[], tag?: number): Buffer[] {
  if (extensions.length === 0) return []
  const written = sequence(...extensions.map(writeExtension))
  return [tag === undefined ? written : wrapped(tag, written)]
}
