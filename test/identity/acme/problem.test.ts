/** What an authority's refusals become, in an operator's words. */
import { expect, it } from 'vitest'
import { WlbError } from '../../../src/base/error.js'
import { type Asked, explainRefusal, parseRetryAfter, readProblem } from '../../../src/identity/acme/problem.js'

const urn = (type: string) => `urn:ietf:params:acme:error:${type}`
const DIRECTORY = 'https://acme.example.com/directory'

const refusals: [asked: Asked, status: number, type: string, outcome: string][] = [
  ['the account', 403, 'unauthorized', 'ACME_ACCOUNT_REFUSED'],
  ['the account', 400, 'invalidContact', 'ACME_ACCOUNT_REFUSED'],
  ['the account', 401, 'externalAccountRequired', 'ACME_ACCOUNT_REFUSED'],
  ['the account', 403, 'userActionRequired', 'ACME_TERMS_NOT_AGREED'],
  ['the account', 429, 'rateLimited', 'ACME_RATE_LIMITED'],
  ['the order', 400, 'rejectedIdentifier', 'ACME_ORDER_REFUSED'],
  ['the order', 403, 'caa', 'ACME_ORDER_REFUSED'],
  ['the order', 403, 'userActionRequired', 'ACME_TERMS_NOT_AGREED'],
  ['the order', 400, 'rateLimited', 'ACME_RATE_LIMITED'],
  ['the order', 429, 'malformed', 'ACME_RATE_LIMITED'],
  ['the order', 500, 'serverInternal', 'ACME_ORDER_REFUSED'],
]
it.each(refusals)('%s, %i %s: %s', (asked, status, type, outcome) => {
  const problem = readProblem(status, { 'retry-after': '60' }, JSON.stringify({ type: urn(type), detail: 'Because.' }))
  const told = explainRefusal(new Error('its own'), problem, asked, DIRECTORY)
  expect(told).toBeInstanceOf(WlbError)
  expect(told).toMatchObject({ code: outcome, facts: { authoritySays: 'Because.' } })
  if (outcome === 'ACME_RATE_LIMITED') expect(told).toMatchObject({ facts: { retryAfterSeconds: 60 } })
})

it('an answer that is no refusal and of no use', () => {
  expect(explainRefusal(new Error('no nonce'), undefined, 'the order', DIRECTORY)).toMatchObject({
    code: 'ACME_ANSWER_UNUSABLE',
    facts: { why: 'no nonce' },
  })
})

const words: [text: string, words: string][] = [
  ['{"detail":"No."}', 'No.'],
  ['{"title":"No."}', 'No.'],
  [
    '{"detail":"Some.","subproblems":[{"detail":"Not this.","identifier":{"type":"dns","value":"a.example"}}]}',
    'Some.; a.example: Not this.',
  ],
  ['{"detail":"a\\u001b[31mb\\nc"}', 'a [31mb c'],
  ['<html>', 'HTTP status 503'],
  ['[]', 'HTTP status 503'],
  ['null', 'HTTP status 503'],
  ['{"detail":{},"subproblems":7}', 'HTTP status 503'],
]
it.each(words)('the words of %s', (text, expected) => {
  expect(readProblem(503, {}, text).words).toBe(expected)
})

const NOW = Date.parse('2026-01-01T00:00:00Z')
const waits: [header: string | undefined, seconds: number | undefined][] = [
  ['120', 120],
  ['Thu, 01 Jan 2026 00:01:00 GMT', 60],
  ['Wed, 31 Dec 2025 00:00:00 GMT', undefined],
  ['soon', undefined],
  ['-5', undefined],
  ['', undefined],
  [undefined, undefined],
]
it.each(waits)('Retry-After: %s', (header, seconds) => {
  expect(parseRetryAfter(header, NOW)).toBe(seconds)
})
