/** What can be done to one part of a certificate so that it is not what it was. */
import type { Random } from '../random.js'
import { contentOf, listWays, replaceAt, type Tree, type Way, writeTree } from './tree.js'

type Mutation = (part: Tree, random: Random) => readonly Tree[]

const bytes = (...values: readonly number[]) => Buffer.from(values)
const withContent = (part: Tree, content: Buffer): Tree[] => [{ ...part, content }]

function changeByte(content: Buffer, random: Random, change: (byte: number) => number): Buffer {
  const changed = Buffer.from(content)
  const at = content.length > 0 ? random.below(content.length) : 0
  if (content.length > 0) changed[at] = change(changed[at] ?? 0)
  return changed
}

/** Tags of every kind of value that OpenSSL decodes, and of some it does not. */
const TAGS = [
  1, 2, 3, 4, 5, 6, 10, 12, 13, 18, 19, 20, 22, 23, 24, 26, 28, 30, 0x30, 0x31, 0xa0, 0xa1, 0xa4, 0x80, 0x81, 0x82,
]
const IDENTIFIERS = ['5504030a', '55040a', '551d11', '2a864886f70d010901', '2b0601050507030', '2b06010505070809']
const STRANGERS: readonly Tree[] = [
  { tag: 0x05, content: bytes() },
  { tag: 0x30, content: [] },
  { tag: 0x31, content: [] },
  { tag: 0x02, content: bytes(0) },
  { tag: 0x02, content: bytes(0xff) },
  { tag: 0x01, content: bytes(1) },
  { tag: 0x0c, content: bytes(0xe9) },
  { tag: 0x1e, content: bytes(0xd8, 0) },
  { tag: 0x1c, content: bytes(0, 0x11, 0, 0) },
  { tag: 0x03, content: bytes(8, 0) },
  { tag: 0x00, content: bytes() },
  { tag: 0x04, content: bytes(1) },
]

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'bit over': (part, random) =>
    withContent(
      part,
      changeByte(contentOf(part), random, (byte) => byte ^ (1 << random.below(8))),
    ),
  'other byte': (part, random) =>
    withContent(
      part,
      changeByte(contentOf(part), random, () => random.below(256)),
    ),
  'edge byte': (part, random) =>
    withContent(
      part,
      changeByte(contentOf(part), random, () => random.pick([0, 0x7f, 0x80, 0xff])),
    ),
  'other tag': (part, random) => [{ ...part, tag: random.pick(TAGS) }],
  'any tag': (part, random) => [{ ...part, tag: random.below(256) }],
  'constructed or not': (part) => [{ ...part, tag: part.tag ^ 0x20 }],
  'other class': (part, random) => [{ ...part, tag: (part.tag & 0x3f) | (random.below(4) << 6) }],
  'long length': (part) => [{ ...part, written: 'long length' }],
  'longer length': (part) => [{ ...part, written: 'longer length' }],
  endless: (part) => [{ ...part, written: 'endless' }],
  'large tag': (part) => [{ ...part, written: 'large tag' }],
  'length too long': (part) => [{ ...part, written: 'too long' }],
  'length too short': (part) => [{ ...part, written: 'too short' }],
  pieces: (part, random) => [inPieces(part, random)],
  'pieces, endless': (part, random) => [{ ...inPieces(part, random), written: 'endless' }],
  shorter: (part, random) => {
    const content = contentOf(part)
    return withContent(part, content.subarray(0, random.below(content.length + 1)))
  },
  empty: (part) => withContent(part, bytes()),
  longer: (part, random) =>
    withContent(part, Buffer.concat([contentOf(part), bytes(random.pick([0, 1, 5, 0x80, 0xff]))])),
  'longer by a value': (part, random) =>
    withContent(part, Buffer.concat([contentOf(part), writeTree(random.pick(STRANGERS))])),
  'longer by an end': (part) => withContent(part, Buffer.concat([contentOf(part), bytes(0, 0)])),
  padded: (part, random) => withContent(part, Buffer.concat([bytes(random.pick([0, 0x80, 0xff, 7])), contentOf(part)])),
  'larger by a power of two': (part, random) => {
    const own = contentOf(part)
    const content = Buffer.alloc(Math.max(own.length, random.pick([2, 4, 5, 8, 9])))
    own.copy(content, content.length - own.length)
    content[0] = (content[0] ?? 0) | 1
    return withContent(part, content)
  },
  gone: () => [],
  twice: (part) => [part, part],
  stranger: (_part, random) => [random.pick(STRANGERS)],
  'after a stranger': (part, random) => [random.pick(STRANGERS), part],
  'before a stranger': (part, random) => [part, random.pick(STRANGERS)],
  wrapped: (part, random) => [{ tag: random.pick([0x30, 0x31, 0xa0, 0xa1, 0x24]), content: [part] }],
  unwrapped: (part) => (Buffer.isBuffer(part.content) ? [part] : part.content),
  'other order': (part, random) =>
    Buffer.isBuffer(part.content) ? [part] : [{ ...part, content: random.shuffle(part.content) }],
  'other identifier': (part, random) =>
    part.tag === 6 ? withContent(part, Buffer.from(random.pick(IDENTIFIERS), 'hex')) : [part],
}

function inPieces(part: Tree, random: Random): Tree {
  const content = contentOf(part)
  const tag = random.pick([0x04, part.tag & 0x1f, part.tag, 0x0c])
  const cut = random.below(content.length + 1)
  const pieces = [content.subarray(0, cut), content.subarray(cut)].map((piece): Tree => ({ tag, content: piece }))
  const nested: Tree = { tag: tag | 0x20, content: pieces }
  return { tag: part.tag | 0x20, content: random.chance(0.2) ? [nested] : pieces }
}

export interface Step {
  readonly what: string
  readonly way: Way
}

/** Does one thing to one part of the tree. */
export function mutate(tree: Tree, { what, way }: Step, random: Random): Tree {
  const mutation = MUTATIONS[what]
  return mutation ? replaceAt(tree, way, (part) => mutation(part, random)) : tree
}

const KINDS = Object.keys(MUTATIONS)

/**
 * Mostly inside of names and of what extensions hold, where the rules are: a certificate whose frame is broken is not even loaded.
 * What is deep is as likely as what is not.
 */
export function drawStep(tree: Tree, random: Random): Step {
  const ways = listWays(tree)
  const inside = ways.filter(random.pick([...Array.from({ length: 8 }, () => isInside), isFrame, isPart]))
  const top = random.pick(inside.length > 0 ? inside : ways)
  const below = ways.filter((way) => top.every((part, depth) => way[depth] === part))
  return { what: random.pick(KINDS), way: random.pick(below) }
}

/** A part of a relative name, or of what an OCTET STRING of an extension holds. */
const isInside = (way: Way): boolean => way.length >= 4
/** Of a certificate: serial number, algorithm and key; of a list: its algorithm. */
const isFrame = ([field = 0]: Way): boolean => field === 1 || field === 2 || field === 6
const isPart = (way: Way): boolean => way.length > 0
