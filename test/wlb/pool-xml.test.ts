import { describe, expect, it } from 'vitest'
import type { XmlElement } from '../../src/base/text/xml.js'
import { readPoolXml } from '../../src/wlb/pool-xml.js'

/** The tree in brackets, `a(b "text")`, or the reason in the pool's words. */
function describeXml(body: string | Uint8Array): string {
  const document = readPoolXml(typeof body === 'string' ? Buffer.from(body) : body)
  return document.state === 'read' ? describeTree(document.root) : document.reason
}

function describeTree({ local, children }: XmlElement): string {
  const inside = children.map((child) => (typeof child === 'string' ? JSON.stringify(child) : describeTree(child)))
  return inside.length === 0 ? local : `${local}(${inside.join(' ')})`
}

const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')
const declared = (encoding: string, text: string) =>
  Buffer.from(`<?xml version="1.0" encoding="${encoding}"?>${text}`, 'latin1')

const cases: [body: string | Uint8Array, outcome: string][] = [
  // Names and prefixes.
  ['<a/>', 'a'],
  ['<p:a xmlns:p="u"/>', 'a'],
  ['<p:a xmlns:p="u"><p:b/></p:a>', 'a(b)'],
  ['<a><p:b xmlns:p="u"/><p:c/></a>', 'unknown namespace prefix (p) line 1'],
  ['<a i:nil="true"/>', 'unknown namespace prefix (i) line 1'],
  ['<a>\n\n<i:b/></a>', 'unknown namespace prefix (i) line 3'],
  ['<a xml:lang="en"/>', 'a'],
  ['<a b="1" b="2"/>', 'a'],
  ['<a b=\'"\' c="&lt;"/>', 'a'],
  ['<a b="<"/>', 'character sequence illegal here ("<") line 1'],
  ['<a b="&nbsp;"/>', 'unknown entity reference (nbsp) line 1'],
  ['<ä>ö</ä>', 'ä("ö")'],
  ['<a></b>', 'expected end tag of a line 1'],
  ['<a><p:b xmlns:p="u"></b></a>', 'expected end tag of p:b line 1'],
  // Blanks.
  ['<a> \t\n<b/> </a>', 'a(b)'],
  ['<a> </a>', 'a'],
  ['<a><![CDATA[ ]]></a>', 'a'],
  ['<a>\r\n<b/>\r</a>', 'a(b)'],
  ['<a>&#xD;<b/></a>', 'a("\\r" b)'],
  ['<a>\u00a0</a>', 'a("\u00a0")'],
  ['<a> 3 </a>', 'a(" 3 ")'],
  ['<a> x<b/> y </a>', 'a(" x" b " y ")'],
  ['<a>1\r\n2\r3</a>', 'a("1\\n2\\n3")'],
  // Text.
  ['<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</a>', 'a("<>&\\"\'A😀")'],
  ['<a>x<![CDATA[<y>&]]>z</a>', 'a("x<y>&z")'],
  ['<a>x<!-- c --><?p i?>y</a>', 'a("xy")'],
  ['<a>]]></a>', 'character sequence illegal here ("]]>") line 1'],
  ['<a>&nbsp;</a>', 'unknown entity reference (nbsp) line 1'],
  ['<a>&constructor;</a>', 'unknown entity reference (constructor) line 1'],
  ['<a>& b</a>', 'character sequence illegal here ("&") line 1'],
  ['<a>&#1;</a>', 'illegal character reference (#1) line 1'],
  ['<a>&#xD800;</a>', 'illegal character reference (#xD800) line 1'],
  ['<a>&#x110000;</a>', 'illegal character reference (#x110000) line 1'],
  ['<a>&#;</a>', 'illegal character reference (#) line 1'],
  ['<a>\u0001</a>', 'malformed character stream line 1'],
  // Around the root.
  ['', 'expected root element line 1'],
  [' \n', 'expected root element line 2'],
  ['junk<a/>', 'expected root element line 1'],
  ['</a>', 'expected root element line 1'],
  ['<?xml version="1.0"?>\n<!-- c --><?p i?> <a/>', 'a'],
  ['<?xml version="1.0" encoding="UTF-8" standalone="yes" ?><a/>', 'a'],
  ['<?xml version="2.0"?><a/>', 'character sequence illegal here ("<") line 1'],
  [' <?xml version="1.0"?><a/>', 'character sequence illegal here ("<") line 1'],
  ['<!DOCTYPE a><a/>', 'a'],
  ['<!DOCTYPE a [<!ENTITY x "]>"><!-- > " --><!ELEMENT a ANY>]><a/>', 'a'],
  ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'unknown entity reference (x) line 1'],
  ['<a/>junk', 'a'],
  ['<a/><b/>', 'a'],
  ['<a/>\0', 'a'],
  [Buffer.concat([Buffer.from('<a/>'), Buffer.from([0xff, 0xfe])]), 'a'],
  ['<a><b></b>', 'unexpected end of input line 1'],
  ['<a', 'unexpected end of input line 1'],
  ['<a b', 'unexpected end of input line 1'],
  ['<a b="', 'unexpected end of input line 1'],
  ['<a><!-- ', 'unexpected end of input line 1'],
  ['<a><!-- -- --></a>', 'character sequence illegal here ("--") line 1'],
  ['<a><![CDATA[', 'unexpected end of input line 1'],
  ['<a><!DOCTYPE b></a>', 'character sequence illegal here ("!") line 1'],
  // Encodings.
  ['\ufeff<a>ü</a>', 'a("ü")'],
  [utf16('<a>ü😀</a>'), 'a("ü😀")'],
  [utf16('<?xml version="1.0" encoding="UTF-16"?><a>ü</a>'), 'a("ü")'],
  [utf16('<a>ü</a>').swap16(), 'a("ü")'],
  [declared('ISO-8859-1', '<a>\xfc\x80</a>'), 'a("ü\x80")'],
  [declared('iso-8859-1', '<a>\xfc</a>'), 'a("ü")'],
  [declared('US-ASCII', '<a>u</a>'), 'a("u")'],
  [declared('US-ASCII', '<a>\xfc</a>'), 'malformed character stream line 1'],
  [declared('UTF-8', '<a>\xfc</a>'), 'malformed character stream line 1'],
  [declared('UTF-16', '<a/>'), 'malformed character stream line 1'],
  [declared('windows-1252', '<a/>'), 'unknown encoding (windows-1252) line 1'],
  [declared('nonsense', '<a/>'), 'unknown encoding (nonsense) line 1'],
  [Buffer.from('<a>\n\xc3</a>', 'latin1'), 'malformed character stream line 2'],
  [Buffer.from('<a>\xed\xa0\x80</a>', 'latin1'), 'malformed character stream line 1'],
  [Buffer.from('<a>\xc3', 'latin1'), 'malformed character stream line 1'],
]

describe('XML as a pool reads it', () => {
  it.each(cases)('%j: %s', (body, outcome) => {
    expect(describeXml(body)).toBe(outcome)
  })
})
