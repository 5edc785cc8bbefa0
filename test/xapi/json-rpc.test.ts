import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  type ApiResult,
  decodeJsonRpcCall,
  decodeJsonRpcResponse,
  encodeJsonRpcCall,
  encodeJsonRpcResponse,
} from '../../src/xapi/index.js'
import { apiValue, jsonScalar, wireText } from './values.js'

describe('byte for byte as the pool writes them', () => {
  const failure: ApiResult = { status: 'failure', description: ['CERTIFICATE_ALREADY_EXISTS', 'wlb.pem'] }
  const answers: [version: '1.0' | '2.0', id: bigint | string, result: ApiResult, written: string][] = [
    ['2.0', 1n, { status: 'success', value: '' }, '{"jsonrpc":"2.0","result":"","id":1}'],
    [
      '2.0',
      1n,
      failure,
      '{"jsonrpc":"2.0","error":{"code":1,"message":"CERTIFICATE_ALREADY_EXISTS","data":["wlb.pem"]},"id":1}',
    ],
    ['1.0', 'a', { status: 'success', value: 5n }, '{"result":5,"error":null,"id":"a"}'],
    ['1.0', 7n, failure, '{"result":null,"error":["CERTIFICATE_ALREADY_EXISTS","wlb.pem"],"id":7}'],
    ['2.0', 1n, { status: 'success', value: new Date(0) }, '{"jsonrpc":"2.0","result":"19700101T00:00:00Z","id":1}'],
    ['2.0', 1n, { status: 'success', value: [60, 0.5, true] }, '{"jsonrpc":"2.0","result":[60.0,0.5,true],"id":1}'],
  ]
  it.each(answers)('version %s, id %s: %o', (version, id, result, written) => {
    expect(encodeJsonRpcResponse({ version, id, result })).toBe(written)
  })

  it('calls in both versions', () => {
    const call = { method: 'pool.install_ca_certificate', params: ['OpaqueRef:1', 'wlb.pem'], id: 1n }
    const fields = '"method":"pool.install_ca_certificate","params":["OpaqueRef:1","wlb.pem"],"id":1}'
    expect(encodeJsonRpcCall({ ...call, version: '2.0' })).toBe(`{"jsonrpc":"2.0",${fields}`)
    expect(encodeJsonRpcCall({ ...call, version: '1.0' })).toBe(`{${fields}`)
  })
})

describe('reads calls', () => {
  const calls: [body: string, outcome: string | object][] = [
    ['{"method":"m","params":[],"id":1}', { version: '1.0', method: 'm', params: [], id: 1n }],
    ['{"jsonrpc":"2.0","method":"m","id":"x"}', { version: '2.0', method: 'm', params: [], id: 'x' }],
    ['{"jsonrpc":"1.1","method":"m","id":1}', { version: '1.0', method: 'm', params: [], id: 1n }],
    [
      '{"method":"m","params":[1,1.0,9223372036854775807,null],"id":1}',
      { version: '1.0', method: 'm', params: [1n, 1, 9223372036854775807n, ''], id: 1n },
    ],
    ['{"method":"m","params":[],"id":null}', 'RPC_MALFORMED'],
    ['{"method":"m","params":[]}', 'RPC_MALFORMED'],
    ['{"method":"m","params":[],"id":1.5}', 'RPC_MALFORMED'],
    ['{"method":3,"params":[],"id":1}', 'RPC_MALFORMED'],
    ['{"method":"m","params":{},"id":1}', 'RPC_MALFORMED'],
    ['[]', 'RPC_MALFORMED'],
    ['null', 'RPC_MALFORMED'],
    ['', 'RPC_MALFORMED'],
    ['{"method":"m","params":[01],"id":1}', 'RPC_MALFORMED'],
    [`{"method":"m","params":${'['.repeat(50)}${']'.repeat(50)},"id":1}`, 'RPC_MALFORMED'],
  ]
  it.each(calls)('%s', (body, outcome) => {
    if (typeof outcome === 'string')
      expect(() => decodeJsonRpcCall(body)).toThrow(expect.objectContaining({ code: outcome }))
    else expect(decodeJsonRpcCall(body)).toEqual(outcome)
  })

  const answers: [body: string, result: ApiResult | 'RPC_MALFORMED'][] = [
    ['{"result":null,"error":null,"id":1}', { status: 'success', value: '' }],
    ['{"result":null,"error":"A","id":1}', { status: 'failure', description: ['A'] }],
    ['{"error":{"code":1,"message":"A","data":"b"},"id":1}', { status: 'failure', description: ['A', 'b'] }],
    ['{"id":1}', 'RPC_MALFORMED'],
  ]
  it.each(answers)('%s', (body, result) => {
    if (result === 'RPC_MALFORMED')
      expect(() => decodeJsonRpcResponse(body)).toThrow(expect.objectContaining({ code: result }))
    else expect(decodeJsonRpcResponse(body).result).toEqual(result)
  })
})

describe('laws', () => {
  const version = fc.constantFrom('1.0' as const, '2.0' as const)
  const id = fc.oneof(wireText, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))

  test('what was written is read again', () => {
    fc.assert(
      fc.property(version, id, wireText, fc.array(apiValue(jsonScalar)), (v, i, method, params) => {
        const call = { version: v, id: i, method, params }
        expect(decodeJsonRpcCall(encodeJsonRpcCall(call))).toEqual(call)
      }),
    )
    fc.assert(
      fc.property(version, id, apiValue(jsonScalar), (v, i, value) => {
        const response = { version: v, id: i, result: { status: 'success', value } } as const
        expect(decodeJsonRpcResponse(encodeJsonRpcResponse(response))).toEqual(response)
      }),
    )
    fc.assert(
      fc.property(version, id, fc.array(wireText, { minLength: 1 }), (v, i, description) => {
        const response = { version: v, id: i, result: { status: 'failure', description } } as const
        expect(decodeJsonRpcResponse(encodeJsonRpcResponse(response))).toEqual(response)
      }),
    )
  })

  test('nesting that would exhaust the stack is refused first', () => {
    const body = `{"method":"m","params":${'['.repeat(100_000)}${']'.repeat(100_000)},"id":1}`
    expect(() => decodeJsonRpcCall(body)).toThrow(expect.objectContaining({ code: 'RPC_MALFORMED' }))
  })

  test('garbage is RPC_MALFORMED, never a crash', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (body) => {
        expect(() => decodeJsonRpcCall(body)).toThrow(expect.objectContaining({ code: 'RPC_MALFORMED' }))
      }),
    )
  })
})
