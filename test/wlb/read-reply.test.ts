import { describe, expect, it } from 'vitest'
import { type MethodName, readReply } from '../../src/wlb/index.js'
import { describeReply } from './reply-words.js'

const envelope = (inside: string) => `<Envelope><Body>${inside}</Body></Envelope>`
const result = (method: MethodName, inside: string) =>
  envelope(`<${method}Response><${method}Result>${inside}</${method}Result></${method}Response>`)

const NO_PAYLOAD = 'After failing to retrieve valid response, an error codecould not be found'
const malformed = (method: MethodName) => `WLB_MALFORMED_RESPONSE [${method}; ${NO_PAYLOAD}]`

describe('the status decides first', () => {
  const cases: [status: number, outcome: string][] = [
    [401, 'WLB_AUTHENTICATION_FAILED []'],
    [403, 'WLB_AUTHENTICATION_FAILED []'],
    ...[100, 103, 201, 204, 301, 400, 404, 405, 411, 413, 500, 503].map((status): [number, string] => [
      status,
      'WLB_CONNECTION_RESET []',
    ]),
    [200, 'ok {}'],
  ]
  it.each(cases)('%d: %s', (status, outcome) => {
    expect(describeReply('RemoveXenServer', result('RemoveXenServer', ''), status)).toBe(outcome)
  })
})

describe('the length', () => {
  const body = Buffer.from(result('RemoveXenServer', ''))

  it('a body shorter than announced was not received', () => {
    const reply = readReply('RemoveXenServer', { status: 200, body, contentLength: body.length + 1 })
    expect(reply).toEqual({ state: 'failed', code: 'INTERNAL_ERROR', params: ['End_of_file'] })
  })

  it('what is behind the announced length is not read', () => {
    const more = Buffer.concat([body, Buffer.from('<')])
    expect(readReply('RemoveXenServer', { status: 200, body: more, contentLength: body.length }).state).toBe('ok')
  })

  it('a download is read to the end, whatever was announced', () => {
    const report = Buffer.from(result('ExecuteReport', '<XmlDataSet>r</XmlDataSet>'))
    for (const contentLength of [1, report.length + 1]) {
      const reply = readReply('ExecuteReport', { status: 200, body: report, contentLength })
      expect(reply).toEqual({ state: 'ok', result: { text: 'r' } })
    }
  })
})

describe('the way to the result', () => {
  const remove = '<RemoveXenServerResponse><RemoveXenServerResult/></RemoveXenServerResponse>'
  const noException = 'Expected data is missing or corrupt. No exception found.'
  const cases: [what: string, body: string, outcome: string][] = [
    ['SOAP 1.1', envelope(remove), 'ok {}'],
    ['any root', `<Anything><Body>${remove}</Body></Anything>`, 'ok {}'],
    ['any declared prefix', `<x:E xmlns:x="u"><x:Body>${remove}</x:Body></x:E>`, 'ok {}'],
    ['a header', `<Envelope><Header>h</Header><Body>${remove}</Body></Envelope>`, 'ok {}'],
    [
      'letter case matters',
      envelope(remove.replaceAll('Result', 'result')),
      `WLB_MALFORMED_RESPONSE [RemoveXenServer; ${noException}]`,
    ],
    ['another method', result('AddXenServer', ''), `WLB_MALFORMED_RESPONSE [RemoveXenServer; ${noException}]`],
    ['no body', '<Envelope/>', `WLB_MALFORMED_RESPONSE [RemoveXenServer; ${noException}]`],
    [
      'text in the body',
      envelope('down'),
      'WLB_MALFORMED_RESPONSE [unknown; Found data in Body node, expected elements]',
    ],
    [
      'fault, SOAP 1.2',
      envelope('<Fault><Code/><Reason><Text>no such method</Text></Reason></Fault>'),
      'WLB_INTERNAL_ERROR [Exception:; no such method]',
    ],
    [
      'fault, SOAP 1.1',
      envelope('<Fault><faultcode>c</faultcode><faultstring>s</faultstring></Fault>'),
      `WLB_MALFORMED_RESPONSE [RemoveXenServer; ${noException}]`,
    ],
    [
      'undeclared prefix',
      envelope('<a i:nil="true"/>'),
      'WLB_MALFORMED_RESPONSE [RemoveXenServer; unknown namespace prefix (i) line 1]',
    ],
    [
      'chunks',
      `5a\r\n${envelope(remove)}\r\n0\r\n\r\n`,
      'WLB_MALFORMED_RESPONSE [RemoveXenServer; expected root element line 1]',
    ],
    ['nothing', '', 'WLB_MALFORMED_RESPONSE [RemoveXenServer; expected root element line 1]'],
    ['truncated', '<Envelope>\n<Body>', 'WLB_MALFORMED_RESPONSE [RemoveXenServer; unexpected end of input line 2]'],
  ]
  it.each(cases)('%s', (_, body, outcome) => {
    expect(describeReply('RemoveXenServer', body)).toBe(outcome)
  })

  it('the third item is the answer for broken contents, empty for broken XML, withheld for a registration', () => {
    const third = (method: MethodName, body: string) => {
      const reply = readReply(method, { status: 200, body: Buffer.from(body) })
      return reply.state === 'failed' ? reply.params[2] : 'ok'
    }
    expect(third('GetXenPoolConfiguration', '<a b="c"><d>&lt;</d><e/></a>')).toBe('<a><d>&lt;</d><e/></a>')
    expect(third('GetXenPoolConfiguration', '<a')).toBe('')
    expect(third('ExecuteReport', '<a')).toBe('<a')
    expect(third('AddXenServer', result('AddXenServer', ''))).toBe('Logging output disabled for this call.')
  })
})

