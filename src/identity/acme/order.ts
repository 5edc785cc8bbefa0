/** Orders one certificate (RFC 8555, 7.4): proves the names, submits the request, fetches every chain that is offered. */
import type { KeyObject } from 'node:crypto'
import type { Authorization, Order } from 'acme-client'
import { createCertificateRequest } from '../../x509/index.js'
import { fail } from '../errors.js'
import { type Authority, type Pace, poll } from './authority.js'
import { describeProblem } from './problem.js'
import type { Solver } from './solver.js'

/** ub-common-name, RFC 5280, appendix A.1. */
const COMMON_NAME_LIMIT = 64
const ALTERNATES_LIMIT = 8

/**
 * Returns the chains in PEM, the one the authority prefers first.
 *
 * @throws ACME_ORDER_REFUSED, ACME_ORDER_TIMEOUT, ACME_RATE_LIMITED, and what `proveNames` throws.
 */
export async function orderChains(
  authority: Authority,
  options: {
    readonly names: readonly string[]
    readonly key: KeyObject
    readonly solver: Solver
    readonly pace: Pace
    readonly onStep: (step: 'order' | 'prove' | 'issue') => void
  },
): Promise<string[]> {
  const { names, key, solver, pace, onStep } = options
  onStep('order')
  const identifiers = names.map((value) => ({ type: 'dns', value: value.toLowerCase() }))
  const ordered = await authority.ask('the order', (client) => client.createOrder({ identifiers }))
  if (ordered.status === 'pending') {
    onStep('prove')
    const authorizations = await authority.ask('the order', (client) => client.getAuthorizations(ordered))
    await proveNames(authority, authorizations, solver, pace)
  }
  const ready = await awaitStatus(authority, pace, ordered, 'the order', ['ready', 'processing', 'valid'])
  onStep('issue')
  if (ready.status === 'ready') {
    const request = await createRequest(names, key)
    await authority.ask('the order', (client) => client.finalizeOrder(ready, request))
  }
  const valid = await awaitStatus(authority, pace, ordered, 'the certificate', ['valid'])
  return fetchChains(authority, valid)
}

/** Without a common name where every name is too long for it: pools and browsers check the alternative names first. */
function createRequest(names: readonly string[], key: KeyObject): Promise<string> {
  const commonName = names.find((name) => name.length <= COMMON_NAME_LIMIT)
  const subject = commonName === undefined ? {} : { commonName }
  return createCertificateRequest({ subject, dnsNames: names, ipAddresses: [] }, key)
}

async function awaitStatus(
  authority: Authority,
  pace: Pace,
  order: Order,
  what: string,
  wanted: readonly Order['status'][],
): Promise<Order> {
  const settled = await poll(authority, pace, what, async () => {
    const read = await authority.ask('the order', (client) => client.getOrder(order))
    return read.status === 'invalid' || wanted.includes(read.status) ? read : undefined
  })
  if (settled.status === 'invalid') {
    const names = settled.identifiers.map(({ value }) => value).join(', ')
    const { type, words } = describeProblem(settled.error)
    const authoritySays = words || 'the order is invalid'
    throw fail('ACME_ORDER_REFUSED', { directory: authority.directory, names, type, authoritySays })
  }
  return settled
}

async function fetchChains(authority: Authority, order: Order): Promise<string[]> {
  const preferred = await authority.ask('the order', (client) => client.getCertificate(order))
  const chains = [preferred]
  for (const certificate of authority.wire.alternates.slice(0, ALTERNATES_LIMIT)) {
    chains.push(await authority.ask('the order', (client) => client.getCertificate({ ...order, certificate })))
  }
  return chains
}

/** @throws ACME_CHALLENGE_NOT_OFFERED, ACME_CHALLENGE_FAILED, ACME_HOOK_FAILED, ACME_ORDER_TIMEOUT. */
async function proveNames(
  authority: Authority,
  authorizations: readonly Authorization[],
  solver: Solver,
  pace: Pace,
): Promise<void> {
  for (const authorization of authorizations) {
    // the others were proved for an earlier order
    if (authorization.status !== 'valid') await proveName(authority, authorization, solver, pace)
  }
}

async function proveName(
  authority: Authority,
  authorization: Authorization,
  solver: Solver,
  pace: Pace,
): Promise<void> {
  const name = authorization.identifier.value
  const challenge = authorization.challenges.find(({ type }) => type === solver.type)
  if (!challenge) {
    const offered = authorization.challenges.map(({ type }) => type).join(', ')
    throw fail('ACME_CHALLENGE_NOT_OFFERED', { name, type: solver.type, offered })
  }
  const proof = await authority.ask('the order', (client) => client.getChallengeKeyAuthorization(challenge))
  const takeBack = await solver.show(name, challenge.token, proof)
  let failed = true
  try {
    await authority.ask('the order', (client) => client.completeChallenge(challenge))
    const settled = await poll(authority, pace, `the proof of ${name}`, () => readAgain(authority, authorization))
    if (settled.status !== 'valid') {
      const refused = settled.challenges.find(({ error }) => error !== undefined)
      const authoritySays = describeProblem(refused?.error).words || `the authorization is ${settled.status}`
      throw fail('ACME_CHALLENGE_FAILED', { name, type: solver.type, authoritySays, check: solver.advise(name) })
    }
    failed = false
  } finally {
    // a proof that could not be removed is reported, unless there is a worse error to report
    await takeBack().catch((error: unknown) => {
      if (!failed) throw error
    })
  }
}

/** Undefined while the authority has not decided. */
async function readAgain(authority: Authority, { url }: Authorization): Promise<Authorization | undefined> {
  const order = { url: '', status: 'pending' as const, identifiers: [], authorizations: [url], finalize: '' }
  const [read] = await authority.ask('the order', (client) => client.getAuthorizations(order))
  return read?.status === 'pending' ? undefined : read
}
