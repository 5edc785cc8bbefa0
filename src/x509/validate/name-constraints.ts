/** Name constraints (RFC 5280, 4.2.1.10) as OpenSSL 3.0 reads and compares them, its limits included (v3_ncons.c). */
import { implicit, integer, sequence, sequenceOf } from '../encoding/asn1-types.js'
import { type DistinguishedName, isBelow, readString } from '../encoding/distinguished-name.js'
import { type GeneralName, generalName } from '../encoding/general-name.js'
import { decodePunycode } from '../encoding/punycode.js'
import type { DefectCode } from './verdict.js'

export interface NameConstraints {
  readonly permitted: readonly Subtree[]
  readonly excluded: readonly Subtree[]
}

interface Subtree {
  readonly base: GeneralName
  /** Minimum or maximum say something. */
  readonly hasRange: boolean
}

export interface NamedCertificate {
  readonly subject: DistinguishedName
  readonly alternativeNames: readonly GeneralName[]
}

/** NAME_CHECK_MAX: above this OpenSSL gives up (and so do we). */
const COMPARISONS_LIMIT = 1 << 20
const EMAIL_ATTRIBUTE = '1.2.840.113549.1.9.1'
const COMMON_NAME = '2.5.4.3'
const SMTP_UTF8_MAILBOX = '1.3.6.1.5.5.7.8.9'
const IA5_STRING = 0x16
const UTF8_STRING = 0x0c

const minimumType = implicit(0, integer)
const maximumType = implicit(1, integer)

const subtree = sequence<Subtree>(({ required, optional }) => {
  const base = required(generalName)
  const minimum = optional(minimumType)
  const maximum = optional(maximumType)
  return { base, hasRange: (minimum?.some((byte) => byte !== 0) ?? false) || maximum !== undefined }
})

const permittedType = implicit(0, sequenceOf(subtree))
const excludedType = implicit(1, sequenceOf(subtree))

/** NameConstraints. */
export const nameConstraints = sequence<NameConstraints>(({ optional }) => ({
  permitted: optional(permittedType) ?? [],
  excluded: optional(excludedType) ?? [],
}))

/** How many comparisons `findConstraintDefect` makes at most: none where it gives up at once. */
export function countComparisons(certificate: NamedCertificate, constraints: NameConstraints): number {
  const pairs = countPairs(certificate, constraints)
  return pairs > COMPARISONS_LIMIT ? 0 : pairs
}

function countPairs({ subject, alternativeNames }: NamedCertificate, { permitted, excluded }: NameConstraints): number {
  return (subject.attributes.length + alternativeNames.length) * (permitted.length + excluded.length)
}

/** Asks one certificate's names about one authority's constraints; a leaf without dNSNames is asked for its common names too. */
export function findConstraintDefect(
  certificate: NamedCertificate,
  constraints: NameConstraints,
  isLeaf: boolean,
): DefectCode | undefined {
  const { subject, alternativeNames } = certificate
  if (countPairs(certificate, constraints) > COMPARISONS_LIMIT) return 'UNSPECIFIED'
  const names: GeneralName[] = []
  if (subject.attributes.length > 0) {
    names.push({ kind: 'directory', name: subject, bytes: Buffer.alloc(0) })
    for (const { oid, tag, bytes } of subject.attributes) {
      if (oid !== EMAIL_ATTRIBUTE) continue
      if (tag !== IA5_STRING) return findFirst(names, constraints) ?? 'NAME_SYNTAX'
      names.push({ kind: 'email', bytes })
    }
  }
  names.push(...alternativeNames)
  const found = findFirst(names, constraints)
  if (found || !isLeaf || alternativeNames.some(({ kind }) => kind === 'dns')) return found
  return findCommonNameDefect(subject, constraints)
}

function findFirst(names: readonly GeneralName[], constraints: NameConstraints): DefectCode | undefined {
  for (const name of names) {
    const found = findNameDefect(name, constraints)
    if (found) return found
  }
  return undefined
}

function findCommonNameDefect({ attributes }: DistinguishedName, constraints: NameConstraints): DefectCode | undefined {
  for (const { oid, tag, bytes } of attributes) {
    if (oid !== COMMON_NAME) continue
    const given = readString(tag, bytes)
    if (given === undefined) return 'UNSPECIFIED' // OpenSSL takes it for a lack of memory
    const text = given.replace(/\0+$/, '')
    if (text.includes('\0')) return 'NAME_SYNTAX'
    if (!looksLikeHostName(text)) continue
    const found = findNameDefect({ kind: 'dns', bytes: Buffer.from(text) }, constraints)
    if (found) return found
  }
  return undefined
}

/** Two labels or more of letters, digits, underscores and inner hyphens; a single label is not taken for a host name. */
function looksLikeHostName(text: string): boolean {
  return /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)+$/.test(text)
}

/** One permitted subtree of the name's kind must match, where there is any of that kind; no excluded one may. */
function findNameDefect(name: GeneralName, { permitted, excluded }: NameConstraints): DefectCode | undefined {
  const kind = effectiveKind(name)
  const isAbout = ({ base }: Subtree) =>
    base.kind === kind &&
    (kind !== 'other' || (base.kind === 'other' && name.kind === 'other' && base.oid === name.oid))

  let isPermitted: boolean | undefined
  for (const subtree of permitted.filter(isAbout)) {
    if (subtree.hasRange) return 'NAME_CONSTRAINT_RANGE'
    if (isPermitted) continue
    const answer = compare(name, kind, subtree.base)
    if (typeof answer === 'string') return answer
    isPermitted = answer
  }
  if (isPermitted === false) return 'NAME_NOT_PERMITTED'

  for (const subtree of excluded.filter(isAbout)) {
    if (subtree.hasRange) return 'NAME_CONSTRAINT_RANGE'
    const answer = compare(name, kind, subtree.base)
    if (typeof answer === 'string') return answer
    if (answer) return 'NAME_EXCLUDED'
  }
  return undefined
}

