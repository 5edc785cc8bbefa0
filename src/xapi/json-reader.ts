/**
 * Reads a JSON object (RFC 8259) as values of XenAPI, in steps, so that a large answer does not hold up everything else, and
 * within limits, so that a hostile one costs no more than an honest one. JSON.parse can do neither, rounds 64-bit ints, and does
 * not tell `60` from `60.0`.
 */
import { fail } from './errors.js'
import { type ApiValue, MAX_DEPTH } from './value.js'

/** A null member of the outermost object means something; further inside, some clients write void as null. */
export type JsonMembers = ReadonlyMap<string, ApiValue | null>

/** An int of 64 bits has 19 digits and a sign. */
const DIGITS_LIMIT = 20
/** Of a float, as anybody writes one. */
const FLOAT_LIMIT = 40
/** The longest text of a pool is a bundle of certificates. */
const STRING_LIMIT = 4 * 1024 * 1024
/** Records of one class: more than any pool has. */
const MEMBERS_LIMIT = 100_000
/** An answer of 64 MiB with records has four million. */
const TOKENS_LIMIT = 8_000_000

/** A few milliseconds of work. */
const STEP_TOKENS = 20_000

/** @throws RPC_MALFORMED when the text is no JSON object, or exceeds a limit. */
export function readJsonMembers(text: string): JsonMembers {
  const reader = new JsonReader(text)
  while (!reader.advance(STEP_TOKENS));
  return reader.members
}

/** The same, with other work done in between. */
export async function readJsonMembersInSteps(text: string): Promise<JsonMembers> {
  const reader = new JsonReader(text)
  while (!reader.advance(STEP_TOKENS)) await new Promise((resolve) => setImmediate(resolve))
  return reader.members
}

interface Open {
  readonly kind: 'set' | 'map'
  readonly items: (ApiValue | null)[]
  /** Of a map, one for each item. */
  readonly names: string[]
}

/** What may come next. */
type Place = 'value' | 'first item' | 'first name' | 'name' | 'colon' | 'after value' | 'end'

class JsonReader {
  readonly members = new Map<string, ApiValue | null>()
  readonly #text: string
  readonly #open: Open[] = []
  #at = 0
  #tokens = 0
  #place: Place = 'value'

  constructor(text: string) {
    this.#text = text
  }

  /** Reads up to `tokens` more. Returns whether the document is over. */
  advance(tokens: number): boolean {
    for (let left = tokens; left > 0; left--) {
      this.#skipBlanks()
      if (this.#place === 'end') {
        if (this.#at < this.#text.length) throw this.#malformed('something behind the end')
        return true
      }
      if (++this.#tokens > TOKENS_LIMIT) throw malformed(`more than ${TOKENS_LIMIT} values and signs`)
      this.#readToken()
    }
    return false
  }

  #readToken(): void {
    const sign = this.#text[this.#at]
    switch (this.#place) {
      case 'first name':
      case 'name':
        if (sign === '}' && this.#place === 'first name') this.#close()
        else this.#readName(sign)
        break
      case 'colon':
        if (sign !== ':') throw this.#malformed('no colon')
        this.#at++
        this.#place = 'value'
        break
      case 'after value':
        this.#readSeparator(sign)
        break
      default:
        if (sign === ']' && this.#place === 'first item') this.#close()
        else this.#readValue(sign)
    }
  }

  #readName(sign: string | undefined): void {
    if (sign !== '"') throw this.#malformed('no name')
    this.#open.at(-1)?.names.push(this.#readString())
    this.#place = 'colon'
  }

  #readSeparator(sign: string | undefined): void {
    const isMap = this.#open.at(-1)?.kind === 'map'
    if (sign === (isMap ? '}' : ']')) {
      this.#close()
      return
    }
    if (sign !== ',') throw this.#malformed('no comma')
    this.#at++
    this.#place = isMap ? 'name' : 'value'
  }

  #readValue(sign: string | undefined): void {
    if (this.#open.length === 0 && sign !== '{')
      throw malformed(`no JSON object: it begins with ${JSON.stringify(this.#text.trimStart().slice(0, 10))}`)
    if (sign === '{' || sign === '[') {
      if (this.#open.length > MAX_DEPTH) throw malformed(`more than ${MAX_DEPTH} levels`)
      this.#open.push({ kind: sign === '{' ? 'map' : 'set', items: [], names: [] })
      this.#place = sign === '{' ? 'first name' : 'first item'
      this.#at++
    } else if (sign === '"') this.#add(this.#readString())
    else this.#add(this.#readPlain())
  }

  #add(value: ApiValue | null): void {
    const open = this.#open.at(-1)
    if (!open) return
    open.items.push(value === null && this.#open.length > 1 ? '' : value)
    if (open.items.length > MEMBERS_LIMIT) throw malformed(`more than ${MEMBERS_LIMIT} members`)
    this.#place = 'after value'
  }

  #close(): void {
    this.#at++
    const closed = this.#open.pop()
    if (!closed) return
    const { kind, items, names } = closed
    if (this.#open.length === 0) {
      for (const [index, name] of names.entries()) this.members.set(name, items[index] ?? null)
      this.#place = 'end'
      return
    }
    const values = items.map((item) => item ?? '')
    this.#add(kind === 'set' ? values : Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])))
  }

  #readString(): string {
    const start = this.#at
    let end = start
    do {
      end = this.#text.indexOf('"', end + 1)
      if (end < 0) throw this.#malformed('a string without an end')
      if (end - start > STRING_LIMIT) throw malformed(`a string of more than ${STRING_LIMIT} characters`)
    } while (isEscaped(this.#text, end))
    this.#at = end + 1
    try {
      const value: unknown = JSON.parse(this.#text.slice(start, end + 1))
      if (typeof value === 'string') return value
    } catch {
      this.#at = start
    }
    throw this.#malformed('a string that is none')
  }

  #readPlain(): ApiValue | null {
    PLAIN.lastIndex = this.#at
    const [word = ''] = PLAIN.exec(this.#text) ?? []
    if (word in WORDS) {
      this.#at += word.length
      return WORDS[word] ?? null
    }
    const [whole, digits = '', rest = ''] = NUMBER.exec(word) ?? []
    if (word.length > FLOAT_LIMIT) throw malformed(`a number of more than ${FLOAT_LIMIT} digits`)
    if (whole === undefined) throw this.#malformed('no value')
    if (rest === '' && digits.length > DIGITS_LIMIT) throw malformed(`an int of more than ${DIGITS_LIMIT} digits`)
    this.#at += word.length
    return rest === '' ? BigInt(word) : Number(word)
  }

  #skipBlanks(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    }
  }

  #malformed(what: string): Error {
    return malformed(`no JSON: ${what}, at character ${this.#at}`)
  }
}

const WORDS: Readonly<Record<string, boolean | null>> = Object.assign(Object.create(null), {
  true: true,
  false: false,
  null: null,
})
/** One character more than a number may have. */
const PLAIN = /[-+.0-9a-zA-Z]{0,41}/y
const NUMBER = /^-?(0|[1-9]\d*)((?:\.\d+)?(?:[eE][+-]?\d+)?)$/

const malformed = (reason: string) => fail('RPC_MALFORMED', { reason })

function isEscaped(text: string, quote: number): boolean {
  let before = quote
  while (text[before - 1] === '\\') before--
  return (quote - before) % 2 === 1
}
