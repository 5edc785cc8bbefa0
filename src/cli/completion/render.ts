/** An answer as each shell's script takes it: a line a candidate. */
import type { Answer, Candidate } from './answer.js'
import { listFiles } from './files.js'
import type { Quote, Request, Typed } from './typed-words.js'

/** COMP_TYPE of a completion that shows a list: `?`, `!` and `@` (bash(1), COMP_TYPE). */
const LISTING = ['63', '33', '64']

/** The text for the script of the shell that asked. */
export function render(request: Request, typed: Typed, answer: Answer): string {
  const { shell } = request
  if (shell === 'zsh' && answer.kind === 'files') return `${answer.head === '' ? ':' : '='}${answer.only}\n`
  const last = typed.words.at(-1) ?? ''
  const candidates = answer.kind === 'files' ? listFiles(last, answer, shell === 'bash') : answer.candidates
  const lines =
    shell === 'bash'
      ? bashLines(candidates, typed, LISTING.includes(request.completionType))
      : candidates.map((candidate) => (shell === 'zsh' ? zshLine(candidate, last) : fishLine(candidate)))
  return lines.map((line) => `${line}\n`).join('')
}

/** What is inserted, with the blank after it; while a list is shown, what it means beside it. */
function bashLines(candidates: readonly Candidate[], { kept, quote }: Typed, isListing: boolean): string[] {
  const rest = ({ word }: Candidate) => quoteForBash(word.slice(kept.length), quote)
  if (!isListing || candidates.length < 2) {
    return candidates.map((candidate) => `${rest(candidate)}${candidate.isOpen || quote !== '' ? '' : ' '}`)
  }
  const width = Math.max(...candidates.map((candidate) => rest(candidate).length))
  return candidates.map((candidate) =>
    candidate.meaning ? `${rest(candidate).padEnd(width)}  (${candidate.meaning})` : rest(candidate),
  )
}

function quoteForBash(text: string, quote: Quote): string {
  switch (quote) {
    case "'":
      return text.replaceAll("'", "'\\''")
    case '"':
      return text.replaceAll(/["$`\\]/g, '\\$&')
    case '':
      // `~/` was typed without quotes and means the home folder
      return text.replaceAll(/[^\p{L}\p{N}_@%+=:,./~^-]/gu, '\\$&').replace(/^~(?!\/)/, '\\~')
  }
}

/** `.` ends a word and `+` goes on; then the word, and how the list shows it. */
function zshLine({ word, meaning, isOpen }: Candidate, typed: string): string {
  const shown = typed.includes('=') ? word.slice(typed.indexOf('=') + 1) : word
  return `${isOpen ? '+' : '.'}${word}\t${shown}${meaning ? `  -- ${meaning}` : ''}`
}

function fishLine({ word, meaning }: Candidate): string {
  return meaning ? `${word}\t${meaning}` : word
}
