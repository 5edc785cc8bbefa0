/** Distinguished names (RFC 5280, 4.1.2.4): read, compared as OpenSSL compares them, and printed. */
import { encodeElement, fieldsOf, readElement, readElements, readOid, TAG } from './der.js'

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

const STRING_TAGS = { utf8: 0x0c, printable: 0x13, t61: 0x14, ia5: 0x16, visible: 0x1a, universal: 0x1c, bmp: 0x1e }

/** Reads the content of a Name (a SEQUENCE of relative names); undefined when it is none. */
export function readDistinguishedName(content: Buffer): DistinguishedName | undefined {
  const canonical: string[] = []
  const attributes: NameAttribute[] = []
  for (const relative of readElements(content) ?? [undefined]) {
    const members = relative?.tag === TAG.set ? readElements(relative.content) : undefined
    if (!members) return undefined
    const encoded: Buffer[] = []
    for (const member of members) {
      const [type, value] = fieldsOf(member)
      if (type?.tag !== TAG.oid || !value) return undefined
      attributes.push({ oid: readOid(type.content), tag: value.tag, bytes: value.content })
      encoded.push(encodeElement(TAG.sequence, Buffer.concat([type.bytes, canonicalValue(value.tag, value.content)])))
    }
    canonical.push(Buffer.concat(encoded.sort(Buffer.compare)).toString('latin1'))
  }
  return { canonical, attributes }
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

function canonicalValue(tag: number, bytes: Buffer): Buffer {
  const text = readString(tag, bytes)
  if (text === undefined) return encodeElement(tag, bytes)
  const folded = text
    .replace(/^[\t-\r ]+|[\t-\r ]+$/g, '')
    .replace(/[\t-\r ]+/g, ' ')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return encodeElement(STRING_TAGS.utf8, Buffer.from(folded))
}

/** The text of a string value; undefined for types that are compared as they are. */
export function readString(tag: number, bytes: Buffer): string | undefined {
  switch (tag) {
    case STRING_TAGS.utf8:
      return bytes.toString('utf8')
    case STRING_TAGS.printable:
    case STRING_TAGS.t61:
    case STRING_TAGS.ia5:
    case STRING_TAGS.visible:
      return bytes.toString('latin1')
    case STRING_TAGS.bmp:
      return bytes.length % 2 === 0 ? Buffer.from(bytes).swap16().toString('utf16le') : undefined
    case STRING_TAGS.universal:
      return readUniversal(bytes)
    default:
      return undefined
  }
}

function readUniversal(bytes: Buffer): string | undefined {
  if (bytes.length % 4 !== 0) return undefined
  let text = ''
  for (let offset = 0; offset < bytes.length; offset += 4) {
    const point = bytes.readUInt32BE(offset)
    if (point > 0x10ffff) return undefined
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
  const element = readElement(der)
  const name = element?.tag === TAG.sequence ? readDistinguishedName(element.content) : undefined
  return name?.attributes.map(({ oid, tag, bytes }) => ({
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
