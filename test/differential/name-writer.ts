/** Names as certificates carry them: distinguished names with any string type, and general names (RFC 5280, 4.1.2.4, 4.2.1.6). */
import { element, objectIdentifier, sequence, setOf, tagged, wrapped } from './der-writer.js'

const STRING_TAG = { utf8: 0x0c, printable: 0x13, t61: 0x14, ia5: 0x16, bmp: 0x1e, universal: 0x1c } as const
export type StringType = keyof typeof STRING_TAG

export interface Attribute {
  readonly type: 'CN' | 'O' | 'OU' | 'C' | 'email' | 'DC'
  readonly text: string
  readonly string?: StringType
}

/** Each inner list is one relative name, mostly of one attribute. */
export type DistinguishedName = readonly (readonly Attribute[])[]

const ATTRIBUTE_OID = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  email: '1.2.840.113549.1.9.1',
  DC: '0.9.2342.19200300.100.1.25',
} as const

export const commonName = (text: string): DistinguishedName => [
  [{ type: 'O', text: 'Example' }],
  [{ type: 'CN', text }],
]

export function writeName(name: DistinguishedName): Buffer {
  return sequence(...name.map((attributes) => setOf(...attributes.map(writeAttribute))))
}

function writeAttribute({ type, text, string }: Attribute): Buffer {
  const chosen = string ?? (type === 'email' || type === 'DC' ? 'ia5' : type === 'C' ? 'printable' : 'utf8')
  return sequence(objectIdentifier(ATTRIBUTE_OID[type]), element(STRING_TAG[chosen], encode(text, chosen)))
}

function encode(text: string, string: StringType): Buffer {
  if (string === 'bmp') return Buffer.from(text, 'utf16le').swap16()
  if (string === 'universal') return Buffer.concat([...text].map((letter) => u32(letter.codePointAt(0) ?? 0)))
  return Buffer.from(text, string === 'utf8' ? 'utf8' : 'latin1')
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export type GeneralName =
  | { readonly kind: 'dns' | 'email' | 'uri'; readonly text: string }
  /** 4 or 16 bytes in a name, twice as many in a constraint, in hex. */
  | { readonly kind: 'ip'; readonly hex: string }
  | { readonly kind: 'directory'; readonly name: DistinguishedName }
  | { readonly kind: 'other' | 'registeredId' }
  /** SmtpUTF8Mailbox (RFC 8398). */
  | { readonly kind: 'utf8 email'; readonly text: string }

export function writeGeneralName(name: GeneralName): Buffer {
  switch (name.kind) {
    case 'email':
      return tagged(1, Buffer.from(name.text, 'latin1'))
    case 'dns':
      return tagged(2, Buffer.from(name.text, 'latin1'))
    case 'uri':
      return tagged(6, Buffer.from(name.text, 'latin1'))
    case 'ip':
      return tagged(7, Buffer.from(name.hex, 'hex'))
    case 'directory':
      return wrapped(4, writeName(name.name))
    case 'registeredId':
      return tagged(8, objectIdentifier('1.3.6.1.4.1.55555').subarray(2))
    case 'other':
      return wrapped(0, objectIdentifier('1.3.6.1.4.1.55555.2'), wrapped(0, element(0x0c, Buffer.from('x'))))
    case 'utf8 email':
      return wrapped(0, objectIdentifier('1.3.6.1.5.5.7.8.9'), wrapped(0, element(0x0c, Buffer.from(name.text))))
  }
}
