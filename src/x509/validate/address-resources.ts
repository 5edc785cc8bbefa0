/** The IP addresses an authority may hand on (RFC 3779, 2), which OpenSSL 3.0 checks in every path (v3_addr.c). */
import {
  type Bits,
  bitString,
  choice,
  map,
  nothing,
  octetString,
  sequence,
  sequenceOf,
  type Type,
} from '../encoding/asn1-types.js'
import type { DefectCode } from './verdict.js'

export type AddressBlocks = readonly AddressFamily[]

interface AddressFamily {
  /** Address family number in two bytes, and perhaps a third for a subfamily. */
  readonly family: Buffer
  readonly held: 'inherited' | readonly AddressRange[]
}

interface AddressRange {
  readonly isPrefix: boolean
  readonly from: Bits
  readonly until: Bits
}

const addressOrRange = choice<AddressRange>(
  map(bitString, (prefix) => ({ isPrefix: true, from: prefix, until: prefix })),
  sequence(({ required }) => ({ isPrefix: false, from: required(bitString), until: required(bitString) })),
)

/** IPAddrBlocks ::= SEQUENCE OF SEQUENCE { addressFamily, CHOICE { inherit NULL, SEQUENCE OF ... } }. */
export const addressBlocks: Type<AddressBlocks> = sequenceOf(
  sequence(({ required }) => ({
    family: required(octetString),
    held: required(
      choice<AddressFamily['held']>(
        map(nothing, () => 'inherited'),
        sequenceOf(addressOrRange),
      ),
    ),
  })),
)

export interface ResourceDefect {
  readonly code: Extract<DefectCode, 'RESOURCES_MALFORMED' | 'RESOURCES_NOT_HELD' | 'UNSPECIFIED'>
  readonly depth: number
}

/** X509v3_addr_validate_path, from the leaf up; `path` holds what each certificate says. Nothing is asked when the leaf has none. */
export function findAddressDefects(path: readonly (AddressBlocks | undefined)[]): ResourceDefect[] {
  const [first, ...above] = path
  if (!first) return []
  const defects: ResourceDefect[] = []
  const add = (code: ResourceDefect['code'], depth: number) => defects.push({ code, depth })
  if (!isCanonical(first)) add('RESOURCES_MALFORMED', 0)
  const children = [...first]
  for (const [index, parent] of above.entries()) {
    const depth = index + 1
    if (parent && !isCanonical(parent)) add('RESOURCES_MALFORMED', depth)
    for (const [place, child] of children.entries()) {
      const fromParent = parent?.find(({ family }) => family.equals(child.family))
      if (!fromParent) {
        if (!parent && !hasFittingLength(child)) return [...defects, { code: 'UNSPECIFIED', depth }]
        if (child.held === 'inherited') continue
        add('RESOURCES_NOT_HELD', depth)
        break
      }
      if (!hasFittingLength(child)) return [...defects, { code: 'UNSPECIFIED', depth }]
      if (fromParent.held === 'inherited') continue
      const isHeld = child.held === 'inherited' || contains(fromParent.held, child.held, lengthOf(child.family))
      if (isHeld) children[place] = fromParent
      else add('RESOURCES_NOT_HELD', depth)
    }
  }
  return [...defects, ...checkTop(path, children)]
}

/** At the top there is nobody to inherit from. */
function checkTop(path: readonly (AddressBlocks | undefined)[], children: readonly AddressFamily[]): ResourceDefect[] {
  const depth = path.length - 1
  for (const parent of path[depth] ?? []) {
    if (!hasFittingLength(parent)) return [{ code: 'UNSPECIFIED', depth }]
    const isAsked = children.some(({ family }) => family.equals(parent.family))
    if (parent.held === 'inherited' && isAsked) return [{ code: 'RESOURCES_NOT_HELD', depth }]
  }
  return []
}

function hasFittingLength({ family }: AddressFamily): boolean {
  return family.length === 2 || family.length === 3
}

