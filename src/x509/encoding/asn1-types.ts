/**
 * ASN.1 values read by their types, as strictly and as generously as OpenSSL 3.0 reads them (tasn_dec.c): BER of any kind is taken
 * (indefinite lengths, strings in pieces, a SEQUENCE OF without the bit that says it has parts), padded numbers and object
 * identifiers are not. What this refuses, a pool refuses, whatever OpenSSL Node was built with.
 */
import {
  type Cursor,
  context,
  ELEMENT_LIMIT,
  findEnd,
  type Header,
  isUniversal,
  MALFORMED,
  readHeader,
  readString,
  takesEnd,
  universal,
} from './ber.js'
import { readOid } from './der.js'

export interface Type<T> {
  /** Tells whether a value of this type can begin with this tag. */
  readonly starts: (tag: number) => boolean
  readonly read: (cursor: Cursor, header: Header) => T
}

export type ValueOf<T> = T extends Type<infer Value> ? Value : never

/** A type whose tag can be replaced (IMPLICIT). */
export interface TaggedType<T> extends Type<T> {
  readonly under: (tag: number) => Type<T>
}

/** Reads one value; bytes after it do not matter. Undefined when the bytes are something else. */
export function decode<T>(type: Type<T>, bytes: Buffer): T | undefined {
  const cursor = { bytes, at: 0, end: bytes.length }
  try {
    return readRequired(type, cursor)
  } catch (error) {
    if (error === MALFORMED) return undefined
    throw error
  }
}

function readRequired<T>(type: Type<T>, cursor: Cursor): T {
  const header = readHeader(cursor)
  if (!type.starts(header.tag)) throw MALFORMED
  return type.read(cursor, header)
}

/** The fields of a SEQUENCE, in the order in which they are asked for. */
export interface Fields {
  required<T>(type: Type<T>): T
  optional<T>(type: Type<T>): T | undefined
}

/** A SEQUENCE: `read` asks for its fields one after the other; what it does not ask for may not be there. */
export function sequence<T>(read: (fields: Fields) => T): TaggedType<T> {
  return tagged(universal(16), (cursor, header) => {
    if (!header.hasParts) throw MALFORMED
    const inner = { bytes: cursor.bytes, at: header.start, end: header.end }
    let hasEnded = false
    const isOver = () => {
      if (hasEnded || inner.at === inner.end) return true
      hasEnded = takesEnd(inner)
      if (hasEnded && !header.isEndless) throw MALFORMED
      return hasEnded
    }
    const optional = <F>(type: Type<F>): F | undefined => {
      if (isOver()) return undefined
      const next = readHeader(inner)
      return type.starts(next.tag) ? type.read(inner, next) : undefined
    }
    const required = <F>(type: Type<F>): F => {
      if (isOver()) throw MALFORMED
      return readRequired(type, inner)
    }
    const value = read({ required, optional })
    if (!hasEnded && !(header.isEndless ? takesEnd(inner) : inner.at === inner.end)) throw MALFORMED
    cursor.at = inner.at
    return value
  })
}

export const sequenceOf = <T>(type: Type<T>): TaggedType<T[]> => listOf(universal(16), type)
export const setOf = <T>(type: Type<T>): TaggedType<T[]> => listOf(universal(17), type)

/** The bit that says it has parts is not looked at. */
function listOf<T>(tag: number, type: Type<T>): TaggedType<T[]> {
  return tagged(tag, (cursor, header) => {
    const inner = { bytes: cursor.bytes, at: header.start, end: header.end }
    const values: T[] = []
    let isOpen = header.isEndless
    while (inner.at < inner.end) {
      if (takesEnd(inner)) {
        if (!isOpen) throw MALFORMED
        isOpen = false
        break
      }
      if (values.length === ELEMENT_LIMIT) throw MALFORMED
      values.push(readRequired(type, inner))
    }
    if (isOpen) throw MALFORMED
    cursor.at = inner.at
    return values
  })
}

function tagged<T>(tag: number, read: Type<T>['read']): TaggedType<T> {
  const under = (other: number) => ({ starts: (given: number) => given === other, read })
  return { ...under(tag), under }
}

/** `[number] IMPLICIT`. */
export const implicit = <T>(number: number, type: TaggedType<T>): Type<T> => type.under(context(number))

/** `[number] EXPLICIT`. */
export function explicit<T>(number: number, type: Type<T>): Type<T> {
  const tag = context(number)
  return {
    starts: (given) => given === tag,
    read: (cursor, header) => {
      if (!header.hasParts) throw MALFORMED
      const inner = { bytes: cursor.bytes, at: header.start, end: header.end }
      const value = readRequired(type, inner)
      if (!(header.isEndless ? takesEnd(inner) : inner.at === inner.end)) throw MALFORMED
      cursor.at = inner.at
      return value
    },
  }
}

export function choice<T>(...types: readonly Type<T>[]): Type<T> {
  return {
    starts: (tag) => types.some((type) => type.starts(tag)),
    read: (cursor, header) => {
      const type = types.find((one) => one.starts(header.tag))
      if (!type) throw MALFORMED
      return type.read(cursor, header)
    },
  }
}

/** The value, and all of its encoding. */
export function withBytes<T>({ starts, read }: Type<T>): Type<{ readonly value: T; readonly bytes: Buffer }> {
  return {
    starts,
    read: (cursor, header) => {
      const begin = cursor.at
      const value = read(cursor, header)
      return { value, bytes: cursor.bytes.subarray(begin, cursor.at) }
    },
  }
}

