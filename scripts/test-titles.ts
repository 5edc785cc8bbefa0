/** The titles of the tests, read from their sources, and the numbers of requirements and causes that stand in them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const root = join(import.meta.dirname, '..')

export interface Named {
  /** `S15`, or `row 22`. */
  readonly number: string
  readonly file: string
  readonly title: string
}

/** Every number named in a title, in the order of files and lines. */
export function namedNumbers(): Named[] {
  return testFiles().flatMap((file) =>
    readTitles(file, readFileSync(join(root, file), 'utf8')).flatMap((title) =>
      numbersIn(title).map((number) => ({ number, file, title })),
    ),
  )
}

/**
 * Finds the titles in a source: the first argument of `describe`, `it`, `test` and of functions named after them, however
 * many `.each(…)` and `.skipIf(…)` come between; the first cell of every row of a table, and the second where the first is
 * declared as `row: number`; and every cell of a table of one column.
 */
export function readTitles(file: string, text: string): string[] {
  const titles: string[] = []
  const hasRowNumbers = /\[\s*row: number\b/.test(text)
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const take = (node: ts.Node | undefined): void => {
    const title = node && literalText(node)
    if (title !== undefined) titles.push(title)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTestCall(node.expression)) {
      const [first] = node.arguments
      const cells = first && ts.isAsExpression(first) ? first.expression : first
      if (cells && ts.isArrayLiteralExpression(cells)) cells.elements.forEach(take)
      else take(first)
    }
    if (ts.isArrayLiteralExpression(node) && ts.isArrayLiteralExpression(node.parent)) {
      const [first, second] = node.elements
      const title = second && literalText(second)
      if (hasRowNumbers && first && ts.isNumericLiteral(first) && title !== undefined)
        titles.push(`row ${first.text}: ${title}`)
      else take(first)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return titles
}

const ROWS = String.raw`rows? \d+(?: to \d+)?(?:(?:, | and )\d+)*`
const NUMBER = String.raw`(?:S\d+|${ROWS})`
const LIST = `${NUMBER}(?:(?:, | and )${NUMBER})*`
/** `S40, S41: …`, `row 8 (S35): …`, `row 8: S35: …`, `… (S40, S41)`, `… (row 8, S14)`. */
const PLACES = new RegExp(String.raw`(?<=^|^row \d+: )(${LIST})(?=:| \()|\((${LIST})\)`, 'g')

/** Reads the numbers of a title that stand before a colon at its beginning, or alone in parentheses. */
export function numbersIn(title: string): string[] {
  return [...title.matchAll(PLACES)].flatMap(([, before, inside]) => expand(before ?? inside ?? ''))
}

/** The title as a sentence, without the numbers. */
export function withoutNumbers(title: string): string {
  return title.replaceAll(PLACES, '').replace(/^[\s:]+|\s+$/g, '')
}

/** A bare number belongs to the rows before it: `rows 46, 47`. */
function expand(list: string): string[] {
  return list.split(/, | and /).flatMap((part) => {
    if (part.startsWith('S')) return [part]
    const [first = 0, last = first] = (part.match(/\d+/g) ?? []).map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => `row ${first + index}`)
  })
}

function isTestCall(callee: ts.Expression): boolean {
  if (ts.isCallExpression(callee)) return isTestCall(callee.expression)
  if (ts.isPropertyAccessExpression(callee)) return isTestCall(callee.expression)
  return ts.isIdentifier(callee) && /^(describe|it|test)([A-Z]|$)/.test(callee.text)
}

function literalText(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join('')
  return undefined
}

function testFiles(): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== 'traceability.test.ts') // its examples decide nothing
    .map((path) => join('test', path).replaceAll('\\', '/'))
    .sort()
}
