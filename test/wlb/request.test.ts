import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { BODY_LIMIT_BYTES, decodeRequest, encodeRequest, requestHead } from '../../src/wlb/index.js'
import { CALLS } from './samples.js'

/** The outcome in a few words: what was called, what is wrong, or the error's code. */
function describeRequest(body: string | Uint8Array): string {
  try {
    const decoded = decodeRequest(body)
    if (decoded.kind === 'call') return `${decoded.call.method} ${JSON.stringify(decoded.call.request)}`
    if (decoded.kind === 'unknown-method') return `unknown ${decoded.method}`
    return `${decoded.code} ${decoded.message}`
  } catch (error) {
    if (error instanceof WlbError) return error.code
    throw error
  }
}

const DWM = 'xmlns="http://schemas.citrix.com/DWM"'
const soap = (inside: string) =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${inside}</s:Body></s:Envelope>`
const remove = (inside: string) => soap(`<RemoveXenServer ${DWM}><request>${inside}</request></RemoveXenServer>`)
const add = (inside: string) => soap(`<AddXenServer ${DWM}><request>${inside}</request></AddXenServer>`)
const set = (inside: string) =>
  soap(`<SetXenPoolConfiguration ${DWM}><request>${inside}</request></SetXenPoolConfiguration>`)
const row = (inside: string) => set(`<OptimizationParms><kv>${inside}</kv></OptimizationParms><PoolUuid>p</PoolUuid>`)

const cases: [what: string, body: string | Uint8Array, outcome: string][] = [
  ['plain', remove('<PoolUuid>p</PoolUuid>'), 'RemoveXenServer {"poolUuid":"p"}'],
  ['another prefix', remove('<q:PoolUuid xmlns:q="urn:q">p</q:PoolUuid>'), 'RemoveXenServer {"poolUuid":"p"}'],
  ['an unknown child', remove('<New>1</New><PoolUuid>p</PoolUuid>'), 'RemoveXenServer {"poolUuid":"p"}'],
  ['text is not trimmed', remove('<PoolUuid> p </PoolUuid>'), 'RemoveXenServer {"poolUuid":" p "}'],
  ['a comment splits nothing', remove('<PoolUuid>p<!-- -->q</PoolUuid>'), 'RemoveXenServer {"poolUuid":"pq"}'],
  ['CDATA', remove('<PoolUuid><![CDATA[<p>]]></PoolUuid>'), 'RemoveXenServer {"poolUuid":"<p>"}'],
  [
    'an XML declaration',
    `<?xml version="1.0"?>${remove('<PoolUuid>p</PoolUuid>')}`,
    'RemoveXenServer {"poolUuid":"p"}',
  ],
  ['a byte order mark', Buffer.from(`\ufeff${remove('<PoolUuid>p</PoolUuid>')}`), 'RemoveXenServer {"poolUuid":"p"}'],
  ['no PoolUuid', remove(''), '4007 PoolUuid is missing'],
  ['empty PoolUuid', remove('<PoolUuid/>'), '4007 PoolUuid is empty'],
  ['elements in PoolUuid', remove('<PoolUuid><a/></PoolUuid>'), '4007 PoolUuid holds elements instead of text'],
  ['no request', soap(`<RemoveXenServer ${DWM}/>`), '4004 request is missing'],
  [
    'any order',
    add('<XenServerUrl>u</XenServerUrl><UserName>n</UserName><PoolUuid>p</PoolUuid><Password/>'),
    'AddXenServer {"password":"","poolUuid":"p","userName":"n","xenServerUrl":"u"}',
  ],
  ['no UserName', add('<XenServerUrl>u</XenServerUrl><PoolUuid>p</PoolUuid><Password/>'), '4007 UserName is missing'],
  ['no Password', add('<XenServerUrl>u</XenServerUrl><PoolUuid>p</PoolUuid>'), '4007 Password is missing'],
  [
    'no rows',
    set('<OptimizationParms/><PoolUuid>p</PoolUuid>'),
    'SetXenPoolConfiguration {"entries":[],"poolUuid":"p"}',
  ],
  ['no list', set('<PoolUuid>p</PoolUuid>'), '4007 OptimizationParms is missing'],
  ['no key', row('<Value>v</Value>'), '4007 a row of OptimizationParms has no Key'],
  ['no value', row('<Key>k</Key>'), 'SetXenPoolConfiguration {"entries":[["k",""]],"poolUuid":"p"}'],
  [
    'blank value',
    row('<Key>k</Key><Value> </Value>'),
    'SetXenPoolConfiguration {"entries":[["k"," "]],"poolUuid":"p"}',
  ],
  [
    'diagnostics, only blanks',
    soap(`<GetDiagnostics ${DWM}><request>\n </request></GetDiagnostics>`),
    'GetDiagnostics {}',
  ],
  ['unknown method', soap(`<FooBar ${DWM}/>`), 'unknown FooBar'],
  ['a method by inheritance', soap('<constructor/>'), 'unknown constructor'],
  ['empty body', soap(''), 'SOAP_MALFORMED'],
  ['another root', '<a><Body><b/></Body></a>', 'SOAP_MALFORMED'],
  ['no document', '', 'XML_MALFORMED'],
  ['not XML', 'POST / HTTP/1.1', 'XML_MALFORMED'],
  ['truncated', remove('<PoolUuid>p').slice(0, -30), 'XML_MALFORMED'],
  ['undeclared prefix', remove('<q:PoolUuid>p</q:PoolUuid>'), 'XML_MALFORMED'],
  ['unknown entity', remove('<PoolUuid>&nbsp;</PoolUuid>'), 'XML_MALFORMED'],
  ['control character', remove('<PoolUuid>&#1;</PoolUuid>'), 'XML_MALFORMED'],
  ['junk behind', `${remove('<PoolUuid>p</PoolUuid>')}junk`, 'XML_MALFORMED'],
  ['not UTF-8', Buffer.from(remove('<PoolUuid>\xe4</PoolUuid>'), 'latin1'), 'XML_MALFORMED'],
]

describe('a request', () => {
  it.each(cases)('%s', (_, body, outcome) => {
    expect(describeRequest(body)).toBe(outcome)
  })
})

const bomb = ['<!DOCTYPE s [<!ENTITY a0 "ha">']
for (let level = 1; level < 30; level += 1) bomb.push(`<!ENTITY a${level} "${`&a${level - 1};`.repeat(10)}">`)
const hostile: [what: string, body: string, outcome: string][] = [
  ['entity bomb', `${bomb.join('')}]>${remove('<PoolUuid>&a29;</PoolUuid>')}`, 'XML_FORBIDDEN'],
  ['external entity', `<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>${remove('&x;')}`, 'XML_FORBIDDEN'],
  ['external DTD', `<!DOCTYPE s SYSTEM "http://127.0.0.1:1/">${remove('')}`, 'XML_FORBIDDEN'],
  ['17 levels', '<a>'.repeat(17), 'XML_FORBIDDEN'],
  ['16 levels', `${'<a>'.repeat(16)}${'</a>'.repeat(16)}`, 'SOAP_MALFORMED'],
  ['100,000 nested elements', '<a>'.repeat(100_000), 'XML_FORBIDDEN'],
  ['1,000,000 nested elements', '<a>'.repeat(1_000_000), 'XML_FORBIDDEN'],
  ['nested elements with prefixes', '<a xmlns:p="u">'.repeat(100_000), 'XML_FORBIDDEN'],
  ['a start tag that never ends', fill('<a', ' b="1"', ''), 'XML_MALFORMED'],
  ['as many attributes as fit', fill('<a', (n) => ` b${n}="1"`, '/>'), 'SOAP_MALFORMED'],
  ['as many namespaces as fit', fill('<a', (n) => ` xmlns:b${n}="u"`, '/>'), 'SOAP_MALFORMED'],
  ['as many elements as fit', fill('<a>', '<b/>', '</a>'), 'SOAP_MALFORMED'],
  [
    'elements beside many namespaces',
    fill(
      fill('<a', (n) => ` xmlns:b${n}="u"`, '>', 100_000),
      '<c:c/>',
      '',
    ),
    'XML_MALFORMED',
  ],
  ['as many references as fit', fill(soap('').slice(0, -24), '&#x41;', ''), 'XML_MALFORMED'],
  ['comments', fill('<a>', '<!---->', ''), 'XML_MALFORMED'],
  ['less-than signs', fill('', '<', ''), 'XML_MALFORMED'],
]

function fill(start: string, piece: string | ((n: number) => string), end: string, bytes = BODY_LIMIT_BYTES): string {
  const pieces = [start]
  let length = start.length + end.length
  for (let n = 0; ; n += 1) {
    const next = typeof piece === 'string' ? piece : piece(n)
    length += next.length
    if (length > bytes) return pieces.join('') + end
    pieces.push(next)
  }
}

/** Of this process's own time, so that a busy machine changes nothing.. */
const MOST_MICROSECONDS = 5_000_000

describe('a hostile request costs little and says nothing', () => {
  it.each(hostile)('%s', (_, body, outcome) => {
    const started = process.cpuUsage()
    expect(describeRequest(body)).toBe(outcome)
    expect(process.cpuUsage(started).user).toBeLessThan(MOST_MICROSECONDS)
  })

  test('garbage is a WlbError, never a crash', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '&',
      ';',
      '"',
      '<s:Envelope',
      '<request>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '<?',
      'a',
      ' ',
    )
    const soup = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary' }), fc.uint8Array()), (body) => {
        expect(describeRequest(body)).toMatch(/^[A-Z]+_[A-Z]+$/)
      }),
      { numRuns: 2_000 },
    )
  })

  test('a request cut or bent anywhere is read or refused, never a crash', () => {
    const bent = fc.tuple(fc.constantFrom(...CALLS), fc.nat(), fc.nat(300), fc.string({ unit: 'binary', maxLength: 4 }))
    fc.assert(
      fc.property(bent, ([call, at, removed, inserted]) => {
        const body = encodeRequest(call)
        const start = at % body.length
        expect(describeRequest(body.slice(0, start) + inserted + body.slice(start + removed))).not.toBe('')
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the head of a request', () => {
  const head = (userName: string, password: string) => {
    const text = requestHead({ call: CALLS[8]!, host: 'h', userName, password, bodyBytes: 1, userAgent: 'xapi/1.2' })
    return Buffer.from(/Basic (.*)\r/.exec(text)?.[1] ?? '', 'base64').toString('utf8')
  }

  it.each([
    ['wlbuser', 'secret'],
    ['wlbuser', 'with:colons:'],
    ['ünï', 'pässwörd€😀'],
    ['u', 'x'.repeat(500)],
  ])('carries the credentials %s', (userName, password) => {
    expect(head(userName, password)).toBe(`${userName}:${password}`)
  })
})
