/**
 * Answers http-01 (RFC 8555, 8.3): a small HTTP server that is there while an order is under way and knows nothing but the
 * tokens of that order.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { WlbError } from '../../base/error.js'
import { systemCode } from '../../base/file-failure.js'
import { runCommand } from '../../base/run-command.js'
import type { DnsChallenge, HttpChallenge } from '../../config/acme-settings.js'

export interface ChallengeServer {
  /** Shows `content` under a token until it is taken back. */
  show(token: string, content: string): () => void
  /** How often a token was asked for and shown. */
  shown(): number
  close(): Promise<void>
}

const PATH = '/.well-known/acme-challenge/'
const TIMEOUT_MS = 10_000

/** @throws ACME_PORT_IN_USE, ACME_PORT_FORBIDDEN, ACME_ADDRESS_UNUSABLE. */
export async function startChallengeServer({ address, port }: HttpChallenge): Promise<ChallengeServer> {
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
  server.listen(port, address)
  await once(server, 'listening').catch((error: unknown) => {
    throw explainListen(address, port, error)
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

function explainListen(address: string, port: number, error: unknown): unknown {
  switch (systemCode(error)) {
    case 'EADDRINUSE':
      return portInUse(address, port, error)
    case 'EACCES':
      return portForbidden(address, port, error)
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return addressUnusable(address, port, error)
    default:
      return error
  }
}

function portInUse(address: string, port: number, cause: unknown): WlbError {
  return new WlbError(
    'ACME_PORT_IN_USE',
    'Another program listens where the authority’s question is to be answered: stop it meanwhile, let it pass the question on to another port (--http-port), or prove the name by DNS (--dns-hook).',
    { address, port },
    `ss -tlnp sport = :${port}`,
    cause,
  )
}

function portForbidden(address: string, port: number, cause: unknown): WlbError {
  return new WlbError(
    'ACME_PORT_FORBIDDEN',
    'This user may not listen there: the first 1024 ports are root’s unless the system says otherwise.',
    { address, port },
    `sysctl net.ipv4.ip_unprivileged_port_start=${port}`,
    cause,
  )
}

function addressUnusable(address: string, port: number, cause: unknown): WlbError {
  return new WlbError(
    'ACME_ADDRESS_UNUSABLE',
    'This machine has no such address to answer the authority’s question on.',
    { address, port },
    'wlb cert acme --http-address 0.0.0.0',
    cause,
  )
}

export interface HookLimits {
  /** Changes in the DNS take a while to be seen: five minutes unless said otherwise. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const HOOK_TIMEOUT_MS = 300_000

/** Puts the record of a name into the DNS, or takes it out. @throws ACME_HOOK_FAILED */
export async function callHook(
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
  if (exitCode !== 0) throw hookFailed(command, exitCode, output)
}

function hookFailed(command: string, exitCode: number | null, output: string): WlbError {
  return new WlbError(
    'ACME_HOOK_FAILED',
    'The program that changes the DNS did not do its work.',
    { command, ...(exitCode !== null && { exitCode }), output: output || '(it said nothing)' },
    command,
  )
}
