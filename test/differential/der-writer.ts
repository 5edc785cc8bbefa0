/** DER written by hand (X.690), so that a certificate can hold anything at all, wrong things included. */

export type Oid = string

/** An element of a tag below 31; the length is whatever the content needs. */
export function element(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes = Buffer.from(evenHex(length.toString(16)), 'hex')
  return Buffer.concat([Buffer.from([0x80 + bytes.length]), bytes])
}

const evenHex = (hex: string) => (hex.length % 2 ? `0${hex}` : hex)

export const sequence = (...content: readonly Buffer[]): Buffer => element(0x30, ...content)
export const setOf = (...content: readonly Buffer[]): Buffer => element(0x31, ...content)
export const octetString = (...content: readonly Buffer[]): Buffer => element(0x04, ...content)
export const nothing = (): Buffer => element(0x05)
export const boolean = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 0xff : 0]))
export const enumerated = (value: number): Buffer => element(0x0a, Buffer.from([value]))
export const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text))
/** A constructed context tag around whole elements: EXPLICIT, or an IMPLICIT sequence. */
export const wrapped = (number: number, ...content: readonly Buffer[]): Buffer => element(0xa0 + number, ...content)
/** A primitive context tag in place of the element's own. */
export const tagged = (number: number, content: Buffer): Buffer => element(0x80 + number, content)

export function integer(value: number | bigint): Buffer {
  const whole = BigInt(value)
  if (whole < 0n) return element(0x02, Buffer.from([Number(whole) & 0xff])) // above -129 is all that is needed
  const bytes = Buffer.from(evenHex(whole.toString(16)), 'hex')
  return element(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes)
}

export function bitString(content: Buffer, unusedBits = 0): Buffer {
  return element(0x03, Buffer.from([unusedBits]), content)
}

/** Named bits, the first one being bit 0; trailing zeros are left out as DER wants it. */
export function namedBits(bits: readonly number[]): Buffer {
  if (bits.length === 0) return bitString(Buffer.alloc(0))
  const last = Math.max(...bits)
  const bytes = Buffer.alloc(Math.trunc(last / 8) + 1)
  for (const bit of bits) {
    const at = Math.trunc(bit / 8)
    bytes[at] = (bytes[at] ?? 0) | (0x80 >> (bit % 8))
  }
  return bitString(bytes, 7 - (last % 8))
}

export function objectIdentifier(dotted: Oid): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(arc: number): number[] {
  const groups = [arc % 128]
  for (let left = Math.trunc(arc / 128); left > 0; left = Math.trunc(left / 128)) groups.unshift(0x80 + (left % 128))
  return groups
}

export type TimeForm = 'utc' | 'generalized' | 'utc without seconds' | 'utc with offset' | 'generalized with fraction'

/** The last three forms are what RFC 5280 forbids and some software writes. */
export function time(at: Date, form: TimeForm): Buffer {
  const digits = at.toISOString().replace(/\D/g, '').slice(0, 14)
  switch (form) {
    case 'utc':
      return element(0x17, Buffer.from(`${digits.slice(2)}Z`))
    case 'generalized':
      return element(0x18, Buffer.from(`${digits}Z`))
    case 'utc without seconds':
      return element(0x17, Buffer.from(`${digits.slice(2, 12)}Z`))
    case 'utc with offset':
      return element(0x17, Buffer.from(`${digits.slice(2)}+0000`))
    case 'generalized with fraction':
      return element(0x18, Buffer.from(`${digits}.5Z`))
  }
}
