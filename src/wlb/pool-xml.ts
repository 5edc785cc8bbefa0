/**
 * Reads XML as a pool does (docs/protocol/wlb.md, reading an answer). Prefixes must be declared and are then dropped.
 * Attributes, even duplicate ones, and the document type are skipped. Nothing is validated, and everything after the root's
 * end tag is ignored. Text that consists only of spaces, tabs and line feeds is dropped everywhere.
 *
 * A strict parser would refuse answers that a pool accepts, so this is a reader of our own. It is not recursive and reads
 * each character a bounded number of times, so its time is proportional to the size of the document.
 */
import type { XmlElement, XmlNode } from '../base/text/xml.js'
import { decodePoolText } from './pool-text.js'

export type PoolDocument =
  | { readonly state: 'read'; readonly root: XmlElement }
  /** `reason` is the text of the pool's error, with the line number. */
  | { readonly state: 'unreadable'; readonly reason: string }

/** Reads the first element of `body` and everything in it. */
export function readPoolXml(body: Uint8Array): PoolDocument {
  const decoded = decodePoolText(body)
  if (decoded.state === 'unknown-encoding') {
    return { state: 'unreadable', reason: `unknown encoding (${decoded.encoding}) line 1` }
  }
  const scan: Scan = { text: decoded.text, at: 0, whole: decoded.whole }
  try {
    skipProlog(scan)
    return { state: 'read', root: readRoot(scan) }
  } catch (error) {
    if (error instanceof Unreadable) return { state: 'unreadable', reason: error.message }
    throw error
  }
}

interface Scan {
  readonly text: string
  at: number
  /** False when decoding stopped before the end of the answer. */
  readonly whole: boolean
}

interface OpenElement {
  readonly name: string
  readonly local: string
  readonly namespace: ''
  readonly children: XmlNode[]
  readonly declares: readonly string[]
}

