import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  type ApiValue,
  decodeXmlRpcCall,
  decodeXmlRpcResponse,
  encodeXmlRpcCall,
  encodeXmlRpcResponse,
} from '../../src/xapi/index.js'
import { apiValue, wireText, xmlScalar } from './values.js'

const HEAD = '<?xml version="1.0"?><methodResponse><params><param><value><struct><member><name>Status</name><value>'
const TAIL = '</member></struct></value></param></params></methodResponse>'

describe('answers, byte for byte as the pool writes them', () => {
  const values: [what: string, value: ApiValue, written: string][] = [
    ['void', '', ''],
    ['a string without a tag', 'OpaqueRef:1', 'OpaqueRef:1'],
    ['an int as decimal text', 12n, '12'],
    ['a float', 1.5, '<double>1.5</double>'],
    ['false', false, '<boolean>0</boolean>'],
    ['true', true, '<boolean>1</boolean>'],
    ['a time', new Date('2026-11-23T14:53:37Z'), '<dateTime.iso8601>20261123T14:53:37Z</dateTime.iso8601>'],
    ['a set', ['a', 'b'], '<array><data><value>a</value><value>b</value></data></array>'],
    ['an empty set', [], '<array><data></data></array>'],
    ['a map', { k: 'v' }, '<struct><member><name>k</name><value>v</value></member></struct>'],
    ['what needs escaping', `<&>"'`, '&lt;&amp;&gt;&quot;&apos;'],
    ['a carriage return, which readers would turn into LF', 'a\r\nb', 'a&#xD;\nb'],
  ]
  it.each(values)('%s', (_what, value, written) => {
    const answer = `${HEAD}Success</value></member><member><name>Value</name><value>${written}</value>${TAIL}`
    expect(encodeXmlRpcResponse({ status: 'success', value })).toBe(answer)
  })

  it('the counts of event.from are tagged, other ints are not', () => {
    const value = { events: [], valid_ref_counts: { pool: 1n }, token: '7' }
    expect(encodeXmlRpcResponse({ status: 'success', value }, 'event.from')).toContain(
      '<member><name>valid_ref_counts</name><value><struct><member><name>pool</name><value><i4>1</i4></value></member></struct>',
    )
    expect(encodeXmlRpcResponse({ status: 'success', value }, 'event.next')).toContain(
      '<name>pool</name><value>1</value>',
    )
  })

  it('system.listMethods is a bare array, and its failure is a failure', () => {
    expect(encodeXmlRpcResponse({ status: 'success', value: ['a.b'] }, 'system.listMethods')).toBe(
      '<?xml version="1.0"?><methodResponse><params><param><value><array><data><value>a.b</value></data></array></value></param></params></methodResponse>',
    )
    expect(encodeXmlRpcResponse({ status: 'failure', description: ['X'] }, 'system.listMethods')).toContain('Failure')
  })

  it('a failure', () => {
    const description = '<value>CERTIFICATE_ALREADY_EXISTS</value><value>wlb.pem</value>'
    expect(encodeXmlRpcResponse({ status: 'failure', description: ['CERTIFICATE_ALREADY_EXISTS', 'wlb.pem'] })).toBe(
      `${HEAD}Failure</value></member><member><name>ErrorDescription</name><value><array><data>${description}</data></array></value>${TAIL}`,
    )
  })
})

it('writes a call as the pool’s clients do', () => {
  expect(encodeXmlRpcCall('pool.get_all_records', ['OpaqueRef:1'])).toBe(
    '<?xml version="1.0"?><methodCall><methodName>pool.get_all_records</methodName><params><param><value>OpaqueRef:1</value></param></params></methodCall>',
  )
})

