/**
 * BER as OpenSSL 3.0 reads it (tasn_dec.c, X.690 8.1): headers, indefinite lengths, strings in pieces. What this refuses, a pool
 * refuses, whatever OpenSSL Node was built with.
 */

/** Where reading stands; `end` bounds it. */
export interface Cursor {
  readonly bytes: Buffer
  at: number
  readonly end: number
}

export interface Header {
  /** Number and class in one: `universal`, `context`. */
  readonly tag: number
  readonly hasParts: boolean
  readonly isEndless: boolean
  /** Of the content; `end` is the furthest it can reach where the length is indefinite. */
  readonly start: number
  readonly end: number
}

/** Thrown by everything here; `decode` of asn1-types.ts catches it. */
export const MALFORMED = new Error('not of this type')
/** A hostile file of elements of two bytes each would take a hundred bytes of memory for each. */
export const ELEMENT_LIMIT = 200_000
/** ASN1_MAX_STRING_NEST. */
const PIECES_DEPTH_LIMIT = 5
const LARGEST_TAG = 0x7fffffff

/** The class is the rest of a division by four: universal 0, application 1, context-specific 2, private 3. */
export const universal = (number: number): number => number * 4
export const context = (number: number): number => number * 4 + 2
export const isUniversal = (tag: number): boolean => tag % 4 === 0

/** ASN1_get_object: the length may have leading zeros, and a small tag may be written as a large one. */
export function readHeader({ bytes, at, end }: Cursor): Header {
  let next = at
  const byte = () => {
    if (next >= end) throw MALFORMED
    return bytes[next++] ?? 0
  }
  const first = byte()
  let number = first & 0x1f
  if (number === 0x1f) {
    number = 0
    for (let group = 0x80; group >= 0x80; number = number * 128 + (group & 0x7f)) {
      if (number > LARGEST_TAG >>> 7) throw MALFORMED
      group = byte()
    }
  }
  const hasParts = (first & 0x20) !== 0
  const tag = number * 4 + (first >>> 6)
  let length = byte()
  if (length === 0x80) {
    if (!hasParts) throw MALFORMED
    return { tag, hasParts, isEndless: true, start: next, end }
  }
  if (length > 0x80) {
    const last = next + length - 0x80
    // up to OpenSSL 3.0.19 there had to be one byte more
    if (last >= end) throw MALFORMED
    for (length = 0; next < last; next++) length = length * 256 + (bytes[next] ?? 0)
  }
  if (length > end - next) throw MALFORMED
  return { tag, hasParts, isEndless: false, start: next, end: next + length }
}

/** Two zero bytes end what has an indefinite length, and stand nowhere else. */
export function takesEnd(cursor: Cursor): boolean {
  if (cursor.end - cursor.at < 2 || cursor.bytes[cursor.at] !== 0 || cursor.bytes[cursor.at + 1] !== 0) return false
  cursor.at += 2
  return true
}

/** A string comes in one piece or in many; the tags of the pieces do not matter (asn1_collect). */
export function readString(cursor: Cursor, header: Header): Buffer {
  if (header.hasParts) {
    const pieces: Buffer[] = []
    cursor.at = collect(cursor.bytes, header, pieces, 0)
    return Buffer.concat(pieces)
  }
  cursor.at = header.end
  return cursor.bytes.subarray(header.start, header.end)
}

function collect(bytes: Buffer, { start, end, isEndless }: Header, pieces: Buffer[], depth: number): number {
  const inner = { bytes, at: start, end }
  while (inner.at < end) {
    if (takesEnd(inner)) {
      if (!isEndless) throw MALFORMED
      return inner.at
    }
    const piece = readHeader(inner)
    if (pieces.length === ELEMENT_LIMIT || (piece.hasParts && depth === PIECES_DEPTH_LIMIT)) throw MALFORMED
    if (!piece.hasParts) pieces.push(bytes.subarray(piece.start, piece.end))
    inner.at = piece.hasParts ? collect(bytes, piece, pieces, depth + 1) : piece.end
  }
  if (isEndless) throw MALFORMED
  return inner.at
}

/** asn1_find_end: counts what begins without a length and what ends it, and looks at nothing else. */
export function findEnd(bytes: Buffer, { start, end }: Header): number {
  const inner = { bytes, at: start, end }
  for (let open = 1; inner.at < end; ) {
    if (takesEnd(inner)) {
      if (--open === 0) return inner.at
      continue
    }
    const header = readHeader(inner)
    if (header.isEndless) open++
    inner.at = header.isEndless ? header.start : header.end
  }
  throw MALFORMED
}
