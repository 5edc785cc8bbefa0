/** What an authority's refusals become, in an operator's words. */
import { expect, it } from 'vitest'
import { WlbError } from '../../../src/base/error.js'
import { type Asked, explainRefusal, parseRetryAfter, readProblem } from '../../../src/identity/acme/problem.js'

const urn = (type: string) => `urn:ietf:params:acme:error:${type}`
const DIRECTORY = 'https://acme.example.com/directory'

const refusals: [asked: Asked, status: number, type: string, outcome: string][] = [
  ['the account', 403, 'unauthorized', 'ACME_ACCOUNT_REFUSED'],
  ['the account', 400, 'invalidContact', 'ACME_ACCOUNT_REFUSED'],
  ['the account', 401, 'externalAccountRequired', 'ACME_BINDING_REQUIRED'],
  ['the account', 403, 'userActionRequired', 'ACME_TERMS_NOT_AGREED'],
  ['the account', 429, 'rateLimited', 'ACME_RATE_LIMITED'],
  ['the order', 400, 'rejectedIdentifier', 'ACME_ORDER_REFUSED'],
  ['the order', 403, 'caa', 'ACME_ORDER_REFUSED'],
  ['the order', 403, 'userActionRequired', 'ACME_TERMS_NOT_AGREED'],
  ['the order', 400, 'rateLimited', 'ACME_RATE_LIMITED'],
  ['the order', 429, 'malformed', 'ACME_RATE_LIMITED'],
  ['the order', 500, 'serverInternal', 'ACME_UNAVAILABLE'],
  ['the account', 503, '', 'ACME_UNAVAILABLE'],
  ['the order', 502, 'malformed', 'ACME_UNAVAILABLE'],
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

const deactivations: [words: string, outcome: string][] = [
  ['Account is not valid, has status "deactivated"', 'ACME_ACCOUNT_DEACTIVATED'],
  ['An account with the provided public key exists but is deactivated', 'ACME_ACCOUNT_DEACTIVATED'],
  ['account is not active', 'ACME_ACCOUNT_DEACTIVATED'],
  ['Account is not valid, has status "revoked"', 'ACME_ORDER_REFUSED'],
  ['No registration for this name', 'ACME_ORDER_REFUSED'],
]
it.each(deactivations)('unauthorized, "%s": %s', (detail, outcome) => {
  const problem = readProblem(403, {}, JSON.stringify({ type: urn('unauthorized'), detail }))
  expect(explainRefusal(new Error('its own'), problem, 'the order', DIRECTORY)).toMatchObject({ code: outcome })
})

const visits: [instance: unknown, link: string, visit: string | undefined, terms: string | undefined][] = [
  ['https://ca.example/agree?t=1', '', 'https://ca.example/agree?t=1', undefined],
  ['javascript:alert(1)', '', undefined, undefined],
  ['/agree', '<https://ca.example/t>;rel="terms-of-service"', undefined, 'https://ca.example/t'],
  [
    7,
    '<https://ca.example/i>;rel="index", <https://ca.example/t>; rel=terms-of-service',
    undefined,
    'https://ca.example/t',
  ],
]
it.each(visits)('what to open: %s, Link: %s', (instance, link, visit, terms) => {
  const problem = readProblem(
    403,
    { link },
    JSON.stringify({ type: urn('userActionRequired'), detail: 'No.', instance }),
  )
  expect(problem).toMatchObject({ visit, terms })
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
