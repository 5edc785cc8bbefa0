/** What a terminal shows after all that was written to it: enough of ECMA-48 for dialogs that redraw themselves. */

const TOKEN = /\u001b\[([?0-9;]*)([A-Za-z])|\r|\n|[^\u001b\r\n]+|\u001b/g

/** The lines, without blanks at their ends. Nothing may be wider than the terminal: no line is broken here. */
export function screenOf(written: string): string {
  const lines: string[] = ['']
  let [row, column] = [0, 0]
  const line = () => lines[row] ?? ''
  for (const [token, given = '', final] of written.matchAll(TOKEN)) {
    const count = Number(given.split(';')[0]) || 1
    if (token === '\r') column = 0
    else if (token === '\n') row += 1
    else if (final === 'A') row = Math.max(0, row - count)
    else if (final === 'B') row += count
    else if (final === 'C') column += count
    else if (final === 'D') column = Math.max(0, column - count)
    else if (final === 'G') column = count - 1
    else if (final === 'K') lines[row] = line().slice(0, column)
    else if (final === 'J') lines.splice(row, lines.length, line().slice(0, column))
    else if (final === undefined) {
      lines[row] = line().slice(0, column).padEnd(column) + token + line().slice(column + token.length)
      column += token.length
    }
    while (lines.length <= row) lines.push('')
  }
  return `${lines
    .map((one) => one.trimEnd())
    .join('\n')
    .trimEnd()}\n`
}
