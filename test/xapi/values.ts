/** Arbitrary XenAPI values for the laws that every codec has to keep. */
import fc from 'fast-check'
import type { ApiValue } from '../../src/xapi/index.js'

/** Whole seconds, and years of four digits: what the wire can say. */
const date = fc
  .date({ min: new Date('1000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((value) => new Date(Math.floor(value.getTime() / 1000) * 1000))

/** Text that XML can carry and reads back unchanged. */
export const wireText = fc
  .string({ unit: 'binary' })
  .map((text) => text.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ''))

export function apiValue(scalar: fc.Arbitrary<ApiValue>): fc.Arbitrary<ApiValue> {
  return fc.letrec<{ value: ApiValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(wireText, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
export const jsonScalar = fc.oneof(
  wireText,
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  finite,
  fc.boolean(),
)
export const xmlScalar = fc.oneof(wireText, fc.double({ noNaN: true }), fc.boolean(), date)
