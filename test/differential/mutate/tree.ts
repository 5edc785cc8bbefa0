/** DER as a tree that can be changed and written again, lengths and all; what stands in the OCTET STRING of an extension is part of it. */

export interface Tree {
  readonly tag: number
  /** The parts where it has any, else the content. */
  readonly content: readonly Tree[] | Buffer
  /** How it is written, where it is not in DER. */
  readonly written?: 'long length' | 'longer length' | 'endless' | 'large tag' | 'too long' | 'too short'
}

/** Undefined where the bytes are no DER. */
export function readTrees(bytes: Buffer): Tree[] | undefined {
  const trees: Tree[] = []
  for (let at = 0; at < bytes.length; ) {
    const [tag = 0, first = 0] = bytes.subarray(at)
    const lengthBytes = first < 0x80 ? 0 : first - 0x80
    const start = at + 2 + lengthBytes
    if ((tag & 0x1f) === 0x1f || first === 0x80 || lengthBytes > 3 || start > bytes.length) return undefined
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes)
    if (start + length > bytes.length) return undefined
    const content = bytes.subarray(start, start + length)
    const isOpened = (tag & 0x20) !== 0 || (tag === 0x04 && content.length > 1)
    const parts = isOpened ? readTrees(content) : undefined
    trees.push({ tag, content: parts ?? content })
    at = start + length
  }
  return trees
}

export function writeTree(tree: Tree): Buffer {
  const content = contentOf(tree)
  const { tag, written } = tree
  if (written === 'endless') {
    const body = (tag & 0x20) === 0 ? writeTree({ tag: tag | 0x04, content }) : content
    return Buffer.concat([Buffer.from([tag | 0x20, 0x80]), body, Buffer.from([0, 0])])
  }
  const head = written === 'large tag' ? [tag | 0x1f, tag & 0x1f] : [tag]
  return Buffer.concat([Buffer.from([...head, ...writeLength(content.length, written)]), content])
}

export function contentOf({ content }: Tree): Buffer {
  return Buffer.isBuffer(content) ? content : Buffer.concat(content.map(writeTree))
}

function writeLength(right: number, written: Tree['written']): number[] {
  const length = right + (written === 'too long' ? 1 : written === 'too short' && right > 0 ? -1 : 0)
  if (right === 0) return [length] // releases of OpenSSL 3.0 differ in the long form of nothing
  if (written === 'long length') return [0x82, length >>> 8, length & 0xff]
  if (written === 'longer length') return [0x89, 0, 0, 0, 0, 0, 0, 0, length >>> 8, length & 0xff]
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff]
}

/** The way to a part of a tree: which part, which part of that, ... */
export type Way = readonly number[]

export function listWays(tree: Tree, way: Way = []): Way[] {
  const { content } = tree
  if (Buffer.isBuffer(content)) return [way]
  return [way, ...content.flatMap((part, index) => listWays(part, [...way, index]))]
}

export function partAt(tree: Tree, [first, ...rest]: Way): Tree | undefined {
  if (first === undefined) return tree
  const part = Buffer.isBuffer(tree.content) ? undefined : tree.content[first]
  return part && partAt(part, rest)
}

/** The tree with other parts in the place of one. */
export function replaceAt(tree: Tree, [first, ...rest]: Way, change: (part: Tree) => readonly Tree[]): Tree {
  if (first === undefined || Buffer.isBuffer(tree.content)) return change(tree)[0] ?? tree
  const content = tree.content.flatMap((part, index) => {
    if (index !== first) return [part]
    return rest.length === 0 ? change(part) : [replaceAt(part, rest, change)]
  })
  return { ...tree, content }
}
