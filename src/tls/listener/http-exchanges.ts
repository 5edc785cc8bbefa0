/**
 * Requests and answers on the connections of an HTTPS server: one request at a time, none after `Connection: close`, and each
 * connection is told what it waits for (connections.ts).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Phase } from './connections.js'

export interface Supervision {
  /** Told what a connection waits for from now on. */
  readonly enter: (socket: Duplex, phase: Phase) => void
  readonly phaseOf: (socket: Duplex) => Phase | undefined
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void
  /** Answers and closes a connection whose request is no HTTP or does not arrive; left out, it is closed. */
  readonly onUnreadableRequest?: ((error: NodeJS.ErrnoException, socket: Duplex) => void) | undefined
}

export interface Exchanges {
  /** From now on each connection ends with its answer, and those without a request under way at once. */
  windDown(): void
}

/** What a connection may have sent when its request was refused; then it is cut. */
const REFUSED_LIMIT_BYTES = 2 * 1024 * 1024

export function superviseExchanges(server: HttpsServer, supervision: Supervision): Exchanges {
  const { enter, phaseOf, serve, onUnreadableRequest } = supervision
  const answering = new Map<Duplex, ServerResponse>()
  const stopped = new WeakSet<Socket>()
  /** For good: reading the body of the request before would resume the connection. */
  const stopReading = (socket: Socket) => {
    if (stopped.has(socket)) return
    stopped.add(socket)
    socket.pause().on('resume', () => socket.pause())
  }
  let isWindingDown = false

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    const before = answering.get(socket)
    if (before) {
      // Sent before its turn (pipelined) or after the last one; clients send it again (RFC 9112, 9.3.2).
      if (!before.headersSent) before.setHeader('Connection', 'close')
      return stopReading(socket)
    }
    answering.set(socket, response)
    enter(socket, 'request')
    response.once('prefinish', () => {
      enter(socket, 'answered')
      if (!isLast(response)) answering.delete(socket)
    })
    response.once('close', () => {
      if (!answering.has(socket)) enter(socket, 'waiting')
      else if (socket.destroyed) answering.delete(socket)
      else socket.once('close', () => answering.delete(socket))
      if (isWindingDown) server.closeIdleConnections()
    })
    if (isWindingDown) response.setHeader('Connection', 'close')
    serve(request, response)
  })
  // Any expectation but 100-continue may be passed over (RFC 9110, 10.1.1); Node would answer by itself, in chunks.
  server.on('checkExpectation', (...exchange: unknown[]) => server.emit('request', ...exchange))

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const phase = phaseOf(socket)
    if (phase === 'answered' && !answering.has(socket)) {
      // more of what was refused: read for a while, so that the client sees the answer
      if ('bytesRead' in socket && Number(socket.bytesRead) > REFUSED_LIMIT_BYTES) socket.destroy()
      return
    }
    const response = answering.get(socket)
    // `end` is never called back where the handshake has not ended.
    if (phase === undefined || !socket.writable) socket.destroy()
    else if (response === undefined) {
      enter(socket, 'answered')
      if (onUnreadableRequest) onUnreadableRequest(error, socket)
      else socket.destroy()
    } else if (!response.req.complete) socket.destroy() // else garbage follows a whole request, which still gets its answer
  })

  return {
    windDown: () => {
      isWindingDown = true
      for (const response of answering.values()) if (!response.headersSent) response.setHeader('Connection', 'close')
      server.closeIdleConnections()
    },
  }
}

function isLast(response: ServerResponse): boolean {
  return !response.shouldKeepAlive || /close/i.test(String(response.getHeader('Connection') ?? ''))
}
