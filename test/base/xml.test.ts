import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import {
  childElements,
  childNamed,
  escapeXml,
  parseXml,
  textOf,
  type XmlElement,
  type XmlLimits,
} from '../../src/base/text/xml.js'

/** The tree in brackets, `a(b "text")`, with `{namespace}` where there is one; or the error's code. */
function describeXml(text: string, limits?: XmlLimits): string {
  try {
    return describeTree(parseXml(text, limits))
  } catch (error) {
    if (error instanceof WlbError) return error.code
    throw error
  }
}

function describeTree({ local, namespace, children }: XmlElement): string {
  const name = namespace === '' ? local : `{${namespace}}${local}`
  const inside = children.map((child) => (typeof child === 'string' ? JSON.stringify(child) : describeTree(child)))
  return inside.length === 0 ? name : `${name}(${inside.join(' ')})`
}

const cases: [text: string, outcome: string][] = [
  ['<a/>', 'a'],
  ['<?xml version="1.0"?><a> <b/>x</a>', 'a(" " b "x")'],
  ['<p:a xmlns:p="u"><b xmlns="v"/></p:a>', '{u}a({v}b)'],
  ['<a>x<![CDATA[<y>]]>&amp;<!-- c -->z</a>', 'a("x<y>&z")'],
  ['<a>1\r\n2&#xD;</a>', 'a("1\\n2\\r")'],
  ['<a><p:b/></a>', 'XML_MALFORMED'],
  ['<a p:b="1"/>', 'XML_MALFORMED'],
  ['<a b="1" b="2"/>', 'XML_MALFORMED'],
  ['<a>&nbsp;</a>', 'XML_MALFORMED'],
  ['<a>&constructor;</a>', 'XML_MALFORMED'],
  ['<a>&#1;</a>', 'XML_MALFORMED'],
  ['<a>\u0001</a>', 'XML_MALFORMED'],
  ['<a>]]></a>', 'XML_MALFORMED'],
  ['<a>', 'XML_MALFORMED'],
  ['<a></b>', 'XML_MALFORMED'],
  ['<a/><b/>', 'XML_MALFORMED'],
  ['<a/>x', 'XML_MALFORMED'],
  ['x<a/>', 'XML_MALFORMED'],
  ['', 'XML_MALFORMED'],
  ['<__proto__ xmlns:constructor="u"><constructor:b/></__proto__>', '__proto__({u}b)'],
  ['<!DOCTYPE a><a/>', 'XML_FORBIDDEN'],
  [`${'<a>'.repeat(64)}${'</a>'.repeat(64)}`, `${'a('.repeat(63)}a${')'.repeat(63)}`],
  ['<a>'.repeat(65), 'XML_FORBIDDEN'],
]

describe('parseXml', () => {
  it.each(cases)('%j: %s', (text, outcome) => {
    expect(describeXml(text)).toBe(outcome)
  })

  it('steps over a document type where asked to, and takes nothing from it', () => {
    const limits: XmlLimits = { maxDepth: 64, doctype: 'skip' }
    expect(describeXml('<!DOCTYPE a [<!ENTITY x "y">]><a/>', limits)).toBe('a')
    expect(describeXml('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', limits)).toBe('XML_MALFORMED')
  })

  test('garbage is a WlbError, never a crash', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '&',
      ';',
      '"',
      '=',
      '<a>',
      '</a>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '<?',
      ':',
      ' ',
    )
    const soup = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary' })), (text) => {
        expect(describeXml(text)).not.toBe('')
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the tree', () => {
  const root = parseXml('<a>x<b/>y<p:c xmlns:p="u">z</p:c><b>2</b></a>')

  it('names its children, whatever their namespace', () => {
    expect(childElements(root).map(({ local }) => local)).toEqual(['b', 'c', 'b'])
    expect(childNamed(root, 'c')?.namespace).toBe('u')
    expect(childNamed(root, 'b')?.children).toEqual([])
    expect(childNamed(root, 'd')).toBeUndefined()
  })

  it('has text of its own', () => {
    expect(textOf(root)).toBe('xy')
  })
})

describe('escapeXml', () => {
  test('what it writes is read back, but for what XML cannot carry', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const kept = text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
        expect(textOf(parseXml(`<a>${escapeXml(text)}</a>`))).toBe(kept)
      }),
    )
  })

  it.each([
    ['a & b < c > d "e" \'f\'', 'a &amp; b &lt; c &gt; d &quot;e&quot; &apos;f&apos;'],
    [']]>', ']]&gt;'],
    ['a\u0001\u0000b\r\n\t😀', 'ab&#xD;\n\t😀'],
    ['\ud800x', '\ufffdx'],
  ])('%j becomes %j', (text, escaped) => {
    expect(escapeXml(text)).toBe(escaped)
  })
})
