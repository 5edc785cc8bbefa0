/** Orders one certificate (RFC 8555, 7.4): names proved, request handed in, every chain that is offered fetched. */
import type { KeyObject } from 'node:crypto'
import type { Order } from 'acme-client'
import { WlbError } from '../../base/error.js'
import { createCertificateRequest } from '../../x509/index.js'
import type { Authority } from './authority.js'
import { proveNames, type Solver } from './challenges.js'
import { type Pace, poll } from './poll.js'
import { describeProblem } from './problem.js'

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

/** A name too long for it needs no common name: pools and browsers look at the alternative names first. */
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
  if (settled.status === 'invalid') throw orderInvalid(authority.directory, settled)
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

function orderInvalid(directory: string, { error, identifiers }: Order): WlbError {
  const names = identifiers.map(({ value }) => value).join(', ')
  const { type, words } = describeProblem(error)
  return new WlbError(
    'ACME_ORDER_REFUSED',
    'The authority does not issue this certificate.',
    { directory, names, type, authoritySays: words || 'the order is invalid' },
    'wlb cert acme --name FQDN',
  )
}
