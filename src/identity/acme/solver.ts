/** Shows an authority the proof that a name is ours: by HTTP (http-01) or by DNS (dns-01), as the settings say. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { systemCode } from '../../base/files/file-failure.js'
import { findStartFault } from '../../base/files/program-file.js'
import { runCommand } from '../../base/run-command.js'
import type { AcmeSettings, DnsChallenge, HttpChallenge } from '../../config/index.js'
import { fail } from '../errors.js'

export interface Solver {
  readonly type: 'http-01' | 'dns-01'
  /** Publishes the proof of a name; the returned function removes it. */
  show(name: string, token: string, proof: string): Promise<() => Promise<void>>
  /** What to check when the authority has not seen the proof. */
  advise(name: string): string
  close(): Promise<void>
}

/**
 * Opened before anything is ordered, so that a port in use costs no order.
 *
 * @throws ACME_HOOK_UNUSABLE, ACME_PORT_IN_USE, ACME_PORT_FORBIDDEN, ACME_ADDRESS_UNUSABLE.
 */
export async function openSolver({ challenge }: AcmeSettings, hookLimits: HookLimits): Promise<Solver> {
  if (challenge.type === 'http-01') return httpSolver(await startChallengeServer(challenge), challenge)
  const fault = await findStartFault(challenge.hook)
  if (fault) throw fail('ACME_HOOK_UNUSABLE', { hook: challenge.hook, ...fault })
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

interface ChallengeServer {
  /** Serves `content` under a token until the returned function is called. */
  show(token: string, content: string): () => void
  /** How often a token was requested and served. */
  shown(): number
  close(): Promise<void>
}

const PATH = '/.well-known/acme-challenge/'
const TIMEOUT_MS = 10_000
/** The port is open to the world for as long as an order takes. */
const MOST_CONNECTIONS = 64

/**
 * Answers http-01 (RFC 8555, 8.3): a small HTTP server that runs while an order is under way and serves the tokens of
 * that order only.
 *
 * @throws ACME_PORT_IN_USE, ACME_PORT_FORBIDDEN, ACME_ADDRESS_UNUSABLE.
 */
async function startChallengeServer({ address, port }: HttpChallenge): Promise<ChallengeServer> {
  const contents = new Map<string, string>()
  let count = 0
  const server = createServer(
    { headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, maxHeaderSize: 8192, keepAlive: false },
    ({ method, url = '' }, response) => {
      const content = url.startsWith(PATH) ? contents.get(url.slice(PATH.length)) : undefined
      const isRead = method === 'GET' || method === 'HEAD'
      const body = content !== undefined && isRead ? content : ''
      if (body) count++
      response.writeHead(body ? 200 : 404, {
        'Content-Type': 'application/octet-stream',
        'Content-Length': Buffer.byteLength(body),
        Connection: 'close',
      })
      response.end(method === 'HEAD' ? '' : body)
    },
  )
  server.maxConnections = MOST_CONNECTIONS
  server.setTimeout(TIMEOUT_MS).listen(port, address)
  await once(server, 'listening').catch((error: unknown) => {
    throw explainListen(error, { address, port })
  })
  server.on('error', () => {})
  return {
    show: (token, content) => {
      contents.set(token, content)
      return () => void contents.delete(token)
    },
    shown: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function explainListen(error: unknown, facts: { readonly address: string; readonly port: number }): unknown {
  switch (systemCode(error)) {
    case 'EADDRINUSE':
      return fail('ACME_PORT_IN_USE', facts, error)
    case 'EACCES':
      return fail('ACME_PORT_FORBIDDEN', facts, error)
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return fail('ACME_ADDRESS_UNUSABLE', facts, error)
    default:
      return error
  }
}

interface HookLimits {
  /** Changes in the DNS take a while to be visible: five minutes by default. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const HOOK_TIMEOUT_MS = 300_000

/**
 * Answers dns-01 (RFC 8555, 8.4) by a program of the site's own that changes its DNS. It is called as `PROGRAM add|remove NAME
 * VALUE`, with the same in its environment, and ends when the authority can see the change.
 *
 * @throws ACME_HOOK_FAILED
 */
async function callHook(
  { hook }: DnsChallenge,
  action: 'add' | 'remove',
  name: string,
  value: string,
  { timeoutMs = HOOK_TIMEOUT_MS, signal }: HookLimits,
): Promise<void> {
  const record = `_acme-challenge.${name}`
  const environment = { WLB_ACME_ACTION: action, WLB_ACME_NAME: record, WLB_ACME_VALUE: value }
  const { command, exitCode, output } = await runCommand([hook, action, record, value], timeoutMs, {
    environment,
    signal,
  })
  if (exitCode !== 0) {
    throw fail('ACME_HOOK_FAILED', { command, exitCode: exitCode ?? undefined, output: output || '(it said nothing)' })
  }
}