/** An internationalised mailbox counts as an e-mail address (RFC 8398, 6). */
function effectiveKind(name: GeneralName): GeneralName['kind'] {
  return name.kind === 'other' && name.oid === SMTP_UTF8_MAILBOX ? 'email' : name.kind
}

/** Whether the name lies in the subtree, or why that cannot be told. */
function compare(name: GeneralName, kind: GeneralName['kind'], base: GeneralName): boolean | DefectCode {
  switch (kind) {
    case 'directory':
      return name.kind === 'directory' && base.kind === 'directory' && isBelow(name.name, base.name)
    case 'dns':
      return isDnsBelow(textOf(name.bytes), textOf(base.bytes))
    case 'email':
      return name.kind === 'other' ? compareMailbox(name, base) : compareEmail(name.bytes, base.bytes)
    case 'uri':
      return compareUri(textOf(name.bytes), textOf(base.bytes))
    case 'ip':
      return compareAddress(name.bytes, base.bytes)
    default:
      return 'NAME_CONSTRAINT_TYPE'
  }
}

const texts = new WeakMap<Buffer, string>()

/** Case does not count; byte for character. Remembered: a name may be compared with a thousand others. */
function textOf(bytes: Buffer): string {
  const known = texts.get(bytes)
  if (known !== undefined) return known
  const text = bytes.toString('latin1').replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  texts.set(bytes, text)
  return text
}

function isDnsBelow(name: string, base: string): boolean {
  if (base === '') return true
  if (!name.endsWith(base)) return false
  return name.length === base.length || base.startsWith('.') || name.at(-base.length - 1) === '.'
}

function compareEmail(name: Buffer, base: Buffer): boolean | DefectCode {
  const at = name.lastIndexOf(0x40)
  if (at < 0) return 'NAME_SYNTAX'
  const baseAt = base.lastIndexOf(0x40)
  if (baseAt < 0 && base[0] === 0x2e) return name.length > base.length && textOf(name).endsWith(textOf(base))
  if (baseAt > 0) {
    if (baseAt !== at) return false
    const [local, wanted] = [name.subarray(0, at), base.subarray(0, baseAt)]
    if (local.includes(0) || wanted.includes(0)) return 'NAME_SYNTAX'
    if (!local.equals(wanted)) return false
  }
  return textOf(name.subarray(at + 1)) === textOf(base.subarray(baseAt + 1))
}

/** nc_email_eai: only the host counts, and it is compared with the constraint's Unicode form. */
function compareMailbox(name: GeneralName, base: GeneralName): boolean | DefectCode {
  const value = name.kind === 'other' ? name.value : undefined
  if (base.bytes.includes(0) || value?.tag !== UTF8_STRING) return 'NAME_SYNTAX'
  const at = value.content.lastIndexOf(0x40)
  if (at < 0) return 'NAME_SYNTAX'
  const wanted = toUnicode(base.bytes)
  if (!wanted) return 'UNSPECIFIED'
  if (base.bytes[0] !== 0x2e) return textOf(value.content.subarray(at + 1)) === textOf(wanted)
  const end = `.${textOf(wanted)}` // one dot more than the constraint has: OpenSSL adds its own
  return value.content.length > end.length && textOf(value.content).endsWith(end)
}

const LONGEST_HOST = 254
const LARGEST_CHARACTER = 0x10ffff

/** A host name with the labels that begin with `xn--` in Unicode; undefined where it is too long or one of them is malformed. */
function toUnicode(host: Buffer): Buffer | undefined {
  const labels = host
    .toString('latin1')
    .split('.')
    .map((label) => (label.startsWith('xn--') ? decodeLabel(label) : Buffer.from(label, 'latin1')))
  if (!labels.every((label) => label !== undefined)) return undefined
  const joined = Buffer.concat(labels.flatMap((label, index) => (index > 0 ? [Buffer.from('.'), label] : [label])))
  return joined.length > LONGEST_HOST ? undefined : joined
}

function decodeLabel(label: string): Buffer | undefined {
  const characters = decodePunycode(label.slice('xn--'.length))
  const isUnicode = characters?.every((character) => character <= LARGEST_CHARACTER)
  return characters && isUnicode ? Buffer.concat(characters.map(writeUtf8)) : undefined
}

/** Half a surrogate pair is written like any other character, which Node would not do. */
function writeUtf8(character: number): Buffer {
  if (character < 0xd800 || character > 0xdfff) return Buffer.from(String.fromCodePoint(character))
  return Buffer.from([0xe0 | (character >>> 12), 0x80 | ((character >>> 6) & 0x3f), 0x80 | (character & 0x3f)])
}

function compareUri(name: string, base: string): boolean | DefectCode {
  const colon = name.indexOf(':')
  if (colon < 0 || !name.startsWith('://', colon)) return 'NAME_SYNTAX'
  const rest = name.slice(colon + 3)
  const port = rest.indexOf(':')
  const end = port >= 0 ? port : rest.indexOf('/')
  const host = end >= 0 ? rest.slice(0, end) : rest
  if (host === '') return 'NAME_SYNTAX'
  if (base.startsWith('.')) return host.length > base.length && host.endsWith(base)
  return host === base
}

function compareAddress(address: Buffer, base: Buffer): boolean | DefectCode {
  if (![4, 16].includes(address.length) || ![8, 32].includes(base.length)) return 'NAME_SYNTAX'
  if (address.length * 2 !== base.length) return false
  return address.every((byte, index) => {
    const mask = base[address.length + index] ?? 0
    return (byte & mask) === ((base[index] ?? 0) & mask)
  })
}
