/** An answer in the form that each shell's script reads: one line for each candidate. */
import { readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { visibleLine } from '../../base/text/printable.js'
import { type Answer, type Candidate, matching } from './answer.js'
import type { Quote, Request, Typed } from './typed-words.js'

/** COMP_TYPE of a completion that shows a list: `?`, `!` and `@` (bash(1), COMP_TYPE). */
const LISTING = ['63', '33', '64']

/** The text for the script of the shell that asked. */
export function render(request: Request, typed: Typed, answer: Answer): string {
  const { shell } = request
  if (shell === 'zsh' && answer.kind === 'files') return `${answer.head === '' ? ':' : '='}${answer.only}\n`
  const last = typed.words.at(-1) ?? ''
  const candidates =
    answer.kind === 'files' ? listFiles(last, answer, shell === 'bash') : answer.candidates.filter(isShown)
  const lines =
    shell === 'bash'
      ? bashLines(candidates, typed, LISTING.includes(request.completionType))
      : candidates.map((candidate) => (shell === 'zsh' ? zshLine(candidate, last) : fishLine(candidate)))
  return lines.map((line) => `${line}\n`).join('')
}

/** What cannot be typed is not offered: a new line in a name would be a candidate of its own. */
function isShown({ word, meaning = '' }: Candidate): boolean {
  return visibleLine(`${word}${meaning}`) === `${word}${meaning}`
}

/** The text to insert, with the blank after it; in a list, the word with its meaning. */
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

/**
 * Names of files for a word that is a path. Folders end in a slash; hidden files are listed when the word begins with a dot.
 * After `head` bash expands `~/`, other shells only at the start of a word.
 */
function listFiles(
  word: string,
  { head, only }: Extract<Answer, { kind: 'files' }>,
  tildeAfterHead: boolean,
): readonly Candidate[] {
  const path = word.slice(head.length)
  const slash = path.lastIndexOf('/') + 1
  const [folder, name] = [path.slice(0, slash), path.slice(slash)]
  const isHome = folder.startsWith('~/') && (head === '' || tildeAfterHead)
  const place = isHome ? `${homedir()}${folder.slice(1)}` : folder || '.'
  const entries = namesIn(place)
    .filter((entry) => entry.startsWith('.') === name.startsWith('.'))
    .map((entry) => ({ entry, isFolder: isFolder(`${place}/${entry}`) }))
    .filter((found) => found.isFolder || only === 'any')
    .map((found): Candidate => {
      const whole = `${head}${folder}${found.entry}`
      return found.isFolder ? { word: `${whole}/`, isOpen: true } : { word: whole }
    })
  const answer = matching(entries, word)
  return answer.kind === 'words' ? answer.candidates : []
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return [] // the folder is missing or not readable: there are no candidates
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
