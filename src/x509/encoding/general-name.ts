/** GeneralName (RFC 5280, 4.2.1.6): what alternative names, name constraints and distribution points are made of. */
import { SocketAddress } from 'node:net'
import { type DerElement, readElement, readElements, readOid, TAG } from './der.js'
import { type DistinguishedName, readDistinguishedName } from './distinguished-name.js'

export type GeneralName =
  | { readonly kind: 'dns' | 'email' | 'uri' | 'ip' | 'registeredId'; readonly bytes: Buffer }
  | { readonly kind: 'directory'; readonly name: DistinguishedName; readonly bytes: Buffer }
  | { readonly kind: 'other'; readonly oid: string; readonly value: DerElement | undefined; readonly bytes: Buffer }
  | { readonly kind: 'x400' | 'ediParty'; readonly bytes: Buffer }

/** Reads the content of a GeneralNames sequence; undefined when one of them is malformed. */
export function readGeneralNames(content: Buffer): GeneralName[] | undefined {
  const names = readElements(content)?.map(readGeneralName)
  return names?.every((name) => name !== undefined) ? names : undefined
}

export function readGeneralName({ tag, content }: DerElement): GeneralName | undefined {
  switch (tag) {
    case 0xa0: {
      const [oid, value] = readElements(content) ?? []
      if (oid?.tag !== TAG.oid || value?.tag !== 0xa0) return undefined
      return { kind: 'other', oid: readOid(oid.content), value: readElement(value.content), bytes: content }
    }
    case 0x81:
      return { kind: 'email', bytes: content }
    case 0x82:
      return { kind: 'dns', bytes: content }
    case 0xa3:
      return { kind: 'x400', bytes: content }
    case 0xa4: {
      const inner = readElement(content)
      const name = inner?.tag === TAG.sequence ? readDistinguishedName(inner.content) : undefined
      return name && { kind: 'directory', name, bytes: content }
    }
    case 0xa5:
      return { kind: 'ediParty', bytes: content }
    case 0x86:
      return { kind: 'uri', bytes: content }
    case 0x87:
      return { kind: 'ip', bytes: content }
    case 0x88:
      return { kind: 'registeredId', bytes: content }
    default:
      return undefined
  }
}

/** Equal as X509v3 compares general names: of one kind, directory names by their canonical form, all else by bytes. */
export function isSameGeneralName(a: GeneralName, b: GeneralName): boolean {
  return a.kind === b.kind && a.bytes.equals(b.bytes)
}

export interface AlternativeName {
  readonly kind: 'dns' | 'ip' | 'email' | 'uri' | 'other'
  /** Addresses as people write them; hex where the bytes have no text. */
  readonly value: string
}

/** Reads the extension's value; undefined when the bytes are something else. */
export function readAlternativeNames(der: Buffer): AlternativeName[] | undefined {
  const list = readElement(der)
  if (list?.tag !== TAG.sequence || list.bytes.length !== der.length) return undefined
  return readGeneralNames(list.content)?.map(describeGeneralName)
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
