/**
 * Text for a terminal that is narrower than its lines. A sentence is broken at blanks and goes on below its beginning; a command
 * is left in one piece, because the terminal breaks it without adding anything to what is copied. Nothing is cut off, and a file
 * or pipe gets every line as it is.
 */

import { DESCRIBED } from '../../base/text/printable.js'

interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
}

/** Undefined where nothing has to fit. */
export function columnsOf({ isTTY, columns }: Screen): number | undefined {
  return isTTY && columns ? columns : undefined
}

/** Below this, a column of text is no easier to read than what the terminal makes of it. */
const LEAST_ROOM = 20

export function fitText(text: string, columns: number | undefined): string {
  if (columns === undefined) return text
  return text
    .split('\n')
    .map((line) => (line.length <= columns ? line : fitLine(line, columns)))
    .join('\n')
}

const PROGRAMS = [
  ...[
    'wlb',
    'xe',
    'ssh',
    'scp',
    'openssl',
    'chronyc',
    'curl',
    'date',
    'df',
    'ip',
    'journalctl',
    'ls',
    'nc',
    'ssh-keygen',
  ],
  ...['systemctl', 'cat', 'chmod', 'cp', 'dmesg', 'grep', 'head', 'killall', 'mv', 'ps', 'rm', 'sed', 'ss', 'vi'],
].join('|')
/** A command, with what goes before it on its line: a prompt, or `Start it:  `, or a sentence and two blanks. */
const COMMAND = new RegExp(`^(.*?(?:^ *|: | {2,}))((?:[#$] )?(?:${PROGRAMS}) .*|${DESCRIBED}.*)$`)
/** What is to be typed, whatever the program is called. */
const REMEDY = /^ *try: /
/** `label:  value`, `12. step`, `- item`, or what only begins with blanks. */
const HEAD = /^ *(?:[^\s:][^:]{0,30}: {2,}|\d+\. |- )?/
/** A term and what it means, as in the list of commands. */
const TERM = /^( *)(\S[^']*?) {3,}(\S.*)$/

function fitLine(line: string, columns: number): string {
  if (REMEDY.test(line)) return line
  const [, indent = '', term, meaning] = TERM.exec(line) ?? []
  if (term !== undefined && meaning !== undefined && !/:$/.test(term))
    return `${indent}${term}\n${wrap(`${indent}    `, meaning, columns)}`
  const [, before, command] = COMMAND.exec(line) ?? []
  if (before !== undefined && command !== undefined)
    return before.trim().length < LEAST_ROOM ? line : `${fitText(before.trimEnd(), columns)}\n  ${command}`
  const head = HEAD.exec(line)?.[0] ?? ''
  return wrap(head, line.slice(head.length), columns)
}

/** `head`, then the words, every further line below the first word. */
function wrap(head: string, words: string, columns: number): string {
  const indent = columns - head.length < LEAST_ROOM ? '  ' : ' '.repeat(head.length)
  const lines: string[] = []
  let line = head
  let isBlank = true
  for (const word of words.split(' ')) {
    if (!isBlank && line.length + 1 + word.length > columns) {
      lines.push(line.trimEnd())
      line = indent
      isBlank = true
    }
    line += isBlank ? word : ` ${word}`
    isBlank = false
  }
  return [...lines, line.trimEnd()].join('\n')
}

/**
 * The rows of a table, cells padded to `widths`. Where they do not fit, the last column is broken if that leaves it room; otherwise
 * each row becomes a block, a line a cell.
 */
export function layOutTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | undefined,
): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)))
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0)
  const isWide = columns !== undefined && before + (widths.at(-1) ?? 0) > columns
  if (isWide && columns - before < LEAST_ROOM) {
    return rows.map((row) => row.map((cell, column) => `${header[column] ?? ''}:  ${cell}`).join('\n')).join('\n\n')
  }
  return [header, ...rows]
    .map((row) => {
      const head = row.slice(0, -1).map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2))
      const last = row.at(-1) ?? ''
      return isWide ? wrap(head.join(''), last, columns) : `${head.join('')}${last}`.trimEnd()
    })
    .join('\n')
}