/** Bytes of an address; 0 for a family that is neither IPv4 nor IPv6. */
function lengthOf(family: Buffer): number {
  const number = family.length < 2 ? 0 : family.readUInt16BE(0)
  return number === 1 ? 4 : number === 2 ? 16 : 0
}

/** X509v3_addr_is_canonical: families and ranges in order, apart from each other, and as prefixes where they are any. */
function isCanonical(blocks: AddressBlocks): boolean {
  const inOrder = blocks.every((block, index) => {
    const next = blocks[index + 1]
    return !next || (hasFittingLength(block) && hasFittingLength(next) && compareFamilies(block, next) < 0)
  })
  return inOrder && blocks.every(isCanonicalFamily)
}

function compareFamilies({ family: a }: AddressFamily, { family: b }: AddressFamily): number {
  const length = Math.min(a.length, b.length)
  return Buffer.compare(a.subarray(0, length), b.subarray(0, length)) || a.length - b.length
}

function isCanonicalFamily(block: AddressFamily): boolean {
  const { family, held } = block
  if (held === 'inherited') return true
  if (!hasFittingLength(block) || held.length === 0) return false
  const length = lengthOf(family)
  return held.every((range, index) => {
    const next = held[index + 1]
    if (!next && range.isPrefix) return true // the last prefix is not looked at
    const bounds = expand(range, length)
    if (!bounds || Buffer.compare(bounds.from, bounds.until) > 0) return false
    if (next) {
      const after = expand(next, length)
      if (!after || Buffer.compare(bounds.from, after.from) >= 0 || Buffer.compare(after.from, after.until) > 0)
        return false
      if (Buffer.compare(bounds.until, oneLess(after.from)) >= 0) return false
    }
    return range.isPrefix || !isAPrefix(bounds)
  })
}

interface Bounds {
  readonly from: Buffer
  readonly until: Buffer
}

/** Undefined where an address has too many bytes. */
function expand({ from, until }: AddressRange, length: number): Bounds | undefined {
  if (from.bytes.length > length || until.bytes.length > length) return undefined
  return { from: fill(from, length, 0), until: fill(until, length, 0xff) }
}

function fill({ bytes, unused }: Bits, length: number, byte: number): Buffer {
  const address = Buffer.concat([bytes, Buffer.alloc(length - bytes.length, byte)])
  const last = bytes.length - 1
  const mask = 0xff >>> (8 - unused)
  if (last >= 0) address[last] = byte === 0 ? (address[last] ?? 0) & ~mask : (address[last] ?? 0) | mask
  return address
}

/** Below zero it begins again at the top, as OpenSSL's subtraction does. */
function oneLess(address: Buffer): Buffer {
  const less = Buffer.from(address)
  for (let index = less.length - 1; index >= 0; index--) {
    const byte = less[index] ?? 0
    less[index] = byte - 1
    if (byte !== 0) break
  }
  return less
}

/** Tells whether a range is all of the addresses with some beginning (range_should_be_prefix). */
function isAPrefix({ from, until }: Bounds): boolean {
  const same = from.findIndex((byte, index) => byte !== until[index])
  if (same < 0) return true
  const [low = 0, high = 0] = [from[same], until[same]]
  const mask = low ^ high
  const isRest = from.every((byte, index) => index <= same || (byte === 0 && until[index] === 0xff))
  const isMask = (mask & (mask + 1)) === 0 && (low & mask) === 0 && (high & mask) === mask
  return isRest && isMask
}

/** addr_contains: both lists in order. */
function contains(parent: readonly AddressRange[], child: readonly AddressRange[], length: number): boolean {
  let place = 0
  for (const asked of child) {
    const wanted = expand(asked, length)
    if (!wanted) return false
    for (;;) {
      const range = parent[place]
      const held = range && expand(range, length)
      if (!held) return false
      if (Buffer.compare(held.until, wanted.until) >= 0) {
        if (Buffer.compare(held.from, wanted.from) > 0) return false
        break
      }
      place++
    }
  }
  return true
}
