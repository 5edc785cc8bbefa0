/**
 * XenAPI over JSON-RPC, both directions and both versions (docs/protocol/pool.md). 64-bit ints are read and written without
 * loss; `60` is an int and `60.0` a float. JSON-RPC writes times as strings, so they are read as strings.
 */
import type { ApiResult } from './api-failure.js'
import { fail } from './errors.js'
import { type JsonMembers, readJsonMembers, readJsonMembersInSteps } from './json-reader.js'
import { type ApiValue, formatApiDate, isApiSet } from './value.js'

type JsonRpcVersion = '1.0' | '2.0'
type JsonRpcId = string | bigint

export interface JsonRpcCall {
  /** '2.0' only if the message says so. The answer uses the version of the call. */
  readonly version: JsonRpcVersion
  readonly method: string
  readonly params: readonly ApiValue[]
  readonly id: JsonRpcId
}

export interface JsonRpcResponse {
  readonly version: JsonRpcVersion
  readonly id: JsonRpcId
  readonly result: ApiResult
}

/** Writes a call with the fields in the pool's order. */
export function encodeJsonRpcCall({ version, method, params, id }: JsonRpcCall): string {
  const fields = `"method":${JSON.stringify(method)},"params":${encodeJson(params)},"id":${encodeJson(id)}`
  return version === '2.0' ? `{"jsonrpc":"2.0",${fields}}` : `{${fields}}`
}

/** @throws RPC_MALFORMED when the text is not JSON, exceeds a limit, or has no method or id. */
export function decodeJsonRpcCall(body: string): JsonRpcCall {
  const { version, id, members } = readEnvelope(readJsonMembers(body))
  const method = members.get('method')
  const params = members.get('params') ?? []
  if (typeof method !== 'string') throw fail('RPC_MALFORMED', { reason: 'no method' })
  if (!isApiSet(params)) throw fail('RPC_MALFORMED', { reason: 'params is not a list' })
  return { version, method, params, id }
}

/** Writes an answer with exactly the bytes a pool writes. */
export function encodeJsonRpcResponse({ version, id, result }: JsonRpcResponse): string {
  const end = `"id":${encodeJson(id)}}`
  if (result.status === 'success') {
    const value = encodeJson(result.value)
    return version === '2.0' ? `{"jsonrpc":"2.0","result":${value},${end}` : `{"result":${value},"error":null,${end}`
  }
  const [code = 'INTERNAL_ERROR', ...params] = result.description
  return version === '2.0'
    ? `{"jsonrpc":"2.0","error":{"code":1,"message":${JSON.stringify(code)},"data":${encodeJson(params)}},${end}`
    : `{"result":null,"error":${encodeJson([code, ...params])},${end}`
}

/** @throws RPC_MALFORMED when the text is not JSON, exceeds a limit, or has neither a result nor an error. */
export function decodeJsonRpcResponse(body: string): JsonRpcResponse {
  return readResponse(readJsonMembers(body))
}

/** The same, in steps: an answer may be large. */
export async function decodeJsonRpcResponseInSteps(body: string): Promise<JsonRpcResponse> {
  return readResponse(await readJsonMembersInSteps(body))
}

/** XenAPI has no null value: a null `result` is void, a null `error` means none. */
function readResponse(given: JsonMembers): JsonRpcResponse {
  const { version, id, members } = readEnvelope(given)
  const error = members.get('error') ?? undefined
  const value = members.get('result')
  if (error !== undefined) return { version, id, result: { status: 'failure', description: readError(error) } }
  if (value !== undefined) return { version, id, result: { status: 'success', value: value ?? '' } }
  throw fail('RPC_MALFORMED', { reason: 'an answer with neither a result nor an error' })
}

function readError(error: ApiValue): string[] {
  if (typeof error === 'string') return [error]
  if (isApiSet(error)) return error.map(String)
  const fields = new Map(Object.entries(error))
  const params = fields.get('data') ?? []
  return [String(fields.get('message') ?? 'INTERNAL_ERROR'), ...(isApiSet(params) ? params : [params]).map(String)]
}

interface Envelope {
  readonly version: JsonRpcVersion
  readonly id: JsonRpcId
  readonly members: JsonMembers
}

function readEnvelope(members: JsonMembers): Envelope {
  const id = members.get('id')
  if (typeof id !== 'string' && typeof id !== 'bigint')
    throw fail('RPC_MALFORMED', { reason: 'the id is neither text nor an int' })
  return { version: members.get('jsonrpc') === '2.0' ? '2.0' : '1.0', id, members }
}

function encodeJson(value: ApiValue): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'bigint':
      return value.toString()
    case 'number':
      return encodeFloat(value)
  }
  if (value instanceof Date) return JSON.stringify(formatApiDate(value))
  if (isApiSet(value)) return `[${value.map(encodeJson).join(',')}]`
  return `{${Object.entries(value)
    .map(([name, item]) => `${JSON.stringify(name)}:${encodeJson(item)}`)
    .join(',')}}`
}

/** JSON cannot express infinite values and NaN; they are written as strings, which a reader can at least show. */
function encodeFloat(value: number): string {
  if (!Number.isFinite(value)) return JSON.stringify(String(value))
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}
