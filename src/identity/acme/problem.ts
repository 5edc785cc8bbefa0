/** What an authority says when it refuses (RFC 8555, 6.7; RFC 7807), and what that means to an operator. */
import { WlbError } from '../../base/error.js'

export interface Problem {
  readonly status: number
  /** Without its prefix: `rateLimited`; empty where the refusal is not one of ACME's. */
  readonly type: string
  /** The authority's own words, with those about each name. */
  readonly words: string
  readonly retryAfterSeconds: number | undefined
}

/** What was being asked for. */
export type Asked = 'the directory' | 'the account' | 'the order'

const PREFIX = 'urn:ietf:params:acme:error:'
const WORDS_LIMIT = 1000

export function readProblem(status: number, headers: Readonly<Record<string, string>>, text: string): Problem {
  const { type, words } = describeProblem(tryToParse(text))
  return {
    status,
    type,
    words: words || `HTTP status ${status}`,
    retryAfterSeconds: parseRetryAfter(headers['retry-after']),
  }
}

/** Also for the `error` of a challenge or an order, which is such a document. */
export function describeProblem(document: unknown): { readonly type: string; readonly words: string } {
  const type = textOf(document, 'type')
  const about = listOf(document, 'subproblems').map((one) => {
    const name = textOf(fieldOf(one, 'identifier'), 'value')
    return `${name && `${name}: `}${textOf(one, 'detail')}`
  })
  const words = [textOf(document, 'detail') || textOf(document, 'title'), ...about].filter(Boolean).join('; ')
  return {
    type: type.startsWith(PREFIX) ? type.slice(PREFIX.length) : '',
    words: words.replace(/\p{Cc}+/gu, ' ').slice(0, WORDS_LIMIT),
  }
}

/** Seconds, or a date (RFC 9110, 10.2.3); undefined where nothing sensible is said. */
export function parseRetryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined || header === '') return undefined
  const seconds = /^[0-9]+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1000)
  return Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : undefined
}

/** What went wrong between the library and the authority, in an operator's words. */
export function explainRefusal(error: unknown, problem: Problem | undefined, asked: Asked, directory: string): unknown {
  if (error instanceof WlbError) return error
  if (!problem) {
    const why = error instanceof Error ? error.message : String(error)
    return answerUnusable(directory, asked, why, error)
  }
  if (problem.type === 'rateLimited' || problem.status === 429) return rateLimited(directory, asked, problem)
  if (problem.type === 'userActionRequired') return termsChanged(directory, problem)
  switch (asked) {
    case 'the directory':
      return answerUnusable(directory, asked, problem.words, error)
    case 'the account':
      return accountRefused(directory, problem)
    case 'the order':
      return orderRefused(directory, problem)
  }
}

function tryToParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fieldOf(document: unknown, name: string): unknown {
  return typeof document === 'object' && document !== null ? Reflect.get(document, name) : undefined
}

function textOf(document: unknown, name: string): string {
  const value = fieldOf(document, name)
  return typeof value === 'string' ? value : ''
}

function listOf(document: unknown, name: string): readonly unknown[] {
  const value = fieldOf(document, name)
  return Array.isArray(value) ? value.slice(0, 100) : []
}

function answerUnusable(directory: string, asked: Asked, why: string, cause: unknown): WlbError {
  return new WlbError(
    'ACME_ANSWER_UNUSABLE',
    'The authority’s answer cannot be used.',
    { directory, asked, why },
    `curl -v ${directory}`,
    cause,
  )
}

function rateLimited(directory: string, asked: Asked, { words, retryAfterSeconds }: Problem): WlbError {
  return new WlbError(
    'ACME_RATE_LIMITED',
    'The authority has been asked too often and wants to be left alone for a while.',
    { directory, asked, authoritySays: words, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) },
    'wlb cert acme   # later',
  )
}

function termsChanged(directory: string, { words }: Problem): WlbError {
  return new WlbError(
    'ACME_TERMS_NOT_AGREED',
    'The authority wants its terms of service agreed to first.',
    { directory, authoritySays: words },
    'wlb cert acme --agree-tos',
  )
}

function accountRefused(directory: string, { type, words }: Problem): WlbError {
  return new WlbError(
    'ACME_ACCOUNT_REFUSED',
    'The authority gives this appliance no account.',
    { directory, type, authoritySays: words },
    'wlb cert acme --email ADDRESS',
  )
}

function orderRefused(directory: string, { type, words }: Problem): WlbError {
  return new WlbError(
    'ACME_ORDER_REFUSED',
    'The authority does not issue this certificate.',
    { directory, type, authoritySays: words },
    'wlb cert acme --name FQDN',
  )
}
