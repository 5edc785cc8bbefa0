/**
 * The words up to the cursor, without their quotes. zsh and fish pass whole words; bash cuts them
 * at every character of COMP_WORDBREAKS, `=` and `:` among them, and replaces the last piece only (bash(1), completion).
 */

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export interface Request {
  readonly shell: Shell
  /** As the shell has them, the program first and the one at the cursor last. */
  readonly words: readonly string[]
  /** Of bash: COMP_LINE up to COMP_POINT, where it is known; COMP_WORDBREAKS; COMP_TYPE. */
  readonly line: string
  readonly breaks: string
  readonly completionType: string
}

export interface Typed {
  readonly words: readonly string[]
  /** Of the last word, what stays as it is: the shell replaces what comes after. */
  readonly kept: string
  /** The quote that is still open. */
  readonly quote: Quote
}

export type Quote = '' | "'" | '"'

const DEFAULT_BREAKS = ' \t\n"\'><=;|&(:'

export function readTyped(request: Request): Typed {
  const { shell, words } = request
  if (shell === 'zsh') return { words, kept: '', quote: '' }
  if (shell === 'fish') {
    const last = readWord(words.at(-1) ?? '', '')
    return { words: [...words.slice(0, -1), last.text], kept: '', quote: '' }
  }
  const breaks = request.breaks || DEFAULT_BREAKS
  const raw = rawWords(request)
  const read = raw.map((word) => readWord(word, breaks))
  const { kept, quote } = read.at(-1) ?? { kept: '', quote: '' }
  return { words: read.map(({ text }) => text), kept, quote }
}

/** Splits the line itself, because bash's pieces are the same for `uuid=` and `uuid= `. */
function rawWords({ words, line }: Request): string[] {
  const pieces = splitLine(line)
  const program = pieces.indexOf(words[0] ?? '')
  return program >= 0 ? pieces.slice(program) : joinPieces(words)
}

function joinPieces(words: readonly string[]): string[] {
  const joined: string[] = []
  let isGlued = false
  for (const [index, word] of words.entries()) {
    const isBreak = index > 0 && /^[=:]+$/.test(word)
    if (index > 0 && (isBreak || isGlued)) joined.push(`${joined.pop() ?? ''}${word}`)
    else joined.push(word)
    isGlued = isBreak
  }
  return joined
}

/** At blanks outside quotes; a blank at the end begins an empty word. */
function splitLine(line: string): string[] {
  const words: string[] = []
  let [word, quote]: [string, Quote] = ['', '']
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at)
    if (character === '\\' && quote !== "'") word += character + line.charAt(++at)
    else if (quote === '' && /\s/.test(character)) {
      if (word !== '') words.push(word)
      word = ''
    } else {
      quote = nextQuote(quote, character)
      word += character
    }
  }
  return line === '' ? [] : [...words, word]
}

function nextQuote(quote: Quote, character: string): Quote {
  if (character !== "'" && character !== '"') return quote
  if (quote === '') return character
  return quote === character ? '' : quote
}

interface ReadWord {
  readonly text: string
  readonly kept: string
  readonly quote: Quote
}

function readWord(raw: string, breaks: string): ReadWord {
  let [text, kept, beforeQuote, quote]: [string, string, string, Quote] = ['', '', '', '']
  for (let at = 0; at < raw.length; at++) {
    const character = raw.charAt(at)
    if (character === '\\' && isEscape(quote, raw.charAt(at + 1))) text += raw.charAt(++at)
    else if (nextQuote(quote, character) !== quote) {
      quote = nextQuote(quote, character)
      beforeQuote = text
    } else {
      text += character
      if (quote === '' && breaks.includes(character)) kept = text
    }
  }
  return { text, kept: quote === '' ? kept : beforeQuote, quote }
}

function isEscape(quote: Quote, next: string): boolean {
  return quote === '' || (quote === '"' && next !== '' && '"$`\\'.includes(next))
}
