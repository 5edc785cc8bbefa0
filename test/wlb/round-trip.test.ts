import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  decodeRequest,
  encodeFault,
  encodeRefusal,
  encodeReply,
  encodeRequest,
  type MethodName,
  RESULT_CODES,
  readReply,
  type WlbReply,
} from '../../src/wlb/index.js'
import { anyText, CALLS, carried, carriedToPool, REPLIES } from './samples.js'
import { assertStrictReply } from './strict-reader.js'

function asResponse(body: string) {
  const headers = { 'Content-Length': Buffer.byteLength(body), 'Content-Type': 'text/xml; charset=utf-8' }
  return { status: 200, headers, body: Buffer.from(body) }
}

function readBack(reply: WlbReply) {
  const response = asResponse(encodeReply(reply))
  expect(assertStrictReply(reply.method, response).kind).toBe('result')
  return readReply(reply.method, response)
}

describe('what was encoded is read back', () => {
  it.each(CALLS)('request: $method', (call) => {
    expect(decodeRequest(encodeRequest(call))).toEqual({ kind: 'call', call })
    expect(decodeRequest(Buffer.from(encodeRequest(call)))).toEqual({ kind: 'call', call })
  })

  it.each(REPLIES)('reply: $method', (reply) => {
    expect(readBack(reply)).toEqual({ state: 'ok', result: reply.result })
  })

  it('reply: a balanced pool', () => {
    const reply = { method: 'GetOptimizationRecommendations', result: { kind: 'balanced' } } as const
    expect(readBack(reply)).toEqual({ state: 'ok', result: { kind: 'balanced' } })
  })

  it('reply: a host with nothing to move', () => {
    const reply = { method: 'HostGetRecommendations', result: { recommendations: [] } } as const
    expect(readBack(reply)).toEqual({ state: 'ok', result: { recommendations: [] } })
  })
})

/** A pool writes carriage returns as they are, and XML makes them line feeds. */
const sent = (text: string) => carried(text).replace(/\r\n?/g, '\n')
const filled = anyText.filter((text) => sent(text) !== '')

describe('whatever the text', () => {
  test('a registration arrives as it was sent', () => {
    fc.assert(
      fc.property(anyText, filled, filled, filled, (password, poolUuid, userName, xenServerUrl) => {
        const request = { password, poolUuid, userName, xenServerUrl }
        const arrived = Object.fromEntries(Object.entries(request).map(([name, text]) => [name, sent(text)]))
        expect(decodeRequest(encodeRequest({ method: 'AddXenServer', request }))).toEqual({
          kind: 'call',
          call: { method: 'AddXenServer', request: arrived },
        })
      }),
    )
  })

  test('configuration entries and report parameters arrive as they were sent', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyText)), filled, (entries, poolUuid) => {
        const arrived = entries.map(([key, value]) => [sent(key), sent(value)])
        expect(
          decodeRequest(encodeRequest({ method: 'SetXenPoolConfiguration', request: { entries, poolUuid } })),
        ).toEqual({
          kind: 'call',
          call: { method: 'SetXenPoolConfiguration', request: { entries: arrived, poolUuid: sent(poolUuid) } },
        })
        const request = { reportName: 'vm_movement_history', parameters: entries }
        expect(decodeRequest(encodeRequest({ method: 'ExecuteReport', request }))).toEqual({
          kind: 'call',
          call: { method: 'ExecuteReport', request: { ...request, parameters: arrived } },
        })
      }),
    )
  })

  test('a dictionary reaches the pool byte for byte, but for values that are only blank', () => {
    const entry = fc.tuple(anyText, anyText)
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const arrived = entries.map(([key, value]) => [carriedToPool(key), carriedToPool(value)])
        const response = asResponse(encodeReply({ method: 'GetXenPoolConfiguration', result: { entries } }))
        expect(readReply('GetXenPoolConfiguration', response)).toEqual({ state: 'ok', result: { entries: arrived } })
      }),
    )
  })

  test('recommendations reach the pool as they were given', () => {
    const id = fc.integer({ min: 0, max: 2_147_483_647 }).map(String)
    const stars = fc.integer({ min: 1, max: 50_000 }).map((tenthousandths) => tenthousandths / 10_000)
    const uuid = fc.uuid()
    const impossible = fc.record({
      hostUuid: uuid,
      recommendationId: id,
      stars: fc.constant(0),
      zeroScoreReason: fc.constantFrom('Memory', 'NoSharedStorage'),
    })
    const possible = fc.record({ hostUuid: uuid, recommendationId: id, stars, zeroScoreReason: fc.constant('None') })
    const placement = fc
      .array(fc.oneof(possible, impossible))
      .map((recommendations): WlbReply => ({ method: 'VMGetRecommendations', result: { recommendations } }))
    const evacuation = fc
      .array(fc.record({ hostUuid: uuid, recommendationId: id, vmUuid: uuid }))
      .map((recommendations): WlbReply => ({ method: 'HostGetRecommendations', result: { recommendations } }))
    const move = fc.record({
      kind: fc.constant('move' as const),
      vmUuid: uuid,
      fromHostUuid: uuid,
      toHostUuid: uuid,
      reason: fc.constantFrom('Cpu', 'Consolidate'),
      recommendationId: id,
    })
    const power = fc.record({
      kind: fc.constant('power' as const),
      hostUuid: uuid,
      reason: fc.constantFrom('PowerOn', 'PowerOff'),
      recommendationId: id,
    })
    const optimization = fc.tuple(id, fc.constantFrom('None', 'Low', 'Critical'), fc.array(fc.oneof(move, power))).map(
      ([optimizationId, severity, recommendations]): WlbReply => ({
        method: 'GetOptimizationRecommendations',
        result: { kind: 'unbalanced', optimizationId, severity, recommendations },
      }),
    )
    fc.assert(
      fc.property(fc.oneof(placement, evacuation, optimization), (reply) => {
        const response = asResponse(encodeReply(reply))
        expect(readReply(reply.method, response)).toEqual({ state: 'ok', result: reply.result })
      }),
    )
  })

  test('reports, diagnostics, messages and fault texts are well-formed and arrive', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom<MethodName>('AddXenServer', 'GetDiagnostics'), (text, method) => {
        const report = encodeReply({ method: 'ExecuteReport', result: { text } })
        expect(readReply('ExecuteReport', asResponse(report))).toEqual({
          state: 'ok',
          result: { text: carriedToPool(text) },
        })
        const refusal = readReply(method, asResponse(encodeRefusal(method, 4007, text)))
        expect(refusal).toEqual({ state: 'failed', code: 'WLB_INTERNAL_ERROR', params: ['4007', carriedToPool(text)] })
        const fault = readReply(method, asResponse(encodeFault(text, 'Receiver')))
        const params = ['Exception:', carriedToPool(text)]
        expect(fault).toEqual({ state: 'failed', code: 'WLB_INTERNAL_ERROR', params })
      }),
    )
  })
})

describe('every result code', () => {
  const codes = Object.keys(RESULT_CODES)
    .map(Number)
    .filter((code) => code !== 0)

  it.each(codes)('%d reaches the pool with its message, from every method', (code) => {
    for (const { method } of CALLS) {
      const response = asResponse(encodeRefusal(method, code, 'because'))
      expect(assertStrictReply(method, response)).toEqual({ kind: 'refused', code, message: 'because' })
      const failed = { state: 'failed', code: 'WLB_INTERNAL_ERROR', params: [String(code), 'because'] }
      expect(readReply(method, response)).toEqual(failed)
    }
  })
})