/** The same type, its value made into something else; undefined there makes it malformed. */
export function map<T, U>(type: TaggedType<T>, change: (value: T) => U | undefined): TaggedType<U>
export function map<T, U>(type: Type<T>, change: (value: T) => U | undefined): Type<U>
export function map<T, U>(type: Type<T> | TaggedType<T>, change: (value: T) => U | undefined): Type<U> {
  const changed = ({ starts, read }: Type<T>): Type<U> => ({
    starts,
    read: (cursor, header) => {
      const value = change(read(cursor, header))
      if (value === undefined) throw MALFORMED
      return value
    },
  })
  return 'under' in type
    ? Object.assign(changed(type), { under: (tag: number) => changed(type.under(tag)) })
    : changed(type)
}

/** A value that may not come in pieces. */
function whole<T>(number: number, check: (content: Buffer) => T | undefined): TaggedType<T> {
  return tagged(universal(number), (cursor, header) => {
    if (header.hasParts) throw MALFORMED
    cursor.at = header.end
    const value = check(cursor.bytes.subarray(header.start, header.end))
    if (value === undefined) throw MALFORMED
    return value
  })
}

function string<T>(number: number, check: (content: Buffer) => T | undefined): TaggedType<T> {
  return tagged(universal(number), (cursor, header) => {
    const value = check(readString(cursor, header))
    if (value === undefined) throw MALFORMED
    return value
  })
}

export const boolean = whole(1, (content) => (content.length === 1 ? content[0] !== 0 : undefined))
/** The content: two's complement without padding, so that equal numbers have equal bytes. */
export const integer = whole(2, (content) => (isNumber(content) ? content : undefined))
export const enumerated = whole(10, (content) => (isNumber(content) ? content : undefined))
export const bitString = string(3, readBits)
export const octetString = string(4, (content) => content)
export const ia5String = string(22, (content) => content)
export const nothing = whole(5, (content) => (content.length === 0 ? null : undefined))
export const objectIdentifier = whole(6, (content) => (isIdentifier(content) ? content : undefined))
/** An object identifier in dotted form. */
export const oid = map(objectIdentifier, readOid)

/** c2i_ASN1_INTEGER. */
function isNumber(content: Buffer): boolean {
  const [first, second] = content
  if (first === undefined) return false
  if (second === undefined) return true
  if (first === 0) return second >= 0x80
  return first !== 0xff || second < 0x80
}

/** ASN1_INTEGER_get: what does not fit into 64 bits is -1. */
export function readLong(content: Buffer): bigint {
  return content.length > 8 ? -1n : BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`))
}

/** The same kept in an `int` of C, which has the lower 32 bits of it: 2^32 + 8 is 8. */
export const readInt = (content: Buffer): number => Number(BigInt.asIntN(32, readLong(content)))

/** c2i_ASN1_OBJECT: the last byte ends a number, and no number begins with a byte that says nothing. */
function isIdentifier(content: Buffer): boolean {
  if ((content.at(-1) ?? 0x80) >= 0x80) return false
  for (let index = 0; index < content.length; index++) {
    if (content[index] === 0x80 && (content[index - 1] ?? 0) < 0x80) return false
  }
  return true
}

export interface Bits {
  /** Without the bits that are not used. */
  readonly bytes: Buffer
  readonly unused: number
}

function readBits(content: Buffer): Bits | undefined {
  const [unused] = content
  if (unused === undefined || unused > 7) return undefined
  const bytes = Buffer.from(content.subarray(1))
  if (bytes.length > 0) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) & (0xff << unused)
  return { bytes, unused }
}

export interface AnyValue {
  /** The number of a universal tag; undefined for another class. */
  readonly tag: number | undefined
  /** All of the encoding for a SEQUENCE, a SET, and other classes. */
  readonly content: Buffer
}

/** ANY: checked as far as its tag says how. */
export const any: Type<AnyValue> = {
  starts: () => true,
  read: (cursor, header) => {
    const tag = isUniversal(header.tag) ? header.tag / 4 : undefined
    if (tag !== undefined && tag !== 16 && tag !== 17) return { tag, content: readPrimitive(tag, cursor, header) }
    if (tag !== undefined && !header.hasParts) throw MALFORMED
    const begin = cursor.at
    cursor.at = header.isEndless ? findEnd(cursor.bytes, header) : header.end
    return { tag, content: cursor.bytes.subarray(begin, cursor.at) }
  },
}

/** A string of one of these types; none of them can be replaced by an IMPLICIT tag. */
export function anyOf(tags: readonly number[]): Type<AnyValue> {
  const wanted = new Set(tags.map(universal))
  return { starts: (tag) => wanted.has(tag), read: any.read }
}

/** A SEQUENCE that is not looked into. */
export const opaqueSequence = tagged(universal(16), (cursor, header) => {
  if (!header.hasParts) throw MALFORMED
  const begin = cursor.at
  cursor.at = header.isEndless ? findEnd(cursor.bytes, header) : header.end
  return cursor.bytes.subarray(begin, cursor.at)
})

/** What is no string has a type of its own; the rest are strings, known or not. */
const CHECKED: ReadonlyMap<number, TaggedType<unknown>> = new Map<number, TaggedType<unknown>>([
  [1, boolean],
  [2, integer],
  [3, bitString],
  [5, nothing],
  [6, objectIdentifier],
  [10, enumerated],
])
const BYTES_A_CHARACTER: Readonly<Record<number, number>> = { 28: 4, 30: 2 }

function readPrimitive(tag: number, cursor: Cursor, header: Header): Buffer {
  const checked = CHECKED.get(tag)
  if (checked) {
    const { at } = cursor
    checked.read(cursor, header)
    cursor.at = at
    if (!header.hasParts) {
      cursor.at = header.end
      return cursor.bytes.subarray(header.start, header.end)
    }
  }
  const content = readString(cursor, header)
  if (content.length % (BYTES_A_CHARACTER[tag] ?? 1) !== 0) throw MALFORMED
  return content
}
