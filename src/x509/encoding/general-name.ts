/** GeneralName (RFC 5280, 4.2.1.6): what alternative names, name constraints and distribution points are made of. */
import { SocketAddress } from 'node:net'
import {
  type AnyValue,
  any,
  anyOf,
  choice,
  decode,
  explicit,
  ia5String,
  implicit,
  map,
  objectIdentifier,
  octetString,
  opaqueSequence,
  sequence,
  sequenceOf,
  type TaggedType,
  type Type,
  withBytes,
} from './asn1-types.js'
import { encodeElement, readOid, TAG } from './der.js'
import { type DistinguishedName, distinguishedName, isSameName } from './distinguished-name.js'

export type GeneralName =
  /** `bytes`: the content; of kinds with parts as DER would have it, so that equal names have equal bytes. */
  | { readonly kind: 'dns' | 'email' | 'uri' | 'ip' | 'registeredId'; readonly bytes: Buffer }
  | { readonly kind: 'directory'; readonly name: DistinguishedName; readonly bytes: Buffer }
  | { readonly kind: 'other'; readonly oid: string; readonly value: AnyValue; readonly bytes: Buffer }
  | { readonly kind: 'x400' | 'ediParty'; readonly bytes: Buffer }

/** DirectoryString ::= CHOICE { PrintableString, T61String, BMPString, UniversalString, UTF8String }. */
const directoryString = anyOf([19, 20, 30, 28, 12])

const otherName = sequence(({ required }) => {
  const type = required(objectIdentifier)
  const value = required(explicit(0, any))
  const bytes = [encodeElement(TAG.oid, type), encodeElement(TAG.context0, encodeAny(value))]
  return { oid: readOid(type), value, bytes: Buffer.concat(bytes) }
})

const ediPartyName = sequence(({ required, optional }) => {
  const assigner = optional(explicit(0, directoryString))
  const party = required(explicit(1, directoryString))
  return Buffer.concat([
    ...(assigner ? [encodeElement(TAG.context0, encodeAny(assigner))] : []),
    encodeElement(TAG.context1, encodeAny(party)),
  ])
})

const simple = (number: number, kind: Exclude<GeneralName['kind'], 'directory' | 'other'>, type: TaggedType<Buffer>) =>
  map<Buffer, GeneralName>(implicit(number, type), (bytes) => ({ kind, bytes }))

/** GeneralName; one of these that cannot be read makes the whole list malformed. */
export const generalName: Type<GeneralName> = choice<GeneralName>(
  map<Omit<Extract<GeneralName, { kind: 'other' }>, 'kind'>, GeneralName>(implicit(0, otherName), (name) => ({
    kind: 'other',
    ...name,
  })),
  simple(1, 'email', ia5String),
  simple(2, 'dns', ia5String),
  simple(3, 'x400', opaqueSequence),
  map(explicit(4, withBytes(distinguishedName)), ({ value, bytes }) => ({ kind: 'directory', name: value, bytes })),
  simple(5, 'ediParty', ediPartyName),
  simple(6, 'uri', ia5String),
  simple(7, 'ip', octetString),
  simple(8, 'registeredId', objectIdentifier),
)

export const generalNames = sequenceOf(generalName)

/** A value in DER; what has parts, and what is of another class, is kept encoded. */
function encodeAny({ tag, content }: AnyValue): Buffer {
  const isEncoded = tag === undefined || tag === 16 || tag === 17
  return isEncoded ? content : encodeElement(tag, content)
}

/** Equal as X509v3 compares general names: of one kind, directory names by their canonical form, all else by bytes. */
export function isSameGeneralName(a: GeneralName, b: GeneralName): boolean {
  if (a.kind === 'directory' && b.kind === 'directory') return isSameName(a.name, b.name)
  return a.kind === b.kind && a.bytes.equals(b.bytes)
}

export interface AlternativeName {
  readonly kind: 'dns' | 'ip' | 'email' | 'uri' | 'other'
  /** Addresses as people write them; hex where the bytes have no text. */
  readonly value: string
}

/** Reads the extension's value; undefined when the bytes are something else. */
export function readAlternativeNames(der: Buffer): AlternativeName[] | undefined {
  const list = decode(withBytes(generalNames), der)
  return list?.bytes.length === der.length ? list.value.map(describeGeneralName) : undefined
}

export function describeGeneralName({ kind, bytes }: GeneralName): AlternativeName {
  if (kind === 'ip') return { kind, value: readAddress(bytes) }
  if (kind === 'dns' || kind === 'email' || kind === 'uri') return { kind, value: bytes.toString('latin1') }
  return { kind: 'other', value: bytes.toString('hex') }
}

function readAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return bytes.toString('hex')
  const groups = bytes.toString('hex').match(/.{4}/g) ?? []
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address
}