describe('what a result may hold', () => {
  const reading = { empty: 'ok, empty', none: 'ok, none', malformed: 'malformed', unknown: 'malformed, unknown' }
  const internal = (code: string) => `internal ${code}`
  const put = '<Recommendations/>'
  const withId = `<OptimizationId>7</OptimizationId>${put}`

  /** One line for one content, one column for each way of reading. */
  const cases: [content: string, set: string, add: string, optimize: string, place: string][] = [
    ['', reading.empty, reading.malformed, reading.none, reading.malformed],
    [' \n\t', reading.empty, reading.malformed, reading.none, reading.malformed],
    ['<!-- nothing -->', reading.empty, reading.malformed, reading.none, reading.malformed],
    ['&#xD;', reading.unknown, reading.unknown, reading.unknown, reading.unknown],
    ['\u00a0', reading.unknown, reading.unknown, reading.unknown, reading.unknown],
    ['done', reading.unknown, reading.unknown, reading.unknown, reading.unknown],
    ['<ResultCode>0</ResultCode>', internal('0'), internal('0'), internal('0'), internal('0')],
    ['<ResultCode/>', internal(''), internal(''), internal(''), internal('')],
    ['<ResultCode> 0</ResultCode>', internal(' 0'), internal(' 0'), internal(' 0'), internal(' 0')],
    ['<ResultCode>00</ResultCode>', internal('00'), internal('00'), internal('00'), internal('00')],
    ['<ResultCode>4015</ResultCode>', internal('4015'), internal('4015'), internal('4015'), internal('4015')],
    [`<Id/>${withId}<ResultCode>0</ResultCode>`, internal('0'), 'ok', 'ok, none', 'ok'],
    [`<Id/>${withId}<ResultCode>5</ResultCode>`, internal('5'), internal('5'), internal('5'), internal('5')],
    ['<Id/>', reading.malformed, 'ok', reading.malformed, reading.malformed],
    [put, reading.malformed, reading.malformed, reading.malformed, 'ok'],
    [withId, reading.malformed, reading.malformed, 'ok, none', 'ok'],
    ['<Severity>Low</Severity>', reading.malformed, reading.malformed, reading.malformed, reading.malformed],
    ['<OptimizationId>7</OptimizationId>', reading.malformed, reading.malformed, reading.malformed, reading.malformed],
  ]

  function shorten(method: MethodName, content: string): string {
    const reply = readReply(method, { status: 200, body: Buffer.from(result(method, content)) })
    if (reply.state === 'failed') {
      if (reply.code === 'WLB_INTERNAL_ERROR') return internal(reply.params[0] ?? '')
      return reply.params[0] === 'unknown' ? reading.unknown : reading.malformed
    }
    if (method === 'SetXenPoolConfiguration') return reading.empty
    return method === 'GetOptimizationRecommendations' ? reading.none : 'ok'
  }

  it.each(cases)('%j', (content, set, add, optimize, place) => {
    expect(shorten('SetXenPoolConfiguration', content)).toBe(set)
    expect(shorten('RemoveXenServer', content) === 'ok' ? reading.empty : shorten('RemoveXenServer', content)).toBe(set)
    expect(shorten('AddXenServer', content)).toBe(add)
    expect(shorten('GetOptimizationRecommendations', content)).toBe(optimize)
    expect(shorten('VMGetRecommendations', content)).toBe(place)
  })
})

