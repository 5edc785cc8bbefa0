/** One dial of a pool as a test case: what the server sends, what lies in the host's store, what comes of it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type TlsOptions } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { dialAsPool, type PoolDial, type TlsFailure } from '../../src/tls/index.js'
import { requirePart } from '../real-parts.js'
import { daysFromNow, type Issued, issue, issueAuthority } from '../x509/test-authority.js'

export const NAME = 'wlb.example.lab'
export interface Case {
  /** What the server sends, leaf first. */
  readonly chain?: readonly Issued[]
  /** Instead of a chain made here. */
  readonly identity?: { readonly certificatePem: string; readonly privateKeyPem: string }
  readonly server?: TlsOptions | 'plain' | 'silent' | 'closed'
  /** The file; undefined leaves it missing. */
  readonly bundle: string | Buffer | undefined
  /** File name to content; hashed unless told otherwise. */
  readonly crls?: Readonly<Record<string, string>>
  readonly leaveUnhashed?: boolean
  readonly name?: string
  readonly verify?: false
  readonly timeoutMs?: number
  /** The time the client is to ask about. */
  readonly now?: Date
  readonly signal?: AbortSignal
}

/** `accepted`, a text of `CERT:` (the prefix shortened to `!`), or what kind of failure. */
export type Outcome = string
export type Row = readonly [what: string, outcome: Outcome, given: () => Promise<Case>]

export const root = () => issueAuthority({ subject: 'Example Root' })
export const otherRoot = () => issueAuthority({ subject: 'Other Root' })
export const leafSpec = { subject: NAME, dnsNames: [NAME], extendedKeyUsage: ['serverAuth'] } as const
export const leafOf = async (issuer: Issued, more = {}) => issue({ ...leafSpec, issuer, ...more })
export const joined = (...issued: readonly Issued[]) => issued.map(({ certificatePem }) => certificatePem).join('')

/** A leaf under the root, the root in the bundle, and what is different about it. */
export async function simple(leafMore: object = {}, more: Partial<Case> = {}): Promise<Case> {
  const top = await root()
  return { chain: [await leafOf(top, leafMore)], bundle: top.certificatePem, ...more }
}

/** Root, intermediate, leaf, all three sent or in the bundle as a pool would have them. */
export async function three(options: {
  root?: object
  intermediate?: object
  leaf?: object
  more?: Partial<Case>
}): Promise<Case> {
  const top = await issueAuthority({ subject: 'Example Root', ...options.root })
  const middle = await issueAuthority({ subject: 'Example Issuing', issuer: top, ...options.intermediate })
  return { chain: [await leafOf(middle, options.leaf), middle], bundle: top.certificatePem, ...options.more }
}

export async function selfSigned(more: object = {}, bundle?: string): Promise<Case> {
  const own = await issue({ ...leafSpec, ...more })
  return { chain: [own], bundle: bundle ?? own.certificatePem }
}

export async function named(certificate: object, name: string): Promise<Case> {
  return simple({ dnsNames: [], ...certificate }, { name })
}

export async function withCrls(crls: (root: Issued, leaf: Issued) => Promise<Record<string, string>>): Promise<Case> {
  const top = await root()
  const leaf = await leafOf(top)
  return { chain: [leaf], bundle: top.certificatePem, crls: await crls(top, leaf) }
}

export const expired = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-2) }
const parts = ['stunnel', 'openssl'] as const
const missing = parts.filter((part) => requirePart(part) === undefined)

/** Runs each row with the real stunnel, who is the judge, and with our own client, who has to agree. */
export function describeDials(title: string, rows: readonly Row[]): void {
  describe.skipIf(missing.length > 0)(`${title} (needs ${parts.join(', ')})`, () => {
    describe.each(['stunnel', 'node'] as const)('%s', (client) => {
      it.each(rows)('%s: %s', async (_what, outcome, given) => {
        expect(await dialOutcome(client, await given())).toBe(outcome)
      })
    })
  })
}

/** Dials once and says what came of it. */
export async function dialOutcome(client: PoolDial['client'], given: Case): Promise<Outcome> {
  const host = mkdtempSync(join(tmpdir(), 'dial-'))
  const { now } = given
  const crlDirectory = join(host, 'crls')
  const bundlePath = join(host, 'bundle.pem')
  mkdirSync(crlDirectory, { recursive: true })
  if (given.bundle !== undefined) writeFileSync(bundlePath, given.bundle)
  for (const [name, content] of Object.entries(given.crls ?? {})) writeFileSync(join(crlDirectory, name), content)
  if (given.crls && !given.leaveUnhashed) execFileSync('openssl', ['rehash', crlDirectory], { stdio: 'ignore' })

  const { port, close } = await serve(given)
  try {
    const connection = await dialAsPool({
      client,
      serverName: given.name ?? NAME,
      address: '127.0.0.1',
      port,
      verify: given.verify === false ? undefined : { bundlePath, crlDirectory, ...(now && { now: () => now }) },
      timeoutMs: given.timeoutMs ?? 10_000,
      ...(given.signal && { signal: given.signal }),
    })
    if (connection.state === 'failed') return describeFailure(connection.failure)
    connection.stream.write('ping')
    const [answer] = await connection.stream.take(1).toArray()
    connection.stream.destroy()
    return String(answer) === 'ping' ? 'accepted' : `answered ${answer}`
  } finally {
    await close()
    rmSync(host, { recursive: true, force: true })
  }
}

function describeFailure(failure: TlsFailure): string {
  if (failure.kind === 'verify') return failure.reason.replaceAll('Pre-verification error: ', '!')
  return failure.kind === 'stunnel' ? `stunnel: ${failure.indicator}` : failure.kind
}

/** An echo behind TLS that takes any key, or something that is no such thing. */
export async function serve({ chain, identity, server = {} }: Case): Promise<{ port: number; close(): Promise<void> }> {
  const open = new Set<{ destroy(): void }>()
  const listener = makeServer()
  listener.on('connection', (socket) => open.add(socket))
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of open) socket.destroy()
      listener.close(() => resolve())
    })
  if (server === 'closed') await close()
  return { port, close: server === 'closed' ? async () => {} : close }

  function makeServer(): Server {
    if (server === 'plain')
      return createPlainServer((socket) => socket.on('error', () => {}).end('HTTP/1.0 400 Bad Request\r\n\r\n'))
    if (typeof server === 'string') return createPlainServer((socket) => socket.on('error', () => {}))
    const cert = identity?.certificatePem ?? joined(...(chain ?? []))
    const key = identity?.privateKeyPem ?? chain?.[0]?.privateKeyPem
    return createServer({ cert, key, ecdhCurve: 'auto', ciphers: 'ALL:@SECLEVEL=0', ...server }, (socket) =>
      socket.on('error', () => {}).pipe(socket),
    )
  }
}