describe('reads what other clients write', () => {
  const values: [written: string, value: ApiValue | 'RPC_MALFORMED'][] = [
    ['<string>x</string>', 'x'],
    ['<string/>', ''],
    ['', ''],
    ['  text  ', '  text  '],
    ['<int>3</int>', 3n],
    ['<i4> -3 </i4>', -3n],
    ['<i8>9223372036854775807</i8>', 9223372036854775807n],
    ['\n <boolean>1</boolean>\n ', true],
    ['<boolean>true</boolean>', true],
    ['<double>60</double>', 60],
    ['<double>1e3</double>', 1000],
    ['<double>inf</double>', Number.POSITIVE_INFINITY],
    ['<nil/>', ''],
    ['<dateTime.iso8601>2026-11-23T14:53:37Z</dateTime.iso8601>', new Date('2026-11-23T14:53:37Z')],
    ['<array><data> <value>a</value> </data></array>', ['a']],
    ['<struct><member><name>__proto__</name><value>x</value></member></struct>', JSON.parse('{"__proto__":"x"}')],
    ['<int>x</int>', 'RPC_MALFORMED'],
    ['<int></int>', 'RPC_MALFORMED'],
    ['<boolean>2</boolean>', 'RPC_MALFORMED'],
    ['<boolean>constructor</boolean>', 'RPC_MALFORMED'],
    ['<double>0x10</double>', 'RPC_MALFORMED'],
    ['<dateTime.iso8601>20261399T14:53:37Z</dateTime.iso8601>', 'RPC_MALFORMED'],
    ['<what>3</what>', 'RPC_MALFORMED'],
    ['<int>1</int><int>2</int>', 'RPC_MALFORMED'],
    ['<struct><member><name>k</name></member></struct>', 'RPC_MALFORMED'],
  ]
  it.each(values)('%s', (written, value) => {
    const call = `<methodCall><methodName>m</methodName><params><param><value>${written}</value></param></params></methodCall>`
    if (value === 'RPC_MALFORMED')
      expect(() => decodeXmlRpcCall(call)).toThrow(expect.objectContaining({ code: value }))
    else expect(decodeXmlRpcCall(call)).toEqual({ method: 'm', params: [value] })
  })

  const broken: [body: string, code: string][] = [
    ['', 'XML_MALFORMED'],
    ['{"method":"m"}', 'XML_MALFORMED'],
    ['<methodCall>', 'XML_MALFORMED'],
    ['<other/>', 'RPC_MALFORMED'],
    ['<methodCall/>', 'RPC_MALFORMED'],
    ['<!DOCTYPE a [<!ENTITY b "c">]><methodCall/>', 'XML_FORBIDDEN'],
    [`<methodCall>${'<a>'.repeat(200)}`, 'XML_FORBIDDEN'],
  ]
  it.each(broken)('%s is no call', (body, code) => {
    expect(() => decodeXmlRpcCall(body)).toThrow(expect.objectContaining({ code }))
  })

  it('a call without params, and a fault', () => {
    expect(decodeXmlRpcCall('<methodCall><methodName>m</methodName></methodCall>')).toEqual({ method: 'm', params: [] })
    const fault =
      '<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int></value></member><member><name>faultString</name><value>no</value></member></struct></value></fault></methodResponse>'
    expect(decodeXmlRpcResponse(fault)).toEqual({ status: 'failure', description: ['FAULT', '1', 'no'] })
  })
})

describe('laws', () => {
  const value = apiValue(xmlScalar)

  test('what was written is read again', () => {
    fc.assert(
      fc.property(wireText, fc.array(value, { maxLength: 3 }), (method, params) => {
        expect(decodeXmlRpcCall(encodeXmlRpcCall(method, params))).toEqual({ method: method.trim(), params })
      }),
    )
    fc.assert(
      fc.property(value, (answered) => {
        const result = { status: 'success', value: answered } as const
        expect(decodeXmlRpcResponse(encodeXmlRpcResponse(result))).toEqual(result)
      }),
    )
    fc.assert(
      fc.property(fc.array(wireText), (description) => {
        const result = { status: 'failure', description } as const
        expect(decodeXmlRpcResponse(encodeXmlRpcResponse(result))).toEqual(result)
      }),
    )
  })

  test('an answer cut short or garbled is an error with a code, never a crash', () => {
    const whole = encodeXmlRpcCall('pool.get_all', [{ a: ['b', 1.5] }, new Date(0)])
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.string(), (cut, garbage) => {
        expect(outcome(() => decodeXmlRpcCall(whole.slice(0, cut)))).toMatch(/^(XML|RPC)_/)
        expect(outcome(() => decodeXmlRpcCall(whole.slice(0, cut) + garbage))).toMatch(/^(read|XML_|RPC_)/)
      }),
    )
  })
})

function outcome(read: () => unknown): string {
  try {
    read()
    return 'read'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : `crash: ${error}`
  }
}
