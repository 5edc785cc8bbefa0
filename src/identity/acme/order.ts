/** Orders one certificate (RFC 8555, 7.4): proves the names, submits the request, fetches every chain that is offered. */
import type { KeyObject } from 'node:crypto'
import type { Authorization, Order } from 'acme-client'
import { WlbError } from '../../base/error.js'
import { COMMON_NAME_LIMIT } from '../../base/names/host-name.js'
import { createCertificateRequest } from '../../x509/index.js'
import { fail } from '../errors.js'
import { type Authority, poll } from './authority.js'
import { describeProblem } from './problem.js'
import type { Solver } from './solver.js'

const ALTERNATES_LIMIT = 8

export interface OrderOptions {
  readonly names: readonly string[]
  readonly key: KeyObject
  readonly solver: Solver
  /** The kind of certificate, where the authority has several. */
  readonly profile?: string | undefined
  /** What the new certificate takes the place of (RFC 9773, 5), so that authorities do not count it as one more. */
  readonly replaces?: string | undefined
  readonly onStep: (step: 'order' | 'prove' | 'issue') => void
}

/**
 * Returns the chains in PEM, the one the authority prefers first.
 *
 * @throws ACME_ORDER_REFUSED, ACME_ORDER_TIMEOUT, ACME_PROFILE_UNKNOWN, ACME_RATE_LIMITED, and what `proveNames` throws.
 */
export async function orderChains(authority: Authority, options: OrderOptions): Promise<string[]> {
  const { names, key, solver, onStep } = options
  onStep('order')
  const ordered = await createOrder(authority, options)
  if (ordered.status === 'pending') {
    onStep('prove')
    const authorizations = await authority.ask('the order', (client) => client.getAuthorizations(ordered))
    await proveNames(authority, authorizations, solver)
  }
  await awaitOrder(authority, ordered, 'the order', async ({ status }) => status !== 'pending')
  onStep('issue')
  const request = await createRequest(names, key)
  let isSubmitted = false
  const valid = await awaitOrder(authority, ordered, 'the certificate', async (order) => {
    if (order.status === 'ready' && !isSubmitted) isSubmitted = await submit(authority, order, request)
    return order.status === 'valid'
  })
  return fetchChains(authority, valid)
}

async function createOrder(authority: Authority, { names, profile, replaces }: OrderOptions): Promise<Order> {
  const { directory, offers } = authority
  if (profile !== undefined && !offers.profiles.includes(profile)) {
    throw fail('ACME_PROFILE_UNKNOWN', { directory, profile, offered: offers.profiles.join(', ') || 'none' })
  }
  const wish = {
    identifiers: names.map((value) => ({ type: 'dns', value: value.toLowerCase() })),
    ...(profile !== undefined && { profile }),
  }
  if (replaces !== undefined && offers.renewalInfo !== undefined) {
    const replacing = { ...wish, replaces }
    try {
      return await authority.ask('the order', (client) => client.createOrder(replacing))
    } catch (error) {
      // of another authority, or replaced already (RFC 9773, 5): it is ordered without the hint
      if (!(error instanceof WlbError) || error.code !== 'ACME_ORDER_REFUSED') throw error
    }
  }
  return authority.ask('the order', (client) => client.createOrder(wish))
}

/**
 * False where the order is not ready although it was called so: some authorities mark it later than its authorizations. Then
 * it is looked at again (RFC 8555, 7.4).
 */
async function submit(authority: Authority, order: Order, request: string): Promise<boolean> {
  try {
    await authority.ask('the order', (client) => client.finalizeOrder(order, request))
    return true
  } catch (error) {
    if (authority.wire.problem?.type === 'orderNotReady') return false
    throw error
  }
}

/** Without a common name where every name is too long for it: pools and browsers check the alternative names first. */
function createRequest(names: readonly string[], key: KeyObject): Promise<string> {
  const commonName = names.find((name) => name.length <= COMMON_NAME_LIMIT)
  const subject = commonName === undefined ? {} : { commonName }
  return createCertificateRequest({ subject, dnsNames: names, ipAddresses: [] }, key)
}

/** Reads the order until `isSettled` says that it has come far enough. */
async function awaitOrder(
  authority: Authority,
  order: Order,
  what: string,
  isSettled: (read: Order) => Promise<boolean>,
): Promise<Order> {
  const settled = await poll(authority, what, async () => {
    const read = await authority.ask('the order', (client) => client.getOrder(order))
    return read.status === 'invalid' || (await isSettled(read)) ? read : undefined
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
  const fetchChain = (of: Order) =>
    poll(authority, 'the certificate', () => authority.ask('the order', (client) => client.getCertificate(of)))
  const preferred = await fetchChain(order)
  const chains = [preferred]
  for (const certificate of authority.wire.alternates.slice(0, ALTERNATES_LIMIT)) {
    chains.push(await fetchChain({ ...order, certificate }))
  }
  return chains
}

/** @throws ACME_CHALLENGE_NOT_OFFERED, ACME_CHALLENGE_FAILED, ACME_HOOK_FAILED, ACME_ORDER_TIMEOUT. */
async function proveNames(
  authority: Authority,
  authorizations: readonly Authorization[],
  solver: Solver,
): Promise<void> {
  for (const authorization of authorizations) {
    // the others were proved for an earlier order
    if (authorization.status !== 'valid') await proveName(authority, authorization, solver)
  }
}

async function proveName(authority: Authority, authorization: Authorization, solver: Solver): Promise<void> {
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
    const settled = await poll(authority, `the proof of ${name}`, () => readAgain(authority, authorization))
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
