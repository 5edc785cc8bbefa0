/** Reads the error documents of an ACME authority (RFC 8555, 6.7; RFC 7807) and turns them into errors of ours. */
import { WlbError } from '../../base/error.js'
import { fail } from '../errors.js'

export interface Problem {
  readonly status: number
  /** Without its prefix: `rateLimited`; empty where the refusal is not one of ACME's. */
  readonly type: string
  /** The authority's own words, with those about each name. */
  readonly words: string
  readonly retryAfterSeconds: number | undefined
  /** What a person has to open in a browser (RFC 8555, 6.7.3 and 7.3.3). */
  readonly visit: string | undefined
  /** The terms of service as they are now. */
  readonly terms: string | undefined
}

/** What the request was about. */
export type Asked = 'the directory' | 'the account' | 'the order'

const PREFIX = 'urn:ietf:params:acme:error:'
const WORDS_LIMIT = 1000

export function readProblem(status: number, headers: Readonly<Record<string, string>>, text: string): Problem {
  const document = tryToParse(text)
  const { type, words } = describeProblem(document)
  return {
    status,
    type,
    words: words || `HTTP status ${status}`,
    retryAfterSeconds: parseRetryAfter(headers['retry-after']),
    visit: readAddress(textOf(document, 'instance')),
    terms: readLinks(headers.link ?? '', 'terms-of-service').flatMap((link) => readAddress(link) ?? [])[0],
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

/** Seconds, or a date (RFC 9110, 10.2.3); undefined where it is neither. */
export function parseRetryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined || header === '') return undefined
  const seconds = /^[0-9]+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1000)
  return Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : undefined
}

/** The targets of `<https://ca.example/cert/1/alt>;rel="alternate"` of one kind; they may be relative (RFC 8288, 3.1). */
export function readLinks(header: string, relation: string): string[] {
  const links = [...header.matchAll(/<([^>]*)>\s*;\s*([^<]*)/g)]
  return links.flatMap(([, target = '', parameters = '']) => {
    const [, quoted, bare = quoted] = /\brel\s*=\s*(?:"([^"]*)"|([^\s;,]+))/i.exec(parameters) ?? []
    return bare?.toLowerCase() === relation ? [target] : []
  })
}

function readAddress(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && ['https:', 'http:'].includes(url.protocol) ? url.href : undefined
}

/** Turns an error of the ACME library into one of ours. */
export function explainRefusal(error: unknown, problem: Problem | undefined, asked: Asked, directory: string): unknown {
  if (error instanceof WlbError) return error
  if (!problem) {
    const why = error instanceof Error ? error.message : String(error)
    return fail('ACME_ANSWER_UNUSABLE', { directory, asked, why }, error)
  }
  const { type, words: authoritySays, status, retryAfterSeconds, visit, terms } = problem
  if (type === 'rateLimited' || status === 429) {
    return fail('ACME_RATE_LIMITED', { directory, asked, authoritySays, retryAfterSeconds })
  }
  if (status >= 500) return fail('ACME_UNAVAILABLE', { directory, asked, authoritySays, retryAfterSeconds })
  if (type === 'userActionRequired') return fail('ACME_TERMS_NOT_AGREED', { directory, terms, visit, authoritySays })
  if (type === 'externalAccountRequired') return fail('ACME_BINDING_REQUIRED', { directory, authoritySays })
  if (type === 'unauthorized' && DEACTIVATED.test(authoritySays)) {
    return fail('ACME_ACCOUNT_DEACTIVATED', { directory, authoritySays })
  }
  switch (asked) {
    case 'the directory':
      return fail('ACME_ANSWER_UNUSABLE', { directory, asked, why: authoritySays }, error)
    case 'the account':
      return fail('ACME_ACCOUNT_REFUSED', { directory, type, authoritySays })
    case 'the order':
      return fail('ACME_ORDER_REFUSED', { directory, type, authoritySays })
  }
}

/** ACME has no type of its own for this: `unauthorized` stands for much else (RFC 8555, 7.3.6). */
const DEACTIVATED = /\bdeactivated\b|\baccount is not active\b/i

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
