import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { matchesExpression, parseExpression } from '../../src/lab/api/expression.js'

const record = { type: 'ca', name: '', name_label: 'lab', size: 50n, live: true, tags: ['a'], quoted: 'a"b' }

const cases: [expression: string, outcome: boolean | 'refused'][] = [
  ['true', true],
  ['false', false],
  ['field "type"="ca"', true],
  ["field 'type' = 'ca'", true],
  ['"ca"=field "type"', true],
  ['field "type"="ca" and field "name"=""', true],
  ['field "type"="host" or field "name"=""', true],
  ['not field "type"="ca"', false],
  ['not (field "type"="host") and true', true],
  ['true or true and false', true],
  ['(true or true) and false', false],
  ['field "name__label"="lab"', true],
  ['field "size"="50"', true],
  ['field "live"="true"', true],
  ['field "quoted"="a\\"b"', true],
  ['field "absent"="ca"', false],
  ['field "tags"="a"', false],
  ['field "__proto__"="x"', false],
  ['', 'refused'],
  ['field "type"', 'refused'],
  ['field "type"="ca', 'refused'],
  ['true true', 'refused'],
  ['(true', 'refused'],
  ['type="ca"', 'refused'],
  ['('.repeat(5_000), 'refused'],
  ['not '.repeat(5_000), 'refused'],
]

it.each(cases)('%s: %s', (expression, outcome) => {
  if (outcome === 'refused') expect(() => parseExpression(expression)).toThrow(/INVALID_VALUE/)
  else expect(matchesExpression(parseExpression(expression), record)).toBe(outcome)
})

test('garbage is refused, never a crash', () => {
  const words = fc.constantFrom('field', 'and', 'or', 'not', 'true', '(', ')', '=', '"a"', '"', "'", '\\', 'x')
  fc.assert(
    fc.property(fc.array(words), (pieces) => {
      try {
        matchesExpression(parseExpression(pieces.join(' ')), record)
      } catch (error) {
        expect(error).toHaveProperty('code', 'INVALID_VALUE')
      }
    }),
  )
})
