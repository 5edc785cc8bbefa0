/**
 * XenAPI over JSON-RPC, both directions and both versions (docs/protocol/pool.md). 64-bit ints are read and written without
 * loss; `60` is an int and `60.0` a float. JSON-RPC writes times as strings, so they are read as strings.
 */
import type { ApiResult } from './api-failure.js'
import { fail } from './errors.js'
import { type ApiValue, formatApiDate, isApiSet, MAX_DEPTH } from './value.js'

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

/** @throws RPC_MALFORMED when the text is not JSON, is nested too deeply, or has no method or id. */
export function decodeJsonRpcCall(body: string): JsonRpcCall {
  const { version, id, fields } = decodeEnvelope(body)
  const method = fields.get('method')
  const params = fields.get('params') ?? []
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

/** @throws RPC_MALFORMED when the text is not JSON, is nested too deeply, or has neither a result nor an error. */
export function decodeJsonRpcResponse(body: string): JsonRpcResponse {
  const { version, id, fields, nulls } = decodeEnvelope(body)
  const error = fields.get('error')
  const value = fields.get('result')
  if (error !== undefined) return { version, id, result: { status: 'failure', description: readError(error) } }
  if (value !== undefined) return { version, id, result: { status: 'success', value } }
  if (nulls.has('result')) return { version, id, result: { status: 'success', value: '' } }
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
  readonly fields: ReadonlyMap<string, ApiValue>
  /** Fields that are present and null. XenAPI has no null value: a null `result` is void, a null `error` means none. */
  readonly nulls: ReadonlySet<string>
}

function decodeEnvelope(body: string): Envelope {
  const tree = parseTagged(body)
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree))
    throw fail('RPC_MALFORMED', { reason: 'no JSON object' })
  const fields = new Map<string, ApiValue>()
  const nulls = new Set<string>()
  for (const [name, value] of Object.entries(tree)) {
    if (value === null) nulls.add(name.slice(1))
    else fields.set(name.slice(1), untag(value, 1))
  }
  const id = fields.get('id')
  if (typeof id !== 'string' && typeof id !== 'bigint')
    throw fail('RPC_MALFORMED', { reason: 'the id is neither text nor an int' })
  return { version: fields.get('jsonrpc') === '2.0' ? '2.0' : '1.0', id, fields, nulls }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g

/**
 * Parses JSON after prefixing each string with `s` and turning each int into a string prefixed with `i`. JSON.parse alone
 * would round 64-bit ints and not distinguish `60` from `60.0`.
 */
function parseTagged(body: string): unknown {
  try {
    JSON.parse(body)
  } catch (error) {
    throw fail('RPC_MALFORMED', { reason: error instanceof Error ? error.message.slice(0, 120) : 'no JSON' })
  }
  const tagged = body.replace(TOKEN, (token) => {
    if (token.startsWith('"')) return `"s${token.slice(1)}`
    return /[.eE]/.test(token) ? token : `"i${token}"`
  })
  return JSON.parse(tagged)
}

function untag(value: unknown, depth: number): ApiValue {
  if (depth > MAX_DEPTH) throw fail('RPC_MALFORMED', { reason: `more than ${MAX_DEPTH} levels` })
  if (typeof value === 'string') return value.startsWith('i') ? BigInt(value.slice(1)) : value.slice(1)
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map((item) => untag(item, depth + 1))
  if (typeof value !== 'object' || value === null) return '' // some clients write void as null
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name.slice(1), untag(item, depth + 1)]))
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
