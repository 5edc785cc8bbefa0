/**
 * The children of `request`, each described once for both directions: the pool writes them in a fixed order, the appliance
 * reads them in any order, by local name, and lets unknown ones be (docs/protocol/wlb.md, reading a request).
 */
import { childElements, childNamed, escapeXml, textOf, type XmlElement } from '../base/xml.js'
import { type PairList, readPairs, writePairs } from './pairs.js'

/** One child of `request`. */
export interface Argument<T> {
  write(value: T): string
  /** @throws ArgumentRefused when it is missing or holds what it may not. */
  read(request: XmlElement): T
}

/** The children of one method's `request`, as a record. */
export interface RequestShape<Request> {
  write(request: Request): string
  read(request: XmlElement): Request
}

/** A request that cannot be carried out: answered with a result code, not with a fault. Caught in `decodeRequest` alone. */
export class ArgumentRefused extends Error {}

/** How the pool sets the children out; it shows in the exact bytes and nowhere else. */
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
      // Every name of the record has just been given a value of its type.
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

/** Text that must be there and may be empty: a password. */
export function anyText(local: string): Argument<string> {
  return { write: (value) => writeLeaf(local, value), read: (request) => readLeaf(request, local) }
}

/** A list of names with values. */
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

/** A pool writes a carriage return as it is, so that every reader makes it a line feed. */
function escapeAsPool(text: string): string {
  return escapeXml(text).replaceAll('&#xD;', '\r')
}
