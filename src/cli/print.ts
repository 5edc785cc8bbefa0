/** How every program of ours speaks: stdout is the answer, stderr the conversation, one place that prints an error. */
import type { Writable } from 'node:stream'
import { errorDocument, WlbError } from '../base/error.js'
import { quoteWord } from '../base/quote-word.js'
import { fail } from './errors.js'

/** Exit codes, as docs/reference.md lists them. */
export const EXIT = { done: 0, no: 1, usage: 2, interrupted: 130 } as const

/** The question could not be answered, for the reason in `cause`: neither yes (0) nor no (1). */
export class CouldNotTell extends Error {
  override readonly name = 'CouldNotTell'
}

/**
 * Prints what went wrong for people on stderr and, where the caller asked for JSON, for programs on stdout.
 * `root` is the folder that was named on the command line, which the remedy then names too. Returns the exit code: 2 for a wrong call (`USAGE_…`) and where nobody can tell,
 * 130 for a question left by Ctrl-C (`INTERRUPTED`), else 1.
 */
export function printError(
  error: unknown,
  format: 'text' | 'json',
  root?: string,
  out: Writable = process.stdout,
  err: Writable = process.stderr,
): number {
  const isOpen = error instanceof CouldNotTell
  const cause = isOpen ? error.cause : error
  const told = cause instanceof WlbError ? cause : defect(cause)
  const remedy = inRoot(told.remedy, root)
  const lines = [
    `wlb: ${told.message} [${told.code}]`,
    ...Object.entries(told.facts).map(([name, value]) => `  ${name}: ${value}`),
    ...(remedy ? [`  try: ${remedy}`] : []),
  ]
  err.write(`${lines.join('\n')}\n`)
  if (format === 'json') {
    printJson({ error: { ...errorDocument(told), remedy } }, out)
  }
  if (told.code === 'INTERRUPTED') return EXIT.interrupted
  return isOpen || told.code.startsWith('USAGE_') ? EXIT.usage : EXIT.no
}

/** Prints the one document a program asked for. */
export function printJson(document: unknown, out: Writable = process.stdout): void {
  out.write(`${JSON.stringify(document, jsonValue, 2)}\n`)
}

function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

/** "in 12 days", "4 days ago": people count days, programs read the date beside it. */
export function daysFrom(now: Date, then: Date): string {
  const days = Math.floor((then.getTime() - now.getTime()) / 86_400_000)
  if (days === 0) return 'today'
  const count = Math.abs(days) === 1 ? '1 day' : `${Math.abs(days)} days`
  return days > 0 ? `in ${count}` : `${count} ago`
}

/** `label: value` lines with the values under one another. */
export function renderFacts(facts: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(...facts.map(([label]) => label.length)) + 1
  return facts.map(([label, value]) => `${`${label}:`.padEnd(width)}  ${value}`).join('\n')
}

/** A plain table: a header, then a row each, columns two blanks apart, nothing cut off. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)))
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A command of ours as it has to be typed for the folder in use; `root` is undefined where that goes without saying. */
export function inRoot(command: string, root: string | undefined): string {
  if (root === undefined || command.includes(' --root ')) return command
  return command.replace(/^(wlb) (?!--)/, (_, wlb) => `${wlb} --root ${quoteWord(root)} `)
}

function defect(error: unknown): WlbError {
  const cause = error instanceof Error ? error : new Error(String(error))
  const where = cause.stack?.split('\n')[1]?.trim() ?? 'unknown'
  return fail('INTERNAL_ERROR', { where, defect: cause.message }, cause)
}
