/**
 * How a pool finds values in a parsed answer: by local name, the first match, with a fixed error for each missing part
 * (docs/protocol/wlb.md, reading an answer).
 */
import { escapeXml, type XmlElement } from '../base/text/xml.js'

/** One answer, as it is passed to the rules of a method. */
export interface PoolResult {
  readonly method: string
  /** The element `<Method>Result`. */
  readonly element: XmlElement
  readonly document: XmlElement
}

/** The error a pool reports instead of a result. Thrown by the rules of each method, caught only in `readReply`. */
export class ReplyRejected extends Error {
  readonly code: string
  readonly params: readonly string[]

  constructor(code: string, params: readonly string[]) {
    super(`${code} [${params.join('; ')}]`)
    this.code = code
    this.params = params
  }
}

/** Finds the first child with that name. Text before it makes the answer malformed, as for a pool. */
export function findChild(parent: XmlElement, local: string): XmlElement | undefined {
  for (const child of parent.children) {
    if (typeof child === 'string')
      throw malformed('unknown', `Found data in ${parent.local} node, expected elements`, parent)
    if (child.local === local) return child
  }
  return undefined
}

/** Follows `path` from child to child; undefined when one is missing. */
export function descend(from: XmlElement, path: readonly string[]): XmlElement | undefined {
  let element: XmlElement | undefined = from
  for (const step of path) element = element && findChild(element, step)
  return element
}

/** Returns the text of an element that may contain only text. */
export function leafText(leaf: XmlElement): string {
  const [only = '', ...more] = leaf.children
  if (typeof only !== 'string' || more.length > 0) {
    throw malformed('unknown', `Found elements in ${leaf.local} node, expected only data`, leaf)
  }
  return only
}

export function isChildless(element: XmlElement): boolean {
  return element.children.length === 0
}

/** Returns a child that the method needs. */
export function needChild(result: PoolResult, local: string): XmlElement {
  return findChild(result.element, local) ?? failWithoutPayload(result)
}

/** Refuses every `ResultCode` other than `0`. A pool does this first for every result except the two downloads. */
export function refuseResultCode(result: PoolResult): void {
  const code = findChild(result.element, 'ResultCode')
  if (code && leafText(code) !== '0') throw internalError(leafText(code), errorMessage(result))
}

/** Fails because a needed part is missing: with the `ResultCode`, if there is one (even `0`), or as malformed. */
export function failWithoutPayload(result: PoolResult): never {
  const code = findChild(result.element, 'ResultCode')
  if (code) throw internalError(leafText(code), errorMessage(result))
  throw rejectResult(result, NO_PAYLOAD)
}

export function rejectResult(result: PoolResult, reason: string): ReplyRejected {
  return malformed(result.method, reason, result.document)
}

/**
 * Reads a number as a pool does; undefined when a pool cannot read it. Accepted are digits with an optional point and
 * exponent, hexadecimal, `nan`, `inf`, underscores between digits and leading white space; not trailing white space or a
 * decimal comma.
 */
export function readPoolNumber(text: string): number | undefined {
  const plain = text.replace(/^[ \t\n\v\f\r]+/, '').replaceAll('_', '')
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(plain)) return Number(plain)
  if (/^[+-]?nan$/i.test(plain)) return Number.NaN
  const sign = plain.startsWith('-') ? -1 : 1
  if (/^[+-]?inf(?:inity)?$/i.test(plain)) return sign * Number.POSITIVE_INFINITY
  const hexadecimal = /^[+-]?0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?$/i.exec(plain)
  const digits = `${hexadecimal?.[1] ?? ''}${hexadecimal?.[2] ?? ''}`
  if (!hexadecimal || digits === '') return undefined
  return sign * Number(`0x${digits}`) * 2 ** (Number(hexadecimal[3] ?? 0) - 4 * (hexadecimal[2]?.length ?? 0))
}

/** Reads an id or a rating that the pool reads as a number. Callers keep ids as text and use only the check. */
export function needNumber(text: string): number {
  const number = readPoolNumber(text)
  if (number === undefined) {
    throw new ReplyRejected('WLB_MALFORMED_RESPONSE', ['unknown', 'Could not parse star rating/recID/optID', 'unknown'])
  }
  return number
}

/** Reads the fields of a row. The last of several fields with one name counts; unknown ones are allowed. */
export function rowFields(row: XmlElement | string, listName: string, result: PoolResult): ReadonlyMap<string, string> {
  const cells = typeof row === 'string' ? [row] : row.children
  const fields = new Map<string, string>()
  for (const cell of cells) {
    if (typeof cell === 'string')
      throw rejectResult(result, `Found data in ${listName} node, expected only parent nodes`)
    fields.set(cell.local, leafText(cell))
  }
  return fields
}

/** `shown` is the part of the answer that the error quotes. For AddXenServer nothing is quoted. */
export function malformed(method: string, reason: string, shown: XmlElement): ReplyRejected {
  const text = method === 'AddXenServer' ? 'Logging output disabled for this call.' : printXml(shown)
  return new ReplyRejected('WLB_MALFORMED_RESPONSE', [method, reason, text])
}

const NO_PAYLOAD = 'After failing to retrieve valid response, an error codecould not be found'

function internalError(code: string, message: string): ReplyRejected {
  return new ReplyRejected('WLB_INTERNAL_ERROR', [code, message])
}

function errorMessage(result: PoolResult): string {
  const message = findChild(result.element, 'ErrorMessage')
  return message ? leafText(message) : ''
}

/** Prints elements without prefixes and attributes, as a pool does. Not recursive, because the sender chooses the depth. */
function printXml(root: XmlElement): string {
  const pieces: string[] = []
  const ahead: (XmlElement | string | { readonly close: string })[] = [root]
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    if (typeof next === 'string') pieces.push(escapeXml(next))
    else if ('close' in next) pieces.push(`</${next.close}>`)
    else if (isChildless(next)) pieces.push(`<${next.local}/>`)
    else {
      pieces.push(`<${next.local}>`)
      ahead.push({ close: next.local })
      for (let index = next.children.length - 1; index >= 0; index -= 1) ahead.push(next.children[index] ?? '')
    }
  }
  return pieces.join('')
}
