/**
 * One certificate or revocation list with something wrong in it, signed again so that nothing but that matters, and the path it
 * stands in: leaf, issuer, root, each with a name of its own, so that many paths fit into one run of `openssl verify`.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { bitString, integer, objectIdentifier, sequence, time, wrapped } from '../der-writer.js'
import { writeExtension } from '../extension-writer.js'
import { type DistinguishedName, writeName } from '../name-writer.js'
import type { RawExtension } from '../plan.js'
import { createRandom, type Random } from '../random.js'
import { drawEntryExtensions, drawExtensions, drawListExtensions, drawName, type Level } from './draw.js'
import { drawStep, mutate, type Step } from './mutations.js'
import { readTrees, type Tree, writeTree } from './tree.js'

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

interface Pair {
  readonly privateKey: KeyObject
  readonly spki: Buffer
}

export type Keys = Readonly<Record<'leaf' | 'issuer' | 'root', Pair>>

/** P-256: signing with RSA takes more time than all the rest, and the rules looked for here do not depend on the key. */
export function createKeys(): Keys {
  const pair = (): Pair => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return { privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) }
  }
  return { root: pair(), issuer: pair(), leaf: pair() }
}

const ALGORITHM = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
const DAY_MS = 86_400_000
const PLACES: readonly Place[] = ['leaf', 'leaf', 'leaf', 'issuer', 'issuer', 'root', 'list']

/** Seed and index make the same case each time, but for keys and times. */
export function makeCase(seed: number, index: number, keys: Keys, now: Date): MutatedCase {
  const random = createRandom(seed, index)
  const place = PLACES[index % PLACES.length] ?? 'leaf'
  const names = {
    root: drawName(random, `Root ${index}`),
    issuer: drawName(random, `Issuer ${index}`),
    leaf: drawName(random, random.chance(0.5) ? 'wlb.example.lab' : 'Leaf'),
  }
  const certificate = (level: Level, issuer: DistinguishedName, subject: DistinguishedName, { spki }: Pair) =>
    certificatePart(index * 3 + level + 1, issuer, subject, spki, drawExtensions(random, level), now)
  const parts = {
    root: certificate(2, names.root, names.root, keys.root),
    issuer: certificate(1, names.root, names.issuer, keys.issuer),
    leaf: certificate(0, names.issuer, names.leaf, keys.leaf),
    list: listPart(names.issuer, index * 3 + 1, random, now),
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
  const having = (changed: Tree): MutatedCase => {
    const all = { ...parts, [place]: writeTree(changed) }
    return {
      index,
      place,
      steps,
      tree: changed,
      leaf: signPart(all.leaf, keys.issuer),
      issuer: signPart(all.issuer, keys.root),
      root: signPart(all.root, keys.root),
      list: place === 'list' ? signPart(all.list, keys.issuer) : undefined,
      having,
    }
  }
  return having(tree)
}

function certificatePart(
  serial: number,
  issuer: DistinguishedName,
  subject: DistinguishedName,
  spki: Buffer,
  extensions: readonly RawExtension[],
  now: Date,
): Buffer {
  return sequence(
    wrapped(0, integer(2)),
    integer(serial),
    ALGORITHM,
    writeName(issuer),
    sequence(time(new Date(+now - DAY_MS), 'utc'), time(new Date(+now + 30 * DAY_MS), 'utc')),
    writeName(subject),
    spki,
    ...(extensions.length > 0 ? [wrapped(3, sequence(...extensions.map(writeExtension)))] : []),
  )
}

function listPart(issuer: DistinguishedName, serialOfLeaf: number, random: Random, now: Date): Buffer {
  const date = time(new Date(+now - DAY_MS), 'utc')
  const entry = (serial: number) => {
    const extensions = drawEntryExtensions(random)
    return sequence(
      integer(serial),
      date,
      ...(extensions.length > 0 ? [sequence(...extensions.map(writeExtension))] : []),
    )
  }
  const extensions = drawListExtensions(random)
  const serials = random.pick([[5], [5, serialOfLeaf], [serialOfLeaf, 5]])
  return sequence(
    integer(1),
    ALGORITHM,
    writeName(issuer),
    date,
    time(new Date(+now + 30 * DAY_MS), 'utc'),
    sequence(...serials.map(entry)),
    ...(extensions.length > 0 ? [wrapped(0, sequence(...extensions.map(writeExtension)))] : []),
  )
}

function signPart(part: Buffer, { privateKey }: Pair): Buffer {
  return sequence(part, ALGORITHM, bitString(sign('sha256', part, privateKey)))
}
