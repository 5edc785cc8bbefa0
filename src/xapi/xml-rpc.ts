/**
 * XenAPI over XML-RPC, both directions (docs/protocol/pool.md). The pool writes strings and ints without a type tag and no
 * white space between tags. It also reads the tagged forms that other clients write.
 */
import { childElements, childNamed, escapeXml, parseXml, textOf, type XmlElement } from '../base/text/xml.js'
import type { ApiResult } from './api-failure.js'
import { fail } from './errors.js'
import { type ApiValue, formatApiDate, isApiMap, isApiSet, MAX_DEPTH, parseApiDate } from './value.js'

export interface XmlRpcCall {
  readonly method: string
  readonly params: readonly ApiValue[]
}

const PROLOGUE = '<?xml version="1.0"?>'

/** One level of a set or a map takes up to four levels of elements. */
const XML_LIMITS = { maxDepth: 4 * MAX_DEPTH, doctype: 'refuse' } as const

/** Writes a call as the pool's own clients do. */
export function encodeXmlRpcCall(method: string, params: readonly ApiValue[]): string {
  const written = params.map((param) => `<param>${encodeValue(param)}</param>`).join('')
  return `${PROLOGUE}<methodCall><methodName>${escapeXml(method)}</methodName><params>${written}</params></methodCall>`
}

/**
 * Reads a call. A tagged int (`<int>`, `<i4>`, `<i8>`) becomes a `bigint`; an untagged one stays text.
 *
 * @throws RPC_MALFORMED when the document is well-formed but not a call; XML_MALFORMED or XML_FORBIDDEN when it is not.
 */
export function decodeXmlRpcCall(body: string): XmlRpcCall {
  const root = parseXml(body, XML_LIMITS)
  if (root.local !== 'methodCall')
    throw fail('RPC_MALFORMED', { reason: `found <${root.local}> instead of <methodCall>` })
  const method = childNamed(root, 'methodName')
  if (!method) throw fail('RPC_MALFORMED', { reason: 'no <methodName>' })
  return { method: textOf(method).trim(), params: decodeParams(childNamed(root, 'params')) }
}

/** Writes an answer with exactly the bytes a pool writes; two methods have forms of their own. */
export function encodeXmlRpcResponse(result: ApiResult, method = ''): string {
  if (result.status === 'failure') {
    return encodeAnswer(
      `<struct>${encodeMember('Status', 'Failure')}${encodeMember('ErrorDescription', result.description)}</struct>`,
    )
  }
  const content = method === 'event.from' ? encodeEvents(result.value) : encodeContent(result.value)
  if (method === 'system.listMethods') return encodeAnswer(content)
  return encodeAnswer(`<struct>${encodeMember('Status', 'Success')}${named('Value', content)}</struct>`)
}

function encodeAnswer(content: string): string {
  return `${PROLOGUE}<methodResponse><params><param><value>${content}</value></param></params></methodResponse>`
}

/** The counts of event.from are 32-bit ints, the only ones a pool writes with a tag. */
function encodeEvents(value: ApiValue): string {
  if (!isApiMap(value)) return encodeContent(value)
  const members = Object.entries(value).map(([name, member]) => {
    if (name !== 'valid_ref_counts' || !isApiMap(member)) return encodeMember(name, member)
    const counts = Object.entries(member).map(([className, count]) => named(className, `<i4>${count}</i4>`))
    return named(name, `<struct>${counts.join('')}</struct>`)
  })
  return `<struct>${members.join('')}</struct>`
}

/**
 * Reads an answer. An XML-RPC fault becomes a failure with the code `FAULT` and the fault's code and text as parameters.
 *
 * @throws RPC_MALFORMED when the document is well-formed but not an answer; XML_MALFORMED or XML_FORBIDDEN when it is not.
 */
export function decodeXmlRpcResponse(body: string): ApiResult {
  const root = parseXml(body, XML_LIMITS)
  if (root.local !== 'methodResponse')
    throw fail('RPC_MALFORMED', { reason: `found <${root.local}> instead of <methodResponse>` })
  const fault = childNamed(root, 'fault')
  if (fault) return readFault(fault)

  const [answer] = decodeParams(childNamed(root, 'params'))
  const entries = new Map(typeof answer === 'object' ? Object.entries(answer) : [])
  const value = entries.get('Value')
  if (entries.get('Status') === 'Success' && value !== undefined) return { status: 'success', value }
  const description = entries.get('ErrorDescription')
  if (entries.get('Status') === 'Failure' && description !== undefined && isApiSet(description)) {
    return { status: 'failure', description: description.map(String) }
  }
  throw fail('RPC_MALFORMED', { reason: 'an answer without Status and Value or ErrorDescription' })
}

