/** Orders one certificate (RFC 8555, 7.4): names proved, request handed in, every chain that is offered fetched. */
import type { KeyObject } from 'node:crypto'
import type { Authorization, Order } from 'acme-client'
import { WlbError } from '../../base/error.js'
import type { AcmeSettings } from '../../config/acme-settings.js'
import { createCertificateRequest } from '../../x509/index.js'
import { type Authority, type Pace, poll } from './authority.js'
import { describeProblem } from './problem.js'
import { type ChallengeServer, callHook, type HookLimits, startChallengeServer } from './solver.js'

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

export interface Solver {
  readonly type: 'http-01' | 'dns-01'
  /** Shows the proof of a name; what it returns takes it back. */
  show(name: string, token: string, proof: string): Promise<() => Promise<void>>
  /** What to look at when the authority has not seen it. */
  advise(name: string): string
  close(): Promise<void>
}

/** Opened before anything is ordered: a port that is taken costs no order. */
export async function openSolver({ challenge }: AcmeSettings, hookLimits: HookLimits): Promise<Solver> {
  if (challenge.type === 'http-01') return httpSolver(await startChallengeServer(challenge), challenge)
  return {
    type: 'dns-01',
    show: async (name, _token, proof) => {
      await callHook(challenge, 'add', name, proof, hookLimits)
      return () => callHook(challenge, 'remove', name, proof, { timeoutMs: hookLimits.timeoutMs })
    },
    advise: (name) =>
      `the authority’s resolver must find the TXT record _acme-challenge.${name} when ${challenge.hook} has ended: dig TXT _acme-challenge.${name}`,
    close: async () => {},
  }
}

function httpSolver(
  server: ChallengeServer,
  { address, port }: { readonly address: string; readonly port: number },
): Solver {
  return {
    type: 'http-01',
    show: async (_name, token, proof) => {
      const takeBack = server.show(token, proof)
      return async () => takeBack()
    },
    advise: (name) =>
      server.shown() > 0
        ? `the proof was asked for here ${server.shown()} times and shown: the authority looks from several places, and not all of them reach port 80 of ${name}`
        : `nobody has asked for the proof here: the name ${name} must lead to this machine, and its port 80 to ${address} port ${port}, through every firewall between`,
    close: () => server.close(),
  }
}

/** @throws ACME_CHALLENGE_NOT_OFFERED, ACME_CHALLENGE_FAILED, ACME_HOOK_FAILED, ACME_ORDER_TIMEOUT. */
export async function proveNames(
  authority: Authority,
  authorizations: readonly Authorization[],
  solver: Solver,
  pace: Pace,
): Promise<void> {
  for (const authorization of authorizations) {
    if (authorization.status !== 'valid') await proveName(authority, authorization, solver, pace) // proved for an earlier order
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
  if (!challenge) throw notOffered(authorization, solver.type)
  const proof = await authority.ask('the order', (client) => client.getChallengeKeyAuthorization(challenge))
  const takeBack = await solver.show(name, challenge.token, proof)
  let failed = true
  try {
    await authority.ask('the order', (client) => client.completeChallenge(challenge))
    const settled = await poll(authority, pace, `the proof of ${name}`, () => readAgain(authority, authorization))
    if (settled.status !== 'valid') throw challengeFailed(settled, solver)
    failed = false
  } finally {
    // a record that stays behind is told of, unless there is something worse to tell
    await takeBack().catch((error: unknown) => {
      if (!failed) throw error
    })
  }
}

/** Undefined while it is not decided. */
async function readAgain(authority: Authority, { url }: Authorization): Promise<Authorization | undefined> {
  const order = { url: '', status: 'pending' as const, identifiers: [], authorizations: [url], finalize: '' }
  const [read] = await authority.ask('the order', (client) => client.getAuthorizations(order))
  return read?.status === 'pending' ? undefined : read
}

function notOffered({ identifier, challenges }: Authorization, type: string): WlbError {
  return new WlbError(
    'ACME_CHALLENGE_NOT_OFFERED',
    'The authority lets this name not be proved this way.',
    { name: identifier.value, type, offered: challenges.map((one) => one.type).join(', ') },
    type === 'dns-01' ? 'wlb cert acme --http-port 80' : 'wlb cert acme --dns-hook PROGRAM',
  )
}

function challengeFailed({ identifier, status, challenges }: Authorization, { type, advise }: Solver): WlbError {
  const failed = challenges.find((one) => one.error !== undefined)
  const words = describeProblem(failed?.error).words || `the authorization is ${status}`
  const name = identifier.value
  return new WlbError(
    'ACME_CHALLENGE_FAILED',
    'The authority could not convince itself that this name is ours.',
    { name, type, authoritySays: words, check: advise(name) },
    type === 'dns-01' ? `dig TXT _acme-challenge.${name}` : `curl -v http://${name}/.well-known/acme-challenge/`,
  )
}
