/** Proves to an authority that the names are ours: each is shown the way the settings say, and taken back again. */
import type { Authorization } from 'acme-client'
import { WlbError } from '../../base/error.js'
import type { AcmeSettings } from '../../config/acme-settings.js'
import type { Authority } from './authority.js'
import { type ChallengeServer, startChallengeServer } from './challenge-server.js'
import { callHook, type HookLimits } from './dns-hook.js'
import { type Pace, poll } from './poll.js'
import { describeProblem } from './problem.js'

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
