/** Text from elsewhere as it is shown: nothing in it moves the cursor, hides, turns others around or begins a line. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { visible, visibleCommand, visibleJson, visibleLine, visibleText } from '../../src/base/text/printable.js'

const lines: [what: string, given: string, shown: string][] = [
  ['plain', 'xs1.example.com (Müller, 東京, 🙂)', 'xs1.example.com (Müller, 東京, 🙂)'],
  ['an escape sequence', '\u001b[2Jx', '\\x1b[2Jx'],
  ['one of a single character', '\u009b2Jx', '\\x9b2Jx'],
  ['a new line', 'a\nb\r\nc', 'a\\x0ab\\x0d\\x0ac'],
  ['a tab, a bell, a delete', 'a\tb\u0007\u007f', 'a\\x09b\\x07\\x7f'],
  ['right to left', 'a\u202eb\u2066c\u2069', 'a\\u202eb\\u2066c\\u2069'],
  ['marks of direction', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
  ['separators of lines', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
  ['of no width', 'a\u200bb\u200d\ufeff\u2060', 'a\\u200bb\\u200d\\ufeff\\u2060'],
  ['half a character', 'a\ud800b', 'a\\ud800b'],
  ['no character', 'a\uffffb', 'a\\uffffb'],
  ['a tag', 'a\u{e0041}', 'a\\u{e0041}'],
]
it.each(lines)('a line: %s', (_, given, shown) => expect(visibleLine(given)).toBe(shown))

test('a text keeps its ends of lines and nothing else', () => {
  expect(visibleText('a\nb\tc\u001b\n')).toBe('a\nb\\x09c\\x1b\n')
})

test('lists, objects and the names in them; commands as such; dates as they are', () => {
  const at = new Date(0)
  expect(visible({ 'a\n': ['b\u001b', { remedy: 'ls\n', n: 1, at }] })).toEqual({
    'a\\x0a': ['b\\x1b', { remedy: visibleCommand('ls\n'), n: 1, at }],
  })
  expect(visibleCommand("ls 'a b'")).toBe("ls 'a b'")
  expect(visibleCommand('ls\nrm')).toMatch(/^# .*ls\\x0arm$/)
})

describe('of any text', () => {
  const anything = fc.string({ unit: 'binary' })
  test('a line is one line without control characters, and showing it twice changes nothing', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(visibleLine(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        expect(visibleLine(visibleLine(text))).toBe(visibleLine(text))
      }),
    )
  })
  test('JSON is the same document, and holds no such character', () => {
    fc.assert(
      fc.property(fc.dictionary(anything, anything), (document) => {
        const shown = visibleJson(JSON.stringify(document, undefined, 2))
        expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify(document)))
      }),
    )
  })
})
