/** A thin CLI server that does exactly what a test says, on a port, over TLS or on a local socket. */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { BANNER, encodeCommand, ThinCliReader } from '../../src/xapi/index.js'
import { ByteReader } from '../../src/xapi/thin-cli/reader.js'

export interface Peer {
  readonly head: string
  readonly body: string
  readonly socket: Socket
  /** Sends the banner, reads the client's, and gives what reads from then on. */
  greet(): Promise<ThinCliReader>
  /** Ends the conversation with a status, and the connection with it. */
  exit(status: number): void
}

export interface FakeServer {
  readonly address: string
  readonly port: number
  readonly requests: readonly Pick<Peer, 'head' | 'body'>[]
  close(): Promise<void>
}

export type Script = (peer: Peer) => Promise<void> | void

export interface Place {
  readonly address?: string
  readonly path?: string
  readonly tls?: TlsOptions
}

export async function startFakeServer(script: Script, place: Place = {}): Promise<FakeServer> {
  const requests: Peer[] = []
  const sockets = new Set<Socket>()
  const onConnection = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    void serve(socket, script, requests)
  }
  const server: Server = place.tls ? createTlsServer(place.tls, onConnection) : createServer(onConnection)
  const address = place.address ?? '127.0.0.2'
  if (place.path === undefined) server.listen(0, address)
  else server.listen(place.path)
  await once(server, 'listening')
  const bound = server.address()
  return {
    address,
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    requests,
    async close() {
      for (const socket of sockets) socket.destroy()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
}

async function serve(socket: Socket, script: Script, requests: Peer[]): Promise<void> {
  const bytes = new ByteReader(socket)
  let end = -1
  while (end < 0) {
    if (!(await bytes.pull())) return
    end = bytes.peek().indexOf('\r\n\r\n')
  }
  const head = (await bytes.take(end + 4)).toString()
  // A PUT's body comes after the answer: that one is the script's to read.
  const length = head.startsWith('POST ') ? Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0) : 0
  const body = (await bytes.takeUpTo(length)).toString()
  const early = bytes.release()
  if (early.length > 0) socket.unshift(early)
  const peer: Peer = {
    head,
    body,
    socket,
    async greet() {
      socket.write(BANNER)
      const reader = new ThinCliReader(socket)
      await reader.readBanner()
      return reader
    },
    exit: (status) => void socket.end(encodeCommand({ name: 'Exit', status })),
  }
  requests.push(peer)
  await script(peer)
}

/** Greets, then plays a reply of fixed commands and exits. */
export function say(status: number, ...commands: Parameters<typeof encodeCommand>[0][]): Script {
  return async (peer) => {
    await peer.greet()
    for (const command of commands) peer.socket.write(encodeCommand(command))
    peer.exit(status)
  }
}

/** Reads what a client sends for Load or Prompt: chunks until the end. */
export async function readUpload(reader: ThinCliReader): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (;;) {
    const message = await reader.readMessage()
    if (message?.kind !== 'blob' || message.blob.name === 'End') return Buffer.concat(pieces)
    for await (const piece of reader.readRaw(message.blob.bytes)) pieces.push(piece)
  }
}
