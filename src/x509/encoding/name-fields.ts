/** What stands in a distinguished name, field by field (RFC 5280, 4.1.2.4). */
import { readElement, TAG } from './der.js'
import { readDistinguishedName, readString } from './distinguished-name.js'

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

/** On one line, the most specific field first (RFC 4514), and nothing in it that a terminal would act upon. */
export function renderNameFields(fields: readonly NameField[]): string {
  return [...fields]
    .reverse()
    .map(({ type, value }) => `${type}=${printable(value)}`)
    .join(', ')
}

const SHOWN_LENGTH = 255

/** Text from a stranger, for showing: control characters spelled out, and cut where it goes on and on. */
export function printable(text: string): string {
  const shown = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text
  return shown.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}}`,
  )
}
