/** A TLS server in the appliance's place that says exactly what a test tells it to. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'

export interface Appliance {
  readonly port: number
  /** Every request as it came, in the order of arrival. */
  readonly requests: readonly string[]
  /** How many there were, whatever became of them. */
  connections(): number
  /** Resets every connection. */
  reset(): void
  close(): Promise<void>
}

/** Called when a request is complete. */
export type Script = (socket: TLSSocket, request: string) => void

export async function startAppliance(
  identity: { certificatePem: string; privateKeyPem: string },
  script: Script,
  more: TlsOptions = {},
): Promise<Appliance> {
  const requests: string[] = []
  const sockets = new Set<TLSSocket>()
  const options = { cert: identity.certificatePem, key: identity.privateKeyPem, ecdhCurve: 'auto', ...more }
  const server = createServer(options, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    let received = ''
    socket.on('data', (piece: Buffer) => {
      received += piece.toString('latin1')
      const end = received.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/.exec(received)?.[1])
      if (end < 0 || received.length < end + 4 + length) return
      requests.push(received)
      script(socket, received)
    })
  })
  const raw = new Set<Socket>()
  server.on('connection', (socket: Socket) => raw.add(socket))
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return {
    port: address.port,
    requests,
    connections: () => raw.size,
    reset() {
      for (const socket of raw) socket.resetAndDestroy()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** An answer of status 200, framed as an appliance does. */
export function framed(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

export function envelope(method: string, result: string): string {
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><${method}Response xmlns="http://schemas.citrix.com/DWM"><${method}Result>${result}</${method}Result></${method}Response></s:Body></s:Envelope>`
}
