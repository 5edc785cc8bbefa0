/** A pool's refusal as something an operator can act on: the pool's own code, its text, and what was asked. */
import { WlbError } from '../../base/error.js'
import { renderApiFailure } from '../errors.js'
import { ApiFailure } from '../failure.js'

/** Errors of the pool become ours, with the pool's code; others pass. */
export function explainRefusal(error: unknown, asked: string): unknown {
  if (!(error instanceof ApiFailure)) return error
  const [text = '', ...lines] = renderApiFailure(error)
  const told = text.startsWith('Error code') ? `The pool refused: ${error.code}.` : text
  return new WlbError(
    error.code,
    told,
    { asked, ...Object.fromEntries(lines.map(splitLine)) },
    'wlb trust status',
    error,
  )
}

function splitLine(line: string): [string, string] {
  const at = line.indexOf(': ')
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 2)]
}
