/**
 * S-expressions as pools send certificates between hosts (docs/protocol/pool.md, distribution): nested lists of atoms,
 * printed without layout. Printing puts a blank only between two bare atoms; reading takes any blanks.
 */
import { ApiFailure } from '../../xapi/index.js'

export type Sexp = string | readonly Sexp[]

/** Prints one expression on one line. */
export function printSexp(expression: Sexp): string {
  return print(expression).text
}

function print(expression: Sexp): { text: string; bare: boolean } {
  if (typeof expression === 'string') {
    return isBare(expression) ? { text: expression, bare: true } : { text: quote(expression), bare: false }
  }
  let text = ''
  let afterBare = false
  for (const element of expression) {
    const piece = print(element)
    text += afterBare && piece.bare ? ` ${piece.text}` : piece.text
    afterBare = piece.bare
  }
  return { text: `(${text})`, bare: false }
}

/** `#|`, `|#` and `#;` open comments, so an atom that holds one is quoted like one with blanks. */
function isBare(atom: string): boolean {
  return atom !== '' && !/[^\x21-\x7e]|[()";\\]|#\||\|#/.test(atom)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\b': '\\b',
  '"': '\\"',
  '\\': '\\\\',
}

/** Bytes, not characters: what is outside printable ASCII is written as three decimal digits a byte. */
function quote(atom: string): string {
  let text = '"'
  for (const byte of Buffer.from(atom, 'utf8')) {
    const character = String.fromCharCode(byte)
    const escaped = ESCAPES[character]
    if (escaped) text += escaped
    else text += byte >= 0x20 && byte < 0x7f ? character : `\\${String(byte).padStart(3, '0')}`
  }
  return `${text}"`
}

const MAX_DEPTH = 32

/**
 * Reads exactly one expression.
 *
 * @throws ApiFailure INTERNAL_ERROR when the text is not one.
 */
export function parseSexp(text: string): Sexp {
  const reader = { text, at: 0 }
  const expression = readOne(reader, 0)
  skipBlanks(reader)
  if (reader.at !== text.length) throw unreadable('text after the expression', reader.at)
  return expression
}

interface Reader {
  readonly text: string
  at: number
}

function readOne(reader: Reader, depth: number): Sexp {
  skipBlanks(reader)
  const next = reader.text[reader.at]
  if (next === undefined || next === ')') throw unreadable('an expression is missing', reader.at)
  if (next === '"') return readQuoted(reader)
  return next === '(' ? readList(reader, depth) : readBare(reader)
}

function readList(reader: Reader, depth: number): Sexp {
  if (depth >= MAX_DEPTH) throw unreadable('lists nest too deep', reader.at)
  reader.at++
  const elements: Sexp[] = []
  for (;;) {
    skipBlanks(reader)
    if (reader.text[reader.at] === ')') {
      reader.at++
      return elements
    }
    elements.push(readOne(reader, depth + 1))
  }
}

function readBare(reader: Reader): string {
  const pattern = /[^\s()";]+/y
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.text)
  if (!found) throw unreadable('an atom is missing', reader.at)
  reader.at = pattern.lastIndex
  return found[0]
}

const UNESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b' }

function readQuoted(reader: Reader): string {
  const pieces: Buffer[] = []
  const pattern = /[^"\\]+|\\(\d{3})|\\x([0-9a-fA-F]{2})|\\\r?\n[ \t]*|\\([^\d])|(")/y
  pattern.lastIndex = reader.at + 1
  for (;;) {
    const start = pattern.lastIndex
    const found = pattern.exec(reader.text)
    if (!found) throw unreadable('a quoted atom does not end', start)
    const [whole, decimal, hexadecimal, letter, end] = found
    if (end) break
    if (decimal !== undefined) {
      if (Number(decimal) > 255) throw unreadable('no such byte', start)
      pieces.push(Buffer.of(Number(decimal)))
    } else if (hexadecimal !== undefined) pieces.push(Buffer.from(hexadecimal, 'hex'))
    else if (letter !== undefined) pieces.push(Buffer.from(UNESCAPED[letter] ?? letter))
    else if (!whole.startsWith('\\')) pieces.push(Buffer.from(whole))
  }
  reader.at = pattern.lastIndex
  return Buffer.concat(pieces).toString('utf8')
}

function skipBlanks(reader: Reader): void {
  const pattern = /(?:\s+|;[^\n]*)*/y
  pattern.lastIndex = reader.at
  pattern.exec(reader.text)
  reader.at = pattern.lastIndex
}

function unreadable(why: string, at: number): ApiFailure {
  return new ApiFailure('INTERNAL_ERROR', [`S-expression: ${why} (character ${at})`])
}
