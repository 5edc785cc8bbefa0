/**
 * HTTPS to an ACME authority: with a configurable trust store, limits, and the error document of the last answer (RFC
 * 8555, 6.7). The ACME protocol above it is the library's. There are no redirects and no proxies.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ClientRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { WlbError } from '../../base/error.js'
import { systemCode } from '../../base/files/file-failure.js'
import { tlsReason } from '../../base/text/tls-reason.js'
import { fail } from '../errors.js'
import { type Problem, parseRetryAfter, readLinks, readProblem } from './problem.js'

export interface Wire {
  readonly agent: Agent
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** The error document of the last answer; undefined when that was no error. */
  problem: Problem | undefined
  /** Addresses of alternate chains in the last answer (RFC 8555, 7.4.2). */
  alternates: readonly string[]
  /** How long the last answer asks to wait. */
  retryAfterSeconds: number | undefined
}

/** The longest answers are orders of 100 names and chains, some 30 KB; JSON of this size is read in 60 ms, however it nests. */
const ANSWER_LIMIT_BYTES = 256 * 1024

const current = new AsyncLocalStorage<Wire>()

/** Opens connections to one authority for as long as `work` takes. `ca`, where given, is the only trust anchor. */
export async function withWire<T>(
  options: { readonly ca: string | undefined; readonly signal: AbortSignal; readonly timeoutMs: number },
  work: (wire: Wire) => Promise<T>,
): Promise<T> {
  const { ca, signal, timeoutMs } = options
  const agent = new Agent({ keepAlive: true, ca })
  const wire: Wire = { agent, signal, timeoutMs, problem: undefined, alternates: [], retryAfterSeconds: undefined }
  try {
    return await current.run(wire, () => work(wire))
  } finally {
    agent.destroy()
  }
}

/** Loads the library when it is needed; its requests go through the caller's `Wire`. */
export async function loadAcmeLibrary() {
  const acme = await import('acme-client')
  acme.axios.defaults.adapter = async (config) => {
    const wire = current.getStore()
    if (!wire) throw new Error('the ACME library was called outside of withWire')
    const body: unknown = config.data
    const headers = Object.entries(config.headers).map(([name, value]): [string, string] => [name, String(value)])
    const answer = await send(wire, config.url ?? '', {
      method: (config.method ?? 'get').toUpperCase(),
      headers: Object.fromEntries(headers),
      body: typeof body === 'string' ? body : '',
    })
    return { data: answer.text, status: answer.status, statusText: '', headers: answer.headers, config }
  }
  return acme
}

/** Reads a document that needs no signature. Undefined where it is no JSON, or the answer is an error (see `wire.problem`). */
export async function readDocument(wire: Wire, url: string): Promise<unknown> {
  const { status, text } = await send(wire, url, { method: 'GET', headers: {}, body: '' })
  if (status !== 200) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly text: string
}

async function send(
  wire: Wire,
  url: string,
  { method, headers, body }: { method: string; headers: Record<string, string>; body: string },
): Promise<Answer> {
  if (!url.startsWith('https://')) {
    throw fail('ACME_DIRECTORY_UNUSABLE', { url, why: 'it names an address that is not https' })
  }
  const ask = () => exchange(wire, url, method, headers, body)
  const answer = await ask()
    .catch((error: unknown) => {
      if (error instanceof StaleConnection) return ask()
      throw error
    })
    .catch((error: unknown) => {
      throw explainConnection(url, error, wire)
    })
  wire.problem = answer.status >= 400 ? readProblem(answer.status, answer.headers, answer.text) : undefined
  wire.alternates = readLinks(answer.headers.link ?? '', 'alternate').flatMap((link) =>
    URL.canParse(link, url) ? [new URL(link, url).href] : [],
  )
  wire.retryAfterSeconds = parseRetryAfter(answer.headers['retry-after'])
  return answer
}

function exchange(
  { agent, signal, timeoutMs }: Wire,
  url: string,
  method: string,
  headers: Record<string, string>,
  body: string,
): Promise<Answer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { agent, method, headers: { ...headers, 'content-length': Buffer.byteLength(body) }, signal: limit },
      async (response) => {
        try {
          const pieces: Buffer[] = []
          let sizeBytes = 0
          for await (const piece of response) {
            const bytes: Buffer = piece
            pieces.push(bytes)
            sizeBytes += bytes.length
            if (sizeBytes > ANSWER_LIMIT_BYTES) throw new Error(`the answer has more than ${ANSWER_LIMIT_BYTES} bytes`)
          }
          const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value ?? '')])
          const text = Buffer.concat(pieces).toString('utf8')
          resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(headers), text })
        } catch (error) {
          reject(error)
          asked.destroy()
        }
      },
    )
    asked.once('error', (error) => reject(isStale(asked, error) ? new StaleConnection() : error)).end(body)
  })
}

/** The server closed an idle connection: the request sent on it has not arrived, and is sent again. */
class StaleConnection extends Error {}

function isStale({ reusedSocket }: ClientRequest, error: unknown): boolean {
  return reusedSocket && ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '')
}

const DISTRUST = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_|ERR_OSSL_X509)/

function explainConnection(url: string, error: unknown, { signal, timeoutMs }: Wire): unknown {
  if (error instanceof WlbError) return error
  if (signal.aborted) return fail('ACME_INTERRUPTED', { url })
  const code = systemCode(error) ?? ''
  const why = tlsReason(error) || code
  if (DISTRUST.test(code)) return fail('ACME_DIRECTORY_UNTRUSTED', { url, why }, error)
  const isSlow = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
  const facts = { url, why: isSlow ? `no answer in ${timeoutMs / 1000} seconds` : why }
  return fail('ACME_DIRECTORY_UNREACHABLE', facts, error)
}
