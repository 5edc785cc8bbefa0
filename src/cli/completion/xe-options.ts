/** The options of the `xe` client among the typed words; all other words are for the pool. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { OPTIONS, SWITCHES } from '../xe/settings.js'
import { type Answer, type Candidate, matching, NOTHING } from './answer.js'

export interface ClientOptions {
  readonly options: readonly string[]
  readonly password?: string
}

export interface SortedWords {
  readonly client: ClientOptions
  /** The command, then what it was given. */
  readonly rest: readonly string[]
  /** The option whose value comes next. */
  readonly waiting: string | undefined
}

/** Options that select server and user; traces are left out. */
const ASKED_WITH = ['server', 'port', 'username', 'password', 'passwordfile', 'cacert', 'fingerprint', 'nossl']
/** As keys these are the client's everywhere; `fingerprint=` may be a filter. */
const KEYS = ['server', 'port', 'username', 'password', 'passwordfile', 'nossl']
const FILE_KEYS = ['passwordfile', 'cacert']

const MEANINGS: readonly Candidate[] = [
  { word: '-s', meaning: 'the server: the coordinator, or this host if left out' },
  { word: '-p', meaning: 'its port' },
  { word: '-u', meaning: 'the user name' },
  { word: '-pw', meaning: 'the password' },
  { word: '-pwf', meaning: 'a file with user name and password, a line each' },
  { word: '--nossl', meaning: 'plain TCP, no TLS' },
  { word: '--cacert', meaning: "the authority of the server's certificate" },
  { word: '--fingerprint', meaning: "the server's certificate, known beforehand" },
  { word: '--debug', meaning: 'show what is said' },
  { word: '--debug-on-fail', meaning: 'the same, only after a failure' },
  { word: '--traceparent', meaning: 'context of a distributed trace' },
]

/** The shell leaves `~/` to us: it completes words as they are typed. */
function inHome(word: string): string {
  return word.startsWith('~/') ? join(homedir(), word.slice(2)) : word
}

/** Sorts the words before the cursor. */
export function sortWords(words: readonly string[]): SortedWords {
  const [options, rest]: [string[], string[]] = [[], []]
  let [password, waiting]: [string | undefined, string | undefined] = [undefined, undefined]
  for (const word of words) {
    const equals = word.indexOf('=')
    const key = word.slice(0, Math.max(equals, 0))
    if (waiting !== undefined) {
      const meant = OPTIONS[waiting] ?? ''
      if (meant === 'password') password = word
      else if (ASKED_WITH.includes(meant)) options.push(waiting, inHome(word))
      waiting = undefined
    } else if (Object.hasOwn(OPTIONS, word)) waiting = word
    else if (Object.hasOwn(SWITCHES, word)) {
      if (ASKED_WITH.includes(SWITCHES[word] ?? '')) options.push(word)
    } else if (key === 'password') password = word.slice(equals + 1)
    else if (KEYS.includes(key)) options.push(word)
    else rest.push(word)
  }
  return { client: { options, ...(password !== undefined && { password }) }, rest, waiting }
}

/** The value of an option, where it can be known. */
export function completeOptionValue(option: string): Answer {
  return FILE_KEYS.includes(OPTIONS[option] ?? '') ? { kind: 'files', head: '', only: 'any' } : NOTHING
}

export function completeClientOption(typed: string): Answer {
  return matching(MEANINGS, typed)
}
