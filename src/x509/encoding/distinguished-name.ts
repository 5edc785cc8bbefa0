/** Distinguished names (RFC 5280, 4.1.2.4): read, compared as OpenSSL compares them, and printed. */
import { isUtf8 } from 'node:buffer'
import { type AnyValue, anyOf, decode, map, objectIdentifier, sequence, sequenceOf, setOf } from './asn1-types.js'
import { encodeElement, readOid, TAG } from './der.js'

export interface DistinguishedName {
  /** The most general part first; equal names have equal lists, and a name below another one begins with its list. */
  readonly canonical: readonly string[]
  readonly attributes: readonly NameAttribute[]
}

export interface NameAttribute {
  readonly oid: string
  /** Of the value's string type. */
  readonly tag: number
  readonly bytes: Buffer
}

const STRING_TAGS = { utf8: 0x0c, printable: 0x13, t61: 0x14, ia5: 0x16, universal: 0x1c, bmp: 0x1e }
const NUMERIC_STRING = 0x12
const BIT_STRING = 0x03

/** Values that a name may hold: B_ASN1_PRINTABLE of OpenSSL, with the types that it does not know. */
const VALUE_TAGS = [BIT_STRING, 7, 8, 9, 11, 12, 13, 14, 15, 16, 18, 19, 20, 22, 28, 29, 30]

interface NameEntry {
  readonly type: Buffer
  readonly value: AnyValue
}

/** X509_NAME_ENTRY. */
const nameEntry = sequence<NameEntry>(({ required }) => ({
  type: required(objectIdentifier),
  value: required(anyOf(VALUE_TAGS)),
}))

/** RelativeDistinguishedName ::= SET OF AttributeTypeAndValue; whether its strings are any is asked when it joins a name. */
export const relativeName = setOf(nameEntry)

/** Name; one with a string that is none is malformed. */
export const distinguishedName = map(sequenceOf(relativeName), makeName)

/** Undefined where a string is none. A SET without entries is no part of the name it stands in. */
function makeName(relativeNames: readonly (readonly NameEntry[])[]): DistinguishedName | undefined {
  const canonical: string[] = []
  const attributes: NameAttribute[] = []
  for (const entries of relativeNames) {
    const parts = entries.map(({ type, value }) => makeCanonical(type, value.tag ?? 0, value.content))
    if (!parts.every((part) => part !== undefined)) return undefined
    if (parts.length > 0) canonical.push(Buffer.concat(parts.sort(Buffer.compare)).toString('latin1'))
    for (const { type, value } of entries) {
      attributes.push({ oid: readOid(type), tag: value.tag ?? 0, bytes: value.content })
    }
  }
  return { canonical, attributes }
}

/**
 * The name below `name` that a relative one stands for: OpenSSL makes each of its entries a part of its own. Undefined where a
 * string is none.
 */
export function extendName(name: DistinguishedName, relative: readonly NameEntry[]): DistinguishedName | undefined {
  const below = makeName(relative.map((entry) => [entry]))
  if (!below) return undefined
  return {
    canonical: [...name.canonical, ...below.canonical],
    attributes: [...name.attributes, ...below.attributes],
  }
}

export function isSameName(a: DistinguishedName, b: DistinguishedName): boolean {
  return a.canonical.length === b.canonical.length && isBelow(a, b)
}

/** Tells whether `name` begins with all of `base`. */
export function isBelow(name: DistinguishedName, base: DistinguishedName): boolean {
  return base.canonical.every((part, index) => name.canonical[index] === part)
}

/** One string that equal names share, for looking them up. */
export function nameKey({ canonical }: DistinguishedName): string {
  return canonical.map((part) => `${part.length}:${part}`).join('')
}

function makeCanonical(type: Buffer, tag: number, bytes: Buffer): Buffer | undefined {
  const value = makeCanonicalValue(tag, bytes)
  return value && encodeElement(TAG.sequence, Buffer.concat([encodeElement(TAG.oid, type), value]))
}

function makeCanonicalValue(tag: number, bytes: Buffer): Buffer | undefined {
  // the content of a SEQUENCE is all of its encoding, and cannot be taken for a string's
  if (tag === BIT_STRING) return encodeElement(tag, withoutUnusedBits(bytes))
  if (!CANONICAL_TAGS.has(tag)) return encodeElement(tag, bytes)
  const text = readString(tag, bytes)
  if (text === undefined) return undefined
  const folded = text
    .replace(/^[\t-\r ]+|[\t-\r ]+$/g, '')
    .replace(/[\t-\r ]+/g, ' ')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return encodeElement(STRING_TAGS.utf8, Buffer.from(folded))
}

/** Compared without case and repeated blanks (ASN1_MASK_CANON); the others by their bytes. */
const CANONICAL_TAGS = new Set(Object.values(STRING_TAGS))

function withoutUnusedBits(content: Buffer): Buffer {
  const bits = Buffer.from(content)
  const [unused = 0] = bits
  if (bits.length > 1) bits[bits.length - 1] = (bits.at(-1) ?? 0) & (0xff << unused)
  else bits.fill(0)
  return bits
}

/** The text of a string value; undefined for other types, and for bytes that are no text of theirs. */
export function readString(tag: number, bytes: Buffer): string | undefined {
  switch (tag) {
    case STRING_TAGS.utf8:
      return isUtf8(bytes) ? bytes.toString('utf8') : undefined
    case STRING_TAGS.printable:
    case STRING_TAGS.t61:
    case STRING_TAGS.ia5:
    case NUMERIC_STRING:
      return bytes.toString('latin1')
    case STRING_TAGS.bmp:
      return readCharacters(bytes, 2)
    case STRING_TAGS.universal:
      return readCharacters(bytes, 4)
    default:
      return undefined
  }
}

/** Fixed-length characters; a surrogate is none. */
function readCharacters(bytes: Buffer, width: 2 | 4): string | undefined {
  if (bytes.length % width !== 0) return undefined
  let text = ''
  for (let offset = 0; offset < bytes.length; offset += width) {
    const point = bytes.readUIntBE(offset, width)
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined
    text += String.fromCodePoint(point)
  }
  return text
}

export interface NameField {
  /** `CN`, `O`, ...; the object identifier where it has no short name. */
  readonly type: string
  readonly value: string
}

const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.42': 'GN',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
}

/** Reads a Name's DER in encoded order, the most general field first; undefined when it is none. */
export function readNameFields(der: Buffer): NameField[] | undefined {
  return decode(distinguishedName, der)?.attributes.map(({ oid, tag, bytes }) => ({
    type: SHORT_NAMES[oid] ?? oid,
    value: readString(tag, bytes) ?? `#${bytes.toString('hex')}`, // RFC 4514, 2.4
  }))
}

/** Prints the fields on one line, the most specific first (RFC 4514), without characters that a terminal acts upon. */
export function renderNameFields(fields: readonly NameField[]): string {
  return [...fields]
    .reverse()
    .map(({ type, value }) => `${type}=${printable(value)}`)
    .join(', ')
}

const SHOWN_LENGTH = 255

/** Makes text from outside safe to print: control characters are spelled out, and long text is cut. */
export function printable(text: string): string {
  const shown = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text
  return shown.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}}`,
  )
}
