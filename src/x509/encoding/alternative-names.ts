/** The names a subjectAltName lists, as text (RFC 5280, 4.2.1.6). */
import { SocketAddress } from 'node:net'
import { readElement, TAG } from './der.js'
import { type GeneralName, readGeneralNames } from './general-name.js'

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
