/** Answers that are made to hurt: refused after little work, and work goes on in between. Work is counted, not timed. */
import { describe, expect, it, test, vi } from 'vitest'
import { decodeJsonRpcResponse, decodeJsonRpcResponseInSteps } from '../../src/xapi/json-rpc.js'
import { decodeXmlRpcResponse } from '../../src/xapi/xml-rpc.js'

const json = (value: string) => `{"jsonrpc":"2.0","result":${value},"id":1}`
const xml = (value: string) =>
  `<methodResponse><params><param><value><struct><member><name>Status</name><value>Success</value></member><member><name>Value</name><value>${value}</value></member></struct></value></param></params></methodResponse>`
const reasonOf = (read: () => unknown) => {
  try {
    return read()
  } catch (error) {
    return error instanceof Error && 'facts' in error ? JSON.stringify(error.facts) : error
  }
}

const answers: [what: string, value: () => string, reason: string][] = [
  ['20 MB of digits', () => '1'.repeat(20_000_000), 'a number of more than 40 digits'],
  ['21 digits', () => '1'.repeat(21), 'an int of more than 20 digits'],
  ['a float of 20 MB', () => `0.${'1'.repeat(20_000_000)}`, 'a number of more than 40 digits'],
  ['a string of 20 MB', () => `"${'a'.repeat(20_000_000)}"`, 'a string of more than 4194304 characters'],
  ['a string of escapes', () => `"${'\\"'.repeat(5_000_000)}"`, 'a string of more than 4194304 characters'],
  ['ten million levels', () => '['.repeat(10_000_000), 'more than 32 levels'],
  ['ten million levels of maps', () => '{"a":'.repeat(2_000_000), 'more than 32 levels'],
  [
    'a map of a million',
    () => `{${Array.from({ length: 1_000_000 }, (_, n) => `"${n}":1`).join(',')}}`,
    'more than 100000 members',
  ],
  ['a set of a million', () => `[${'[],'.repeat(1_000_000)}[]]`, 'more than 100000 members'],
  ['a string that swallows what follows', () => '"abc\\"', 'no comma'],
  ['something behind it', () => '1}]', 'something behind the end'],
]
describe('JSON', () => {
  it.each(answers)('%s', (_what, value, reason) => {
    // BigInt of many digits is what takes quadratic time
    const made = vi.spyOn(globalThis, 'BigInt')
    expect(reasonOf(() => decodeJsonRpcResponse(json(value())))).toContain(reason)
    for (const [text] of made.mock.calls) expect(String(text).length).toBeLessThanOrEqual(21)
    made.mockRestore()
  })

  test('a large honest answer is read in steps: other work is done in between', async () => {
    const record = '{"uuid":"0c0c","name_label":"vm","memory":8589934592,"live":true,"tags":["a","b"]}'
    const records = Array.from({ length: 20_000 }, (_, index) => `"OpaqueRef:${index}":${record}`)
    let turns = 0
    let isOver = false
    const count = () => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    const { result } = await decodeJsonRpcResponseInSteps(json(`{${records.join(',')}}`))
    isOver = true
    expect(result.status === 'success' && Object.keys(result.value)).toHaveLength(20_000)
    expect(turns).toBeGreaterThanOrEqual(20) // 560,000 tokens
  })

  const honest: [text: string, value: unknown][] = [
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['-0.0', -0],
    ['1e3', 1000],
    ['60', 60n],
    ['60.0', 60],
    ['"\\u00fc\\n\\\\"', 'ü\n\\'],
    ['"\\\\"', '\\'],
    ['{"__proto__":"x"}', JSON.parse('{"__proto__":"x"}')],
    ['[ ]', []],
    ['{ }', {}],
    ['{"a":null}', { a: '' }],
    ['null', ''],
  ]
  it.each(honest)('%s is read as it is', (text, value) => {
    expect(decodeJsonRpcResponse(json(text)).result).toEqual({ status: 'success', value })
  })
})

describe('XML', () => {
  it.each(['1'.repeat(21), '1'.repeat(20_000_000)])('more than 20 digits', (digits) => {
    expect(reasonOf(() => decodeXmlRpcResponse(xml(`<int>${digits}</int>`)))).toContain('<int> holding')
  })
})
