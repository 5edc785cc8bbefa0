/**
 * How a pool walks through an answer it could parse: by local names, first match first, and with a fixed idea of what to say
 * when something is not there (docs/protocol/wlb.md, reading an answer).
 */
import { escapeXml, type XmlElement } from '../base/xml.js'
import { readPoolNumber } from './pool-number.js'

/** One answer on its way through a method's own rules. */
export interface PoolResult {
  readonly method: string
  /** The element `<Method>Result`. */
  readonly element: XmlElement
  readonly document: XmlElement
}

/** What the pool raises instead of returning a result; thrown by the rules of each method, caught in `readReply` alone. */
export class ReplyRejected extends Error {
  readonly code: string
  readonly params: readonly string[]

  constructor(code: string, params: readonly string[]) {
    super(`${code} [${params.join('; ')}]`)
    this.code = code
    this.params = params
  }
}

/** The first child of that name. Text found on the way to it is what a pool never expects: the answer is malformed. */
export function findChild(parent: XmlElement, local: string): XmlElement | undefined {
  for (const child of parent.children) {
    if (typeof child === 'string')
      throw malformed('unknown', `Found data in ${parent.local} node, expected elements`, parent)
    if (child.local === local) return child
  }
  return undefined
}

/** Follows `path` downwards; undefined where a step is missing. */
export function descend(from: XmlElement, path: readonly string[]): XmlElement | undefined {
  let element: XmlElement | undefined = from
  for (const step of path) element = element && findChild(element, step)
  return element
}

/** The text of an element that may hold nothing else. */
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

/** The child a method cannot do without. */
export function needChild(result: PoolResult, local: string): XmlElement {
  return findChild(result.element, local) ?? failWithoutPayload(result)
}

/** Refuses any `ResultCode` but the very text `0`: the pool's first look at every result but two. */
export function refuseResultCode(result: PoolResult): void {
  const code = findChild(result.element, 'ResultCode')
  if (code && leafText(code) !== '0') throw internalError(leafText(code), errorMessage(result))
}

/** The second look, when a method found less than it needs: a code explains it (even `0`), or the answer is malformed. */
export function failWithoutPayload(result: PoolResult): never {
  const code = findChild(result.element, 'ResultCode')
  if (code) throw internalError(leafText(code), errorMessage(result))
  throw rejectResult(result, NO_PAYLOAD)
}

export function rejectResult(result: PoolResult, reason: string): ReplyRejected {
  return malformed(result.method, reason, result.document)
}

/** Checks an id or a rating that the pool reads as a number; ids stay the text they are. */
export function needNumber(text: string): number {
  const number = readPoolNumber(text)
  if (number === undefined) {
    throw new ReplyRejected('WLB_MALFORMED_RESPONSE', ['unknown', 'Could not parse star rating/recID/optID', 'unknown'])
  }
  return number
}

/** The fields of a row: the last of a repeated name counts, unknown ones do no harm. */
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

/** @param shown the part of the answer that goes into the error; of AddXenServer nothing does. */
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

/** Names without prefixes and attributes, as the pool keeps them. A loop, because a stranger chose the depth. */
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
