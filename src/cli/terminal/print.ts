/** Output of `wlb`: JSON documents, errors, tables and exit codes. stdout is the answer; all else goes to stderr. */
import { join } from 'node:path'
import { styleText } from 'node:util'
import { errorDocument, WlbError } from '../../base/error.js'
import { explainShortage } from '../../base/files/file-failure.js'
import { homeFolder } from '../../base/files/home-folder.js'
import {
  boundedLine,
  visible,
  visibleCommand,
  visibleJson,
  visibleLine,
  visibleText,
} from '../../base/text/printable.js'
import { quoteWord } from '../../base/text/quote-word.js'
import { fail } from '../errors.js'
import { columnsOf, fitText, layOutTable } from './narrow.js'
import { repeatTyped, type TypedCall } from './typed-call.js'

/** What text is written to: a stream, or what keeps lines for one that has stopped. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Of a fact in an error's text; with `--json` it is whole. Of a pool of 64 hosts all are named in it. */
const FACT_LIMIT = 4000

/** Exit codes, as docs/reference.md lists them. */
export const EXIT = { done: 0, no: 1, usage: 2, interrupted: 130 } as const

/** The command could not find out whether the answer is yes (exit code 0) or no (1); `cause` says why. */
export class CouldNotTell extends Error {
  override readonly name = 'CouldNotTell'
}

/**
 * Prints an error as text on stderr and, with `--json`, also as a document on stdout. Of an error that was caused by a limit of
 * the system, such as that of open files, the limit is printed. `root` is the folder named on the
 * command line, `call` all that was typed; the remedy repeats both. Returns the exit code: 2 for a wrong call (`USAGE_…`) and for `CouldNotTell`,
 * 130 for a question left with Ctrl-C (`INTERRUPTED`), else 1.
 */
export function printError(
  error: unknown,
  format: 'text' | 'json',
  { root, call }: Typed = {},
  out: Output = process.stdout,
  err: Output = process.stderr,
): number {
  const isUnknown = error instanceof CouldNotTell
  const cause = isUnknown ? error.cause : error
  const shown = explainShortage(cause) ?? (cause instanceof WlbError ? cause : defect(cause))
  const remedy = asTyped(shown.remedy, { root, call })
  const lines = [
    `wlb: ${visibleLine(shown.message)} [${visibleLine(shown.code)}]`,
    ...Object.entries(shown.facts).map(([name, value]) => boundedLine(`  ${name}: ${value}`, FACT_LIMIT)),
    ...(remedy ? [`  try: ${visibleCommand(remedy)}`] : []),
  ]
  err.write(`${fitText(lines.join('\n'), columnsOf(err))}\n`)
  if (format === 'json') {
    printJson({ error: { ...errorDocument(shown), remedy } }, out)
  }
  if (shown.code === 'INTERRUPTED') return EXIT.interrupted
  return isUnknown || shown.code.startsWith('USAGE_') ? EXIT.usage : EXIT.no
}

/** Prints the one document a program asked for. */
export function printJson(document: unknown, out: Output = process.stdout): void {
  out.write(`${visibleJson(JSON.stringify(document, jsonValue, 2))}\n`)
}

/** Writes the answer for people. What is not to be seen in it is escaped, except for the ends of lines. */
export function printText(text: string): void {
  process.stdout.write(fitText(visibleText(text), columnsOf(process.stdout)))
}

/** Pieces of a line; colour is for terminals, and never the only thing that tells them apart. */
export type Coloured = readonly (readonly [text: string, colour: 'green' | 'yellow' | 'magenta' | 'red' | undefined])[]

const SIXTEEN = 16

/** Writes lines that fit already, with colours on a terminal that has them (not with NO_COLOR, nor TERM=dumb). */
export function printColoured(lines: readonly Coloured[]): void {
  const { stdout } = process
  const hasColours = stdout.isTTY && stdout.hasColors(SIXTEEN, process.env)
  const draw = ([text, colour]: Coloured[number]) =>
    colour && hasColours ? styleText(colour, visibleLine(text)) : visibleLine(text)
  process.stdout.write(lines.map((line) => `${line.map(draw).join('')}\n`).join(''))
}

/** Writes what is not the answer: progress, warnings, questions. */
export function printNote(text: string): void {
  process.stderr.write(fitText(visibleText(text), columnsOf(process.stderr)))
}

function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

/** "in 12 days", "4 days ago". */
export function daysFrom(now: Date, then: Date): string {
  const days = Math.floor((then.getTime() - now.getTime()) / 86_400_000)
  if (days === 0) return 'today'
  const count = Math.abs(days) === 1 ? '1 day' : `${Math.abs(days)} days`
  return days > 0 ? `in ${count}` : `${count} ago`
}

/** `label: value` lines with the values under one another. */
export function renderFacts(facts: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(...facts.map(([label]) => label.length)) + 1
  return facts.map(([label, value]) => `${`${label}:`.padEnd(width)}  ${visibleLine(value)}`).join('\n')
}

/** A plain table: a header, then a row each, columns two blanks apart; nothing is cut off where a terminal is narrower. */
export function renderTable(header: readonly string[], cells: readonly (readonly string[])[]): string {
  return layOutTable(header, visible(cells), columnsOf(process.stdout))
}

/** What a remedy repeats, so that it is about the same appliance and the same pool when it is pasted. */
export interface Typed {
  readonly root?: string | undefined
  readonly call?: TypedCall | undefined
}

export function asTyped(command: string, { root, call }: Typed): string {
  return inRoot(call ? repeatTyped(command, call) : command, root)
}

/** Adds `--root` to commands of ours, one or several in a line, unless `root` is the folder that they work in anyway. */
export function inRoot(command: string, root: string | undefined): string {
  if (root === undefined || isHomeRoot(root) || command.includes(' --root ')) return command
  return command.replaceAll(/(^|; )wlb (?!--)/g, (_, before) => `${before}wlb --root ${quoteWord(root)} `)
}

/** Where an appliance lies that nobody has said to lie elsewhere. */
function isHomeRoot(root: string): boolean {
  if (process.env.WLB_ROOT !== undefined) return false
  try {
    return root === join(homeFolder(), '.openwlb')
  } catch {
    return false // this user has no home
  }
}

/** A command of ours in a sentence, for the person to type. */
export function toType(command: string, root?: string): string {
  return visibleCommand(inRoot(command, root))
}

function defect(error: unknown): WlbError {
  const cause = error instanceof Error ? error : new Error(String(error))
  const where = /^\s+at .*$/m.exec(cause.stack ?? '')?.[0].trim() ?? 'unknown'
  return fail('INTERNAL_ERROR', { where, defect: cause.message }, cause)
}
