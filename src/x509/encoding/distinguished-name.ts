/**
 * Names compared as OpenSSL compares them: X509_NAME_cmp, over a form in which letter case, string type and runs of
 * blanks do not count (RFC 5280, 7.1, in the simpler reading of OpenSSL 3).
 */
import { encodeElement, readElements, readOid, TAG } from './der.js'

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
      const [type, value] = (member.tag === TAG.sequence && readElements(member.content)) || []
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
