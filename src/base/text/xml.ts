/**
 * A small tree of an XML document: strict, namespace-aware, and safe with documents from outside.
 * No DTD is read, so there are no entities beyond the five predefined ones; depth is bounded, because a parser's work
 * grows with it; size is the caller's to bound, before a document is read at all.
 */
import { SaxesParser } from 'saxes'
import { fail } from '../errors.js'

export interface XmlElement {
  /** The name without its prefix. */
  readonly local: string
  /** The namespace, '' for none. */
  readonly namespace: string
  /** Neighbouring text is one string, CDATA included; comments and processing instructions are left out. */
  readonly children: readonly XmlNode[]
}
export type XmlNode = XmlElement | string

export interface XmlLimits {
  readonly maxDepth: number
  /** A document type declaration is refused as an attack, or skipped, as the pool's own reader does. */
  readonly doctype: 'refuse' | 'skip'
}

/** Decodes UTF-8. @throws XML_MALFORMED when the bytes are none */
export function decodeXmlBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw fail('XML_MALFORMED', { reason: 'the bytes are not UTF-8' }, error)
  }
}

const DEFAULT_LIMITS: XmlLimits = { maxDepth: 64, doctype: 'refuse' }

/**
 * Reads one document and returns its root.
 *
 * @throws XML_MALFORMED when the text is not well-formed (undeclared prefixes and unknown entities included).
 * @throws XML_FORBIDDEN when it carries a document type declaration or nests deeper than the limit.
 */
export function parseXml(text: string, limits: XmlLimits = DEFAULT_LIMITS): XmlElement {
  const parser = new SaxesParser({ xmlns: true })
  const open: { local: string; namespace: string; children: XmlNode[] }[] = []
  let root: XmlElement | undefined

  parser.on('error', (error) => {
    throw fail('XML_MALFORMED', { reason: error.message, line: parser.line })
  })
  parser.on('doctype', () => {
    if (limits.doctype === 'refuse')
      throw fail('XML_FORBIDDEN', { found: 'a document type declaration', line: parser.line })
  })
  parser.on('opentag', (tag) => {
    if (open.length >= limits.maxDepth)
      throw fail('XML_FORBIDDEN', { found: `more than ${limits.maxDepth} nested elements`, line: parser.line })
    const element = { local: tag.local, namespace: tag.uri, children: [] }
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('closetag', () => {
    open.pop()
  })
  const addText = (piece: string) => {
    const children = open.at(-1)?.children
    if (!children) return
    const last = children.at(-1)
    if (typeof last === 'string') children[children.length - 1] = last + piece
    else children.push(piece)
  }
  parser.on('text', addText)
  parser.on('cdata', addText)

  parser.write(text).close()
  if (!root) throw fail('XML_MALFORMED', { reason: 'no root element', line: parser.line })
  return root
}

/** Child elements, text left out. */
export function childElements(element: XmlElement): readonly XmlElement[] {
  return element.children.filter((child) => typeof child !== 'string')
}

/** The first child element of that local name, whatever its namespace. */
export function childNamed(element: XmlElement, local: string): XmlElement | undefined {
  return childElements(element).find((child) => child.local === local)
}

/** All text directly inside an element, not trimmed. */
export function textOf(element: XmlElement): string {
  return element.children.filter((child) => typeof child === 'string').join('')
}

/**
 * Text as it may stand between tags. Characters that XML 1.0 cannot carry at all (most below U+0020, U+FFFE, U+FFFF,
 * lone surrogates) are dropped, as the pool drops them; CR is written as a reference, or a reader would make it LF.
 */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"'\r]/g, (character) => REPLACEMENTS[character] ?? character)
}

const REPLACEMENTS: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#xD;',
}
