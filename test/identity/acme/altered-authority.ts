/**
 * Pebble as another authority would be: a server between it and the client that alters some answers, gives some of its own, or
 * drops the connection. Requests are signed for its own address, which pebble takes from the Host line.
 */
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer, request } from 'node:https'
import { z } from 'zod'
import { OWN_ADDRESS } from '../../run-folder.js'
import type { Issued } from '../../x509/test-authority.js'

export interface Asked {
  readonly method: string
  readonly path: string
  /** What was signed; undefined for a request without content. */
  readonly payload: unknown
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** What is done with a request; undefined passes pebble's own answer on. */
export type Alteration = (asked: Asked, pass: () => Promise<Answer>) => Promise<Answer | 'drop' | undefined>

export interface AlteredAuthority {
  readonly directory: string
  /** Since the last call. */
  takeAsked(): readonly Asked[]
  alter(alteration: Alteration): void
  close(): Promise<void>
}

const SIGNED = z.object({ payload: z.string() })

/** @param behind - pebble's directory; `ca` verifies it, and `identity` is what this server shows. */
export async function startAltered(behind: string, ca: string, identity: Issued): Promise<AlteredAuthority> {
  let alteration: Alteration = async () => undefined
  const asked: Asked[] = []
  const server = createServer(
    { key: identity.privateKeyPem, cert: identity.certificatePem },
    async (incoming, response) => {
      const pieces: Buffer[] = []
      for await (const piece of incoming) pieces.push(piece)
      const content = Buffer.concat(pieces)
      const { method = '', url: path = '' } = incoming
      const one: Asked = { method, path, payload: readPayload(content) }
      asked.push(one)
      const headers = { ...incoming.headers, host: own }
      const pass = () => exchange(new URL(path, behind), method, headers, content, ca)
      const altered = await alteration(one, pass)
      if (altered === 'drop') return void incoming.socket.destroy()
      const { status, headers: more = {}, body } = altered ?? (await pass())
      const nonce = more['replay-nonce'] ?? (await freshNonce(behind, own, ca))
      response.writeHead(status, { 'cache-control': 'no-store', 'replay-nonce': nonce, ...more })
      response.end(method === 'HEAD' ? '' : body)
    },
  )
  server.listen(0, OWN_ADDRESS)
  await once(server, 'listening')
  const address = server.address()
  const own = `${OWN_ADDRESS}:${typeof address === 'object' && address ? address.port : 0}`
  return {
    directory: `https://${own}/dir`,
    takeAsked: () => asked.splice(0),
    alter: (wanted) => {
      alteration = wanted
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** An error document, as RFC 8555, 6.7, has it. */
export function problem(status: number, type: string, detail: string, more: object = {}): Answer {
  const document = { type: `urn:ietf:params:acme:error:${type}`, detail, status, ...more }
  return { status, headers: { 'content-type': 'application/problem+json' }, body: JSON.stringify(document) }
}

function readPayload(content: Buffer): unknown {
  if (content.length === 0) return undefined
  const { payload } = SIGNED.parse(JSON.parse(content.toString('utf8')))
  return payload === '' ? undefined : JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
}

async function freshNonce(behind: string, host: string, ca: string): Promise<string> {
  const { headers = {} } = await exchange(new URL('/nonce-plz', behind), 'HEAD', { host }, Buffer.alloc(0), ca)
  return headers['replay-nonce'] ?? ''
}

function exchange(
  url: URL,
  method: string,
  headers: IncomingHttpHeaders,
  content: Buffer,
  ca: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers, ca, agent: false }, async (response) => {
      let body = ''
      for await (const piece of response.setEncoding('latin1')) body += piece
      const kept = ['content-type', 'location', 'link', 'replay-nonce', 'retry-after'].flatMap((name) => {
        const value = response.headers[name]
        return value === undefined ? [] : [[name, String(value)]]
      })
      resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(kept), body })
    })
      .once('error', reject)
      .end(content)
  })
}
