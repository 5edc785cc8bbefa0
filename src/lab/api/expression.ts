/** The filter of get_all_records_where: `field "type"="ca" and not (field "name"="")` (docs/protocol/pool.md, XenAPI). */
import { ApiFailure, type ApiValue, formatApiDate } from '../../xapi/index.js'

export type Expression =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'equal'; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'not'; readonly inner: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }

type Operand = { readonly kind: 'field' | 'literal'; readonly text: string }

const MAX_DEPTH = 64
const TOKEN = /\s*(?:(true|false|field|and|or|not)\b|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([()=]))/y

type Token = { readonly kind: 'word' | 'string' | 'sign'; readonly text: string }

/**
 * Reads an expression; `not` binds closest, then `and`, then `or`.
 *
 * @throws ApiFailure INVALID_VALUE with the text and the reason, when it is not an expression.
 */
export function parseExpression(text: string): Expression {
  try {
    const tokens = tokenize(text)
    const reader = { tokens, at: 0, depth: 0 }
    const expression = readOr(reader)
    if (reader.at !== tokens.length) throw new Unreadable('something follows the expression')
    return expression
  } catch (error) {
    throw error instanceof Unreadable ? new ApiFailure('INVALID_VALUE', [text, error.message]) : error
  }
}

class Unreadable extends Error {}

/** Tells whether a record matches; a missing field equals nothing. */
export function matchesExpression(expression: Expression, record: { readonly [field: string]: ApiValue }): boolean {
  switch (expression.kind) {
    case 'constant':
      return expression.value
    case 'not':
      return !matchesExpression(expression.inner, record)
    case 'and':
      return matchesExpression(expression.left, record) && matchesExpression(expression.right, record)
    case 'or':
      return matchesExpression(expression.left, record) || matchesExpression(expression.right, record)
    case 'equal': {
      const left = operandText(expression.left, record)
      return left !== undefined && left === operandText(expression.right, record)
    }
  }
}

/** Fields are compared as the text the database keeps; sets and maps have no such text here. */
function operandText({ kind, text }: Operand, record: { readonly [field: string]: ApiValue }): string | undefined {
  if (kind === 'literal') return text
  const value = Object.hasOwn(record, text.replaceAll('__', '_')) ? record[text.replaceAll('__', '_')] : record[text]
  if (value instanceof Date) return formatApiDate(value)
  return value === undefined || typeof value === 'object' ? undefined : String(value)
}

interface Reader {
  readonly tokens: readonly Token[]
  at: number
  depth: number
}

function readOr(reader: Reader): Expression {
  let left = readAnd(reader)
  while (take(reader, 'word', 'or')) left = { kind: 'or', left, right: readAnd(reader) }
  return left
}

function readAnd(reader: Reader): Expression {
  let left = readNot(reader)
  while (take(reader, 'word', 'and')) left = { kind: 'and', left, right: readNot(reader) }
  return left
}

function readNot(reader: Reader): Expression {
  if (++reader.depth > MAX_DEPTH) throw new Unreadable('too deep')
  try {
    if (take(reader, 'word', 'not')) return { kind: 'not', inner: readNot(reader) }
    if (take(reader, 'word', 'true')) return { kind: 'constant', value: true }
    if (take(reader, 'word', 'false')) return { kind: 'constant', value: false }
    if (take(reader, 'sign', '(')) {
      const inner = readOr(reader)
      if (!take(reader, 'sign', ')')) throw new Unreadable('a parenthesis does not end')
      return inner
    }
    const left = readOperand(reader)
    if (!take(reader, 'sign', '=')) throw new Unreadable('= is missing')
    return { kind: 'equal', left, right: readOperand(reader) }
  } finally {
    reader.depth--
  }
}

function readOperand(reader: Reader): Operand {
  const kind = take(reader, 'word', 'field') ? 'field' : 'literal'
  const token = reader.tokens[reader.at]
  if (token?.kind !== 'string') throw new Unreadable('a quoted text is missing')
  reader.at++
  return { kind, text: token.text }
}

function take(reader: Reader, kind: Token['kind'], text: string): boolean {
  const token = reader.tokens[reader.at]
  if (token?.kind !== kind || token.text !== text) return false
  reader.at++
  return true
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const pattern = new RegExp(TOKEN)
  const end = text.trimEnd().length
  while (pattern.lastIndex < end) {
    const found = pattern.exec(text)
    if (!found) throw new Unreadable('a word or sign that is none of an expression')
    const [, word, double, single, sign] = found
    if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
    else tokens.push({ kind: 'string', text: (double ?? single ?? '').replace(/\\(.)/g, '$1') })
  }
  return tokens
}
