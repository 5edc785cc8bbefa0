import { describe, expect, it } from 'vitest'
import { encodeReply, type MethodName } from '../../src/wlb/index.js'
import { REPLIES } from './samples.js'
import { assertStrictReply, type StrictResponse } from './strict-reader.js'

const frame = (body: string): StrictResponse => ({
  status: 200,
  headers: { 'content-type': 'text/xml; charset=utf-8', 'content-length': String(Buffer.byteLength(body)) },
  body,
})

/** `ok` or the rule that was broken. */
function judge(method: MethodName, response: StrictResponse): string {
  try {
    return assertStrictReply(method, response).kind
  } catch (error) {
    return error instanceof Error ? error.message : 'thrown'
  }
}

const DWM = 'xmlns="http://schemas.citrix.com/DWM"'
const result = (method: MethodName, inside: string) =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><${method}Response ${DWM}><${method}Result>${inside}</${method}Result></${method}Response></s:Body></s:Envelope>`

describe('the strict reader accepts what is right', () => {
  it.each(REPLIES)('$method', (reply) => {
    expect(judge(reply.method, frame(encodeReply(reply)))).toBe('result')
  })
})

describe('and refuses', () => {
  const row = (id: string, stars: string, reason: string) =>
    `<R><HostUuid>h${id}</HostUuid><RecommendationId>${id}</RecommendationId><Stars>${stars}</Stars><ZeroScoreReason>${reason}</ZeroScoreReason></R>`
  const cases: [method: MethodName, inside: string, rule: RegExp][] = [
    ['RemoveXenServer', '<ResultCode>0</ResultCode>', /a refusal with/],
    ['RemoveXenServer', '<Id>1</Id>', /RemoveXenServer holds Id/],
    ['RemoveXenServer', ' ', /an empty result holds text/],
    ['AddXenServer', '<Id>1</Id>&#xD;', /holds text beside elements/],
    ['AddXenServer', '<Id>0</Id>', /Id is no positive integer/],
    ['AddXenServer', '<Id>&nbsp;</Id>', /undefined entity/],
    ['AddXenServer', '<i:Id>1</i:Id>', /unbound namespace prefix/],
    ['AddXenServer', '<Id>\u0001</Id>', /disallowed character/],
    ['AddXenServer', '<ErrorMessage>m</ErrorMessage><ResultCode>4024</ResultCode>', /result code 4024/],
    ['AddXenServer', '<Id>1</Id><ResultCode>0</ResultCode>', /result code 0|ErrorMessage/],
    ['GetXenPoolConfiguration', '<OptimizationParms><x><Key>a</Key></x></OptimizationParms>', /a row with 1 children/],
    [
      'GetXenPoolConfiguration',
      '<OptimizationParms><x><Key>a</Key><Value/></x><x><Key>a</Key><Value/></x></OptimizationParms>',
      /keys twice: a/,
    ],
    [
      'VMGetRecommendations',
      `<Recommendations>${row('1', '0', 'None')}</Recommendations>`,
      /stars and reason disagree/,
    ],
    ['VMGetRecommendations', `<Recommendations>${row('1', '2', 'Cpu')}</Recommendations>`, /stars and reason disagree/],
    ['VMGetRecommendations', `<Recommendations>${row('1', '1e0', 'None')}</Recommendations>`, /stars 1e0/],
    ['VMGetRecommendations', `<Recommendations>${row('1', '1', 'None').repeat(2)}</Recommendations>`, /id twice/],
    ['GetOptimizationRecommendations', '<Severity>Low</Severity>', /holds OptimizationId 0 times/],
    ['ExecuteReport', '<XmlDataSet><a/></XmlDataSet>', /XmlDataSet holds elements/],
    ['GetDiagnostics', '<DiagnosticData/>', /diagnostics are empty/],
  ]
  it.each(cases)('%s %s', (method, inside, rule) => {
    expect(judge(method, frame(result(method, inside)))).toMatch(rule)
  })

  const body = result('AddXenServer', '<Id>1</Id>')
  const good = frame(body)
  const framing: [what: string, response: StrictResponse, rule: RegExp][] = [
    ['another status', { ...good, status: 500 }, /status 500/],
    ['no length', { ...good, headers: { ...good.headers, 'content-length': '' } }, /content-length/],
    ['a wrong length', { ...good, headers: { ...good.headers, 'content-length': '1' } }, /content-length 1/],
    ['chunks', { ...good, headers: { ...good.headers, 'transfer-encoding': 'chunked' } }, /transfer-encoding/],
    ['compression', { ...good, headers: { ...good.headers, 'content-encoding': 'gzip' } }, /content-encoding/],
    ['junk in front', frame(`x${body}`), /text data outside of root node/],
    ['junk behind', frame(`${body}x`), /text data outside of root node/],
    ['a document type', frame(`<!DOCTYPE a>${body}`), /document type/],
    ['a truncated document', frame(body.slice(0, -5)), /unclosed tag|unexpected end/],
    ['another method', frame(result('RemoveXenServer', '')), /Body holds RemoveXenServerResponse/],
  ]
  it.each(framing)('%s', (_, response, rule) => {
    expect(judge('AddXenServer', response)).toMatch(rule)
  })
})