const BLANKS = /[ \t\n]*/y
const NAME = /(?:([\p{L}_][\p{L}\p{N}\p{M}._·-]*):)?([\p{L}_][\p{L}\p{N}\p{M}._·-]*)/uy
const EQUALS = /[ \t\n]*=[ \t\n]*/y
const DECLARATION =
  /<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(["'])1\.[01]\1(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])[A-Za-z][\w.-]*\2)?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(?:yes|no)\3)?[ \t\n]*\?>/y

function skipProlog(scan: Scan): void {
  if (/^<\?xml[ \t\n]/.test(scan.text) && !match(scan, DECLARATION)) throw illegal(scan)
  for (;;) {
    match(scan, BLANKS)
    if (looksAt(scan, '<!--')) skipComment(scan)
    else if (looksAt(scan, '<?')) skipInstruction(scan)
    else if (looksAt(scan, '<!DOCTYPE')) skipDocumentType(scan)
    else break
  }
  const next = scan.text[scan.at + 1]
  if (scan.text[scan.at] !== '<' || next === '/' || next === '!') {
    throw scan.at >= scan.text.length && !scan.whole ? ended(scan) : unreadable(scan, 'expected root element')
  }
}

function readRoot(scan: Scan): XmlElement {
  const open: OpenElement[] = []
  const prefixes = new Map<string, number>([['xml', 1]])
  let text = ''
  const keepText = () => {
    if (!/^[ \t\n]*$/.test(text)) open.at(-1)?.children.push(text)
    text = ''
  }
  for (;;) {
    const inner = open.at(-1)
    if (scan.at >= scan.text.length) throw ended(scan)
    if (scan.text[scan.at] !== '<') text += readText(scan)
    else if (looksAt(scan, '<!--')) skipComment(scan)
    else if (looksAt(scan, '<![CDATA[')) text += readCdata(scan)
    else if (looksAt(scan, '<?')) skipInstruction(scan)
    else if (inner && looksAt(scan, '</')) {
      keepText()
      skipEndTag(scan, inner)
      if (close(open, prefixes)) return inner
    } else {
      keepText()
      const { element, empty } = readStartTag(scan, prefixes)
      inner?.children.push(element)
      open.push(element)
      if (empty && close(open, prefixes)) return element
    }
  }
}

/** Closes the innermost open element; returns true when it was the root. */
function close(open: OpenElement[], prefixes: Map<string, number>): boolean {
  for (const prefix of open.pop()?.declares ?? []) prefixes.set(prefix, (prefixes.get(prefix) ?? 1) - 1)
  return open.length === 0
}

function readStartTag(scan: Scan, prefixes: Map<string, number>): { element: OpenElement; empty: boolean } {
  scan.at += 1
  const tag = readName(scan)
  const declares: string[] = []
  const used = tag.prefix === undefined ? [] : [tag.prefix]
  for (;;) {
    const blanks = match(scan, BLANKS)?.[0] ?? ''
    if (looksAt(scan, '>') || looksAt(scan, '/>')) break
    if (scan.at >= scan.text.length) throw ended(scan)
    if (blanks === '') throw illegal(scan)
    const attribute = readName(scan)
    skipAttributeValue(scan)
    if (attribute.prefix === 'xmlns') declares.push(attribute.local)
    else if (attribute.prefix !== undefined) used.push(attribute.prefix)
  }
  for (const prefix of declares) prefixes.set(prefix, (prefixes.get(prefix) ?? 0) + 1)
  for (const prefix of used) if (!prefixes.get(prefix)) throw unreadable(scan, `unknown namespace prefix (${prefix})`)
  const empty = looksAt(scan, '/>')
  scan.at += empty ? 2 : 1
  return { element: { name: tag.name, local: tag.local, namespace: '', children: [], declares }, empty }
}

function skipEndTag(scan: Scan, element: OpenElement): void {
  scan.at += 2
  if (readName(scan).name !== element.name) throw unreadable(scan, `expected end tag of ${element.name}`)
  match(scan, BLANKS)
  if (!looksAt(scan, '>')) throw illegal(scan)
  scan.at += 1
}

function skipAttributeValue(scan: Scan): void {
  if (!match(scan, EQUALS)) throw illegal(scan)
  const quote = scan.text[scan.at]
  if (quote !== '"' && quote !== "'") throw illegal(scan)
  const end = scan.text.indexOf(quote, scan.at + 1)
  if (end < 0) throw ended(scan)
  const value = scan.text.slice(scan.at + 1, end)
  if (value.includes('<')) throw unreadable(scan, 'character sequence illegal here ("<")')
  resolveReferences(scan, value)
  scan.at = end + 1
}

function readText(scan: Scan): string {
  const next = scan.text.indexOf('<', scan.at)
  const raw = scan.text.slice(scan.at, next < 0 ? undefined : next)
  if (raw.includes(']]>')) throw unreadable(scan, 'character sequence illegal here ("]]>")')
  const text = resolveReferences(scan, raw)
  scan.at += raw.length
  return text
}

function readCdata(scan: Scan): string {
  const start = scan.at + '<![CDATA['.length
  skipPast(scan, ']]>', start)
  return scan.text.slice(start, scan.at - 3)
}

function skipComment(scan: Scan): void {
  skipPast(scan, '--', scan.at + 4)
  if (!looksAt(scan, '>')) throw unreadable(scan, 'character sequence illegal here ("--")')
  scan.at += 1
}

function skipInstruction(scan: Scan): void {
  if (/^xml$/i.test(/<\?([^ \t\n?]*)/y.exec(scan.text.slice(scan.at, scan.at + 8))?.[1] ?? '')) throw illegal(scan)
  skipPast(scan, '?>', scan.at + 2)
}

/** Counts angle brackets outside quotes and comments to find the end. Declarations have no effect. */
function skipDocumentType(scan: Scan): void {
  const part = /<!--|["'<>]/g
  let depth = 0
  do {
    part.lastIndex = scan.at
    const found = part.exec(scan.text)
    if (!found) throw ended(scan)
    scan.at = part.lastIndex
    if (found[0] === '<!--') skipPast(scan, '-->', scan.at)
    else if (found[0] === '<') depth += 1
    else if (found[0] === '>') depth -= 1
    else skipPast(scan, found[0], scan.at)
  } while (depth > 0)
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** Resolves one reference at a time, so that a bad one is refused before the rest is searched. */
function resolveReferences(scan: Scan, raw: string): string {
  const pieces: string[] = []
  let done = 0
  for (let at = raw.indexOf('&'); at >= 0; at = raw.indexOf('&', done)) {
    const [whole, name] = /^&([^;&]{0,64});/.exec(raw.slice(at, at + 66)) ?? []
    if (whole === undefined || name === undefined) throw unreadable(scan, 'character sequence illegal here ("&")')
    pieces.push(raw.slice(done, at), resolveReference(scan, name))
    done = at + whole.length
  }
  return pieces.length === 0 ? raw : pieces.join('') + raw.slice(done)
}

function resolveReference(scan: Scan, name: string): string {
  if (!name.startsWith('#')) {
    const character = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined
    if (character === undefined) throw unreadable(scan, `unknown entity reference (${name})`)
    return character
  }
  const [, hexadecimal, decimal] = /^#(?:x([0-9a-f]+)|([0-9]+))$/i.exec(name) ?? []
  const code = hexadecimal === undefined ? Number.parseInt(decimal ?? '', 10) : Number.parseInt(hexadecimal, 16)
  if (!isXmlCharacter(code)) throw unreadable(scan, `illegal character reference (${name})`)
  return String.fromCodePoint(code)
}

function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)
}

function readName(scan: Scan): { name: string; prefix: string | undefined; local: string } {
  const found = match(scan, NAME)
  if (!found?.[2]) throw scan.at >= scan.text.length ? ended(scan) : illegal(scan)
  return { name: found[0], prefix: found[1], local: found[2] }
}

function match(scan: Scan, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = scan.at
  const found = pattern.exec(scan.text)
  if (found) scan.at = pattern.lastIndex
  return found
}

function looksAt(scan: Scan, text: string): boolean {
  return scan.text.startsWith(text, scan.at)
}

function skipPast(scan: Scan, mark: string, from: number): void {
  const found = scan.text.indexOf(mark, from)
  if (found < 0) throw ended(scan)
  scan.at = found + mark.length
}

class Unreadable extends Error {}

function unreadable(scan: Scan, reason: string): Unreadable {
  const line = 1 + (scan.text.slice(0, scan.at).match(/\n/g)?.length ?? 0)
  return new Unreadable(`${reason} line ${line}`)
}

function illegal(scan: Scan): Unreadable {
  if (scan.at >= scan.text.length) return ended(scan)
  return unreadable(
    scan,
    `character sequence illegal here ("${String.fromCodePoint(scan.text.codePointAt(scan.at) ?? 0)}")`,
  )
}

function ended(scan: Scan): Unreadable {
  return unreadable(
    { ...scan, at: scan.text.length },
    scan.whole ? 'unexpected end of input' : 'malformed character stream',
  )
}
