/** The running stand-in: clients see the faulty identity and are connected to the real appliance behind it. */
import { createServer as createHttpServer } from 'node:http'
import { createServer as createSilentServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { z } from 'zod'
import { connectPinned } from '../../tls/index.js'

/** The orders of the stand-in's process: where to listen, with which identity, and where the appliance is. */
export const ordersSchema = z.object({
  address: z.string(),
  port: z.number(),
  transport: z.enum(['relay', 'silent', 'plain-http']),
  certificatePem: z.string(),
  privateKeyPem: z.string(),
  tls: z.object({
    versions: z.enum(['1.3-alone', '1.1-at-most']).optional(),
    suites: z.literal('none-of-a-pool').optional(),
    curves: z.literal('none-of-a-pool').optional(),
    clientCertificate: z.literal('demanded').optional(),
  }),
  /** The appliance's listener at its other place, and the certificates it may serve. */
  appliance: z.object({ address: z.string(), port: z.number(), fingerprintsSha256: z.array(z.string()) }),
})

export type StandInOrders = Readonly<z.infer<typeof ordersSchema>>

export interface Listening {
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 10_000

/** Listens as ordered. Throws the lower error when it cannot. */
export async function startListening(orders: StandInOrders, log: (message: string) => void): Promise<Listening> {
  const server = serverFor(orders, log)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
  })
  const { address: host, port } = orders
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port }, () => {
      server.off('error', reject).on('error', (error: Error) => log(error.message))
      resolve()
    })
  })
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function serverFor(orders: StandInOrders, log: (message: string) => void): Server {
  switch (orders.transport) {
    case 'silent':
      return createSilentServer((socket) => socket.resume())
    case 'plain-http':
      return createHttpServer((_request, response) => response.writeHead(404, { connection: 'close' }).end())
    case 'relay':
      return createTlsServer(tlsOptions(orders), (socket) => void relay(socket, orders, log)).on(
        'tlsClientError',
        (error, socket) => {
          log(`handshake failed: ${error.message}`)
          socket.destroy()
        },
      )
  }
}

/** OpenSSL's level 0 allows weak keys and signatures. */
const ANY_LEVEL = '@SECLEVEL=0'
const NO_SUITE_OF_A_POOL = 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-SHA256'

function tlsOptions({ certificatePem, privateKeyPem, tls }: StandInOrders): TlsOptions {
  const suites = tls.suites === 'none-of-a-pool' ? NO_SUITE_OF_A_POOL : 'DEFAULT'
  return {
    cert: certificatePem,
    key: privateKeyPem,
    minVersion: tls.versions === '1.3-alone' ? 'TLSv1.3' : tls.versions === '1.1-at-most' ? 'TLSv1' : 'TLSv1.2',
    maxVersion: tls.versions === '1.1-at-most' ? 'TLSv1.1' : 'TLSv1.3',
    ciphers: `${suites}:${ANY_LEVEL}`,
    ecdhCurve: tls.curves === 'none-of-a-pool' ? 'P-256:X25519' : 'auto',
    ...(tls.clientCertificate === 'demanded' && { requestCert: true, rejectUnauthorized: true, ca: [certificatePem] }),
  }
}

/**
 * Relays bytes in both directions once the appliance's certificate is recognised. When one side closes, the other is
 * closed.
 */
async function relay(client: TLSSocket, orders: StandInOrders, log: (message: string) => void): Promise<void> {
  client.on('error', () => {})
  const { address, port, fingerprintsSha256 } = orders.appliance
  try {
    const trust = { kind: 'first-use' } as const
    const { socket, fingerprintSha256 } = await connectPinned({ address, port, timeoutMs: CONNECT_TIMEOUT_MS, trust })
    socket.on('error', () => {})
    if (!fingerprintsSha256.includes(fingerprintSha256)) {
      socket.destroy()
      throw new Error(`something else listens at ${address}:${port}: ${fingerprintSha256}`)
    }
    join(client, socket)
  } catch (error) {
    log(error instanceof Error ? error.message : String(error))
    client.destroy()
  }
}

function join(one: Duplex, other: Duplex): void {
  one.pipe(other)
  other.pipe(one)
  one.once('close', () => other.destroy())
  other.once('close', () => one.destroy())
}
