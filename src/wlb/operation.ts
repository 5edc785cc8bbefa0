/**
 * The description of one operation for both sides of the connection: its name, the children of its `request`, the contents
 * of its result. The pool writes the children in a fixed order; the appliance reads them by local name, in any order, and
 * ignores unknown ones (docs/protocol/wlb.md, reading a request).
 */
import { childElements, childNamed, escapeXml, textOf, type XmlElement } from '../base/text/xml.js'
import { failWithoutPayload, findChild, isChildless, type PoolResult } from './pool-result.js'

export interface Operation<Method extends string, Request, Result> {
  readonly method: Method
  readonly request: RequestShape<Request>
  readonly result: ResultShape<Result>
  /** @throws ArgumentRefused when an argument is missing or unusable. */
  readCall(request: XmlElement): { readonly method: Method; readonly request: Request }
}

export interface ResultShape<Result> {
  /** Writes the content of `<Method>Result` on success. */
  write(result: Result): string
  /** Reads the result as a pool does. @throws ReplyRejected where a pool reports an error. */
  read(result: PoolResult): Result
  /** A pool reads a `ResultCode` in the result of a download only when its payload is missing. */
  readonly kind: 'call' | 'download'
}

export function operation<Method extends string, Request, Result>(
  method: Method,
  request: RequestShape<Request>,
  result: ResultShape<Result>,
): Operation<Method, Request, Result> {
  return { method, request, result, readCall: (element) => ({ method, request: request.read(element) }) }
}

/** One child of `request`. */
export interface Argument<T> {
  write(value: T): string
  /** @throws ArgumentRefused when it is missing or its content is not allowed. */
  read(request: XmlElement): T
}

/** The children of one method's `request`, as a record. */
export interface RequestShape<Request> {
  write(request: Request): string
  read(request: XmlElement): Request
}

/** Thrown for an unusable argument; answered with a result code, not with a fault. Caught only in `decodeRequest`. */
export class ArgumentRefused extends Error {}

/** The white space that the pool writes around the children; it only matters for writing the exact bytes. */
export interface Layout {
  readonly between: '\n' | ''
  readonly after: '\n' | ''
}

/** Describes a request by its arguments, in the order in which the pool writes them. */
export function requestOf<Request>(
  layout: Layout,
  named: { readonly [Name in keyof Request]: Argument<Request[Name]> },
): RequestShape<Request> {
  const names: (keyof Request)[] = []
  for (const name in named) names.push(name)
  return {
    write: (request) => names.map((name) => named[name].write(request[name])).join(layout.between) + layout.after,
    read: (element) => {
      const request: Partial<Request> = {}
      for (const name of names) request[name] = named[name].read(element)
      // Safe: the loop has set every property of the record to a value of its type.
      return request as Request
    },
  }
}

/** Text that may not be empty: a uuid, a user name, a URL. */
export function requiredText(local: string): Argument<string> {
  return {
    write: (value) => writeLeaf(local, value),
    read: (request) => {
      const text = readLeaf(request, local)
      if (text === '') throw new ArgumentRefused(`${local} is empty`)
      return text
    },
  }
}

/** Text that must be present and may be empty: a password. */
export function anyText(local: string): Argument<string> {
  return { write: (value) => writeLeaf(local, value), read: (request) => readLeaf(request, local) }
}

/** A list of name and value pairs. */
export function pairs(list: PairList): Argument<readonly (readonly [string, string])[]> {
  return {
    write: (value) => writePairs(list, value, escapeAsPool),
    read: (request) => {
      const element = childNamed(request, list.local)
      if (!element) throw new ArgumentRefused(`${list.local} is missing`)
      const read = readPairs(list, childElements(element))
      if (read === undefined) throw new ArgumentRefused(`a row of ${list.local} has no ${list.key}`)
      return read
    },
  }
}

function writeLeaf(local: string, value: string): string {
  return `<${local}>${escapeAsPool(value)}</${local}>`
}

function readLeaf(request: XmlElement, local: string): string {
  const leaf = childNamed(request, local)
  if (!leaf) throw new ArgumentRefused(`${local} is missing`)
  if (childElements(leaf).length > 0) throw new ArgumentRefused(`${local} holds elements instead of text`)
  return textOf(leaf)
}

/** A pool does not escape carriage returns, so XML readers turn them into line feeds. */
function escapeAsPool(text: string): string {
  return escapeXml(text).replaceAll('&#xD;', '\r')
}

/** One row of a list: two child elements with text. */
export type Pair = readonly [name: string, value: string]

export interface PairList {
  /** The element around the rows. */
  readonly local: string
  /** Attributes of the list's start tag with a leading space; '' for none. */
  readonly declaration: string
  readonly prefix: string
  readonly row: string
  readonly key: string
  readonly value: string
  /** Whether the pool writes an empty element with one tag or two. */
  readonly empty: 'one tag' | 'two tags'
}

export function writePairs(list: PairList, rows: readonly Pair[], encode: (text: string) => string): string {
  const leaf = (local: string, text: string) =>
    text === '' && list.empty === 'one tag'
      ? `<${list.prefix}${local}/>`
      : `<${list.prefix}${local}>${encode(text)}</${list.prefix}${local}>`
  const open = `<${list.local}${list.declaration}`
  if (rows.length === 0 && list.empty === 'one tag') return `${open}/>`
  const row = ([name, value]: Pair) =>
    `<${list.prefix}${list.row}>${leaf(list.key, name)}${leaf(list.value, value)}</${list.prefix}${list.row}>`
  return `${open}>${rows.map(row).join('')}</${list.local}>`
}

/** Reads rows by the names of their children; the rows' own names do not matter. Undefined when a row has no key. */
function readPairs(list: PairList, rows: readonly XmlElement[]): readonly Pair[] | undefined {
  const read: Pair[] = []
  for (const row of rows) {
    const name = childNamed(row, list.key)
    const value = childNamed(row, list.value)
    if (!name) return undefined
    read.push([textOf(name), value ? textOf(value) : ''])
  }
  return read
}

/** A request or result without contents. */
export type Nothing = Readonly<Record<string, never>>

/** An empty result. If it contains anything, even a `ResultCode` of 0, the pool reports a failure. */
export const NOTHING: ResultShape<Nothing> = {
  kind: 'call',
  write: () => '',
  read: (result) => (isChildless(result.element) ? {} : failWithoutPayload(result)),
}

/** A result with one text. The text may itself be XML and is always escaped, because a pool drops elements there. */
export function download(local: string): ResultShape<{ readonly text: string }> {
  return {
    kind: 'download',
    write: ({ text }) => writeElements({ [local]: text }),
    read: (result) => {
      const payload = findChild(result.element, local)
      if (!payload) return failWithoutPayload(result)
      const [only = '', ...more] = payload.children
      return { text: typeof only === 'string' && more.length === 0 ? only : '' }
    },
  }
}

/** Writes text elements in the order of the record; undefined fields are left out. */
export function writeElements(fields: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(fields)
    .map(([local, value]) => (value === undefined ? '' : `<${local}>${escapeXml(value)}</${local}>`))
    .join('')
}

/** Writes an element around XML content. */
export function wrap(local: string, inside: string): string {
  return inside === '' ? `<${local}/>` : `<${local}>${inside}</${local}>`
}

/** Consoles store ids as 32-bit integers and read only digits; an id that does not fit is a bug of the caller. */
export function checkId(id: string): string {
  if (!/^(?:0|[1-9]\d{0,9})$/.test(id) || Number(id) > 2_147_483_647)
    throw new Error(`not an id a pool can keep: ${id}`)
  return id
}