describe('each method has its own rules', () => {
  const dictionary = (rows: string) => `<OptimizationParms>${rows}</OptimizationParms>`
  const rows = (...inside: string[]) =>
    `<Recommendations>${inside.map((row) => `<R>${row}</R>`).join('')}</Recommendations>`
  const place = (stars: string, reason: string, id = '1') =>
    rows(
      `<HostUuid>h</HostUuid><RecommendationId>${id}</RecommendationId><Stars>${stars}</Stars><ZeroScoreReason>${reason}</ZeroScoreReason>`,
    )
  const optimize = (row: string, id = '7') => `<OptimizationId>${id}</OptimizationId>${rows(row)}`
  const id = '<RecommendationId>1</RecommendationId>'
  const reason = '<Reason>Cpu</Reason>'
  const numbers = 'WLB_MALFORMED_RESPONSE [unknown; Could not parse star rating/recID/optID]'
  const fields = 'Missing VmToMoveUuid, RecID, MoveToHostUuid, or Reason'
  const text = 'Found data in Recommendations node, expected only parent nodes'

  const cases: [method: MethodName, content: string, outcome: string][] = [
    ['AddXenServer', '<Id>1</Id>', 'ok {"id":"1"}'],
    ['AddXenServer', '<Id><any/></Id>', 'ok {"id":""}'],
    ['GetXenPoolConfiguration', '', malformed('GetXenPoolConfiguration')],
    ['GetXenPoolConfiguration', dictionary(''), 'ok {"entries":[]}'],
    ['GetXenPoolConfiguration', dictionary('<x><Key>k</Key><Value> v </Value></x>'), 'ok {"entries":[["k"," v "]]}'],
    ['GetXenPoolConfiguration', dictionary('<x><Value/><Key>k</Key><n/></x>'), 'ok {"entries":[["k",""]]}'],
    ['GetXenPoolConfiguration', dictionary('<x><Key>k</Key></x>'), malformed('GetXenPoolConfiguration')],
    ['GetXenPoolConfiguration', dictionary('<x><Value>v</Value></x>'), malformed('GetXenPoolConfiguration')],
    [
      'GetXenPoolConfiguration',
      dictionary('text'),
      'WLB_MALFORMED_RESPONSE [unknown; Found data in OptimizationParms node, expected elements]',
    ],
    [
      'GetXenPoolConfiguration',
      dictionary('<x><Key>k</Key><Value><v/></Value></x>'),
      'WLB_MALFORMED_RESPONSE [unknown; Found elements in Value node, expected only data]',
    ],
    [
      'VMGetRecommendations',
      place('4.1', 'None', '417'),
      'ok {"recommendations":[{"hostUuid":"h","recommendationId":"417","stars":4.1,"zeroScoreReason":"None"}]}',
    ],
    [
      'VMGetRecommendations',
      place('0', 'None'),
      'ok {"recommendations":[{"hostUuid":"h","recommendationId":"1","stars":0,"zeroScoreReason":"None"}]}',
    ],
    [
      'VMGetRecommendations',
      place('2', 'Memory'),
      'WLB_MALFORMED_RESPONSE [VMGetRecommendations; Recommendation has both a non-zero score (2) and a reason for zero (Memory)]',
    ],
    ['VMGetRecommendations', place('3,5', 'None'), numbers],
    ['VMGetRecommendations', place('3 ', 'None'), numbers],
    ['VMGetRecommendations', place('', 'None'), numbers],
    ['VMGetRecommendations', place('1', 'None', 'x'), numbers],
    ['VMGetRecommendations', rows('<HostUuid>h</HostUuid><Stars>1</Stars>'), malformed('VMGetRecommendations')],
    [
      'VMGetRecommendations',
      '<Recommendations>t</Recommendations>',
      `WLB_MALFORMED_RESPONSE [VMGetRecommendations; ${text}]`,
    ],
    ['HostGetRecommendations', '', 'ok {"recommendations":[]}'],
    ['HostGetRecommendations', '<Recommendations/>', 'ok {"recommendations":[]}'],
    ['HostGetRecommendations', '<CanPlaceAllVMs>true</CanPlaceAllVMs>', malformed('HostGetRecommendations')],
    [
      'HostGetRecommendations',
      rows(`<VmUuid>v</VmUuid><HostUuid>h</HostUuid>${id}`),
      'ok {"recommendations":[{"hostUuid":"h","recommendationId":"1","vmUuid":"v"}]}',
    ],
    [
      'HostGetRecommendations',
      rows(`<HostUuid>h</HostUuid>${id}`),
      'ok {"recommendations":[{"hostUuid":"h","recommendationId":"1","vmUuid":""}]}',
    ],
    [
      'HostGetRecommendations',
      rows(`<VmUuid>v</VmUuid>${id}`),
      'WLB_MALFORMED_RESPONSE [HostGetRecommendations; Missing VmUuid, RecID or HostUuid]',
    ],
    [
      'GetOptimizationRecommendations',
      optimize(`<VmToMoveUuid>v</VmToMoveUuid><MoveToHostUuid>h</MoveToHostUuid>${reason}${id}<New>1</New>`),
      'ok {"kind":"unbalanced","optimizationId":"7","severity":"None","recommendations":[{"kind":"move","vmUuid":"v","fromHostUuid":"","toHostUuid":"h","reason":"Cpu","recommendationId":"1"}]}',
    ],
    [
      'GetOptimizationRecommendations',
      optimize(
        `<VmToMoveUuid/><MoveFromHostUuid>g</MoveFromHostUuid><MoveFromHostUuid>h</MoveFromHostUuid>${reason}${id}`,
      ),
      'ok {"kind":"unbalanced","optimizationId":"7","severity":"None","recommendations":[{"kind":"power","hostUuid":"h","reason":"Cpu","recommendationId":"1"}]}',
    ],
    [
      'GetOptimizationRecommendations',
      optimize(reason + id),
      `WLB_MALFORMED_RESPONSE [GetOptimizationRecommendations; ${fields}]`,
    ],
    [
      'GetOptimizationRecommendations',
      optimize('t'),
      `WLB_MALFORMED_RESPONSE [GetOptimizationRecommendations; ${text}]`,
    ],
    ['GetOptimizationRecommendations', optimize(`<MoveFromHostUuid>h</MoveFromHostUuid>${reason}${id}`, 'x'), numbers],
    ['ExecuteReport', '<XmlDataSet>&lt;a/&gt;</XmlDataSet>', 'ok {"text":"<a/>"}'],
    ['ExecuteReport', '<XmlDataSet><![CDATA[<a/>]]></XmlDataSet>', 'ok {"text":"<a/>"}'],
    ['ExecuteReport', '<XmlDataSet><a/></XmlDataSet>', 'ok {"text":""}'],
    ['ExecuteReport', '<XmlDataSet/>', 'ok {"text":""}'],
    ['ExecuteReport', '<XmlDataSet>a</XmlDataSet><ResultCode>4007</ResultCode>', 'ok {"text":"a"}'],
    ['ExecuteReport', '<ResultCode>4007</ResultCode><ErrorMessage>m</ErrorMessage>', 'WLB_INTERNAL_ERROR [4007; m]'],
    ['ExecuteReport', '', malformed('ExecuteReport')],
    ['GetDiagnostics', '<DiagnosticData>a\nb</DiagnosticData>', 'ok {"text":"a\\nb"}'],
  ]
  it.each(cases)('%s %s', (method, content, outcome) => {
    expect(describeReply(method, result(method, content))).toBe(outcome)
  })

  it.each(['ExecuteReport', 'GetDiagnostics'] as const)('%s that is not XML', (method) => {
    expect(describeReply(method, 'not XML')).toBe(`WLB_MALFORMED_RESPONSE [${method}; Expected data is truncated.]`)
  })
})