function readFault(fault: XmlElement): ApiResult {
  const value = childNamed(fault, 'value')
  const fields = new Map(Object.entries(value ? decodeValue(value) : {}))
  return {
    status: 'failure',
    description: ['FAULT', String(fields.get('faultCode') ?? ''), String(fields.get('faultString') ?? '')],
  }
}

function encodeValue(value: ApiValue): string {
  return `<value>${encodeContent(value)}</value>`
}

function encodeContent(value: ApiValue): string {
  switch (typeof value) {
    case 'string':
      return escapeXml(value)
    case 'bigint':
      return value.toString()
    case 'number':
      return `<double>${encodeFloat(value)}</double>`
    case 'boolean':
      return `<boolean>${value ? 1 : 0}</boolean>`
  }
  if (value instanceof Date) return `<dateTime.iso8601>${formatApiDate(value)}</dateTime.iso8601>`
  if (isApiSet(value)) return `<array><data>${value.map(encodeValue).join('')}</data></array>`
  const members = Object.entries(value).map(([name, member]) => encodeMember(name, member))
  return `<struct>${members.join('')}</struct>`
}

function encodeMember(name: string, value: ApiValue): string {
  return named(name, encodeContent(value))
}

function named(name: string, content: string): string {
  return `<member><name>${escapeXml(name)}</name><value>${content}</value></member>`
}

/** Infinite values and NaN are written as C writes them, because the pool does not read JavaScript's spelling. */
function encodeFloat(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
}

function decodeFloat(text: string): number | undefined {
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^-?nan$/i.test(text)) return Number.NaN
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['0', false],
  ['1', true],
  ['false', false],
  ['true', true],
])

function decodeParams(params: XmlElement | undefined): ApiValue[] {
  if (!params) return []
  return childElements(params).map((param) => {
    const value = childNamed(param, 'value')
    if (param.local !== 'param' || !value)
      throw fail('RPC_MALFORMED', { reason: `a <${param.local}> without a <value> among the params` })
    return decodeValue(value)
  })
}

function decodeValue(value: XmlElement): ApiValue {
  const [typed, ...more] = childElements(value)
  if (!typed) return textOf(value)
  if (more.length > 0) throw fail('RPC_MALFORMED', { reason: 'a <value> holding more than one element' })
  return decodeTyped(typed)
}

function decodeTyped(typed: XmlElement): ApiValue {
  const text = textOf(typed)
  switch (typed.local) {
    case 'string':
      return text
    case 'int':
    case 'i4':
    case 'i8':
      return known(/^\s*[+-]?\d{1,20}\s*$/.test(text) ? BigInt(text.trim().replace(/^\+/, '')) : undefined, typed)
    case 'double':
      return known(decodeFloat(text.trim()), typed)
    case 'boolean':
      return known(BOOLEANS.get(text.trim()), typed)
    case 'dateTime.iso8601':
      return known(parseApiDate(text), typed)
    case 'nil':
      return ''
    case 'array': {
      const data = childNamed(typed, 'data')
      return data ? childElements(data).map(decodeValue) : []
    }
    case 'struct':
      return Object.fromEntries(childElements(typed).map(decodeMember))
    default:
      throw fail('RPC_MALFORMED', { reason: `the unknown type <${typed.local}>` })
  }
}

function decodeMember(member: XmlElement): [string, ApiValue] {
  const name = childNamed(member, 'name')
  const value = childNamed(member, 'value')
  if (!name || !value) throw fail('RPC_MALFORMED', { reason: 'a <member> without a <name> and a <value>' })
  return [textOf(name), decodeValue(value)]
}

function known<T>(value: T | undefined, element: XmlElement): T {
  if (value === undefined)
    throw fail('RPC_MALFORMED', { reason: `<${element.local}> holding "${textOf(element).slice(0, 40)}"` })
  return value
}
