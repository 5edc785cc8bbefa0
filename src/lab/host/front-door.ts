/**
 * The first bytes of every connection: `POST /cli` leaves HTTP behind after its body and talks on over the bare stream,
 * everything else goes to the HTTP server.
 */
import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'

const CLI_REQUEST = 'POST /cli'
const MAX_HEAD_BYTES = 16_384
/** 200 KiB: what a pool reads of a command line. */
const CLI_LIMIT_BYTES = 204_800
const HEAD_TIMEOUT_MS = 60_000
const REFUSED_TIMEOUT_MS = 5_000

export type ServeCli = (stream: Duplex, body: Buffer) => Promise<void>

/** Looks at a fresh connection and hands it on. */
export function receiveConnection(stream: Duplex, http: Server, serveCli: ServeCli): void {
  stream.on('error', () => stream.destroy())
  const timer = setTimeout(() => stream.destroy(), HEAD_TIMEOUT_MS)
  stream.once('close', () => clearTimeout(timer))

  let seen = Buffer.alloc(0)
  const look = () => {
    for (let piece: Buffer | null = stream.read(); piece !== null; piece = stream.read()) {
      seen = Buffer.concat([seen, piece])
    }
    const start = seen.subarray(0, CLI_REQUEST.length).toString('latin1')
    if (!CLI_REQUEST.startsWith(start)) return handOver()
    if (seen.length < CLI_REQUEST.length) return
    const request = readCliRequest(seen)
    if (request.state === 'wait') return
    clearTimeout(timer)
    stream.removeListener('readable', look)
    if (request.state === 'refused') return refuse(stream, request.status)
    if (request.rest.length > 0) stream.unshift(request.rest)
    serveCli(stream, request.body).catch(() => stream.destroy())
  }
  const handOver = () => {
    clearTimeout(timer)
    stream.removeListener('readable', look)
    // Still paused: what goes back now is what the server reads first.
    stream.unshift(seen)
    http.emit('connection', stream)
  }
  stream.on('readable', look)
}

/** Reads on for a while: a client that is still sending would never come to the answer. */
function refuse(stream: Duplex, status: string): void {
  const timer = setTimeout(() => stream.destroy(), REFUSED_TIMEOUT_MS)
  stream.once('close', () => clearTimeout(timer))
  stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  stream.resume()
}

type CliRequest =
  | { readonly state: 'wait' }
  | { readonly state: 'refused'; readonly status: string }
  | { readonly state: 'read'; readonly body: Buffer; readonly rest: Buffer }

function readCliRequest(seen: Buffer): CliRequest {
  const end = seen.indexOf('\r\n\r\n')
  if (end < 0) {
    return seen.length > MAX_HEAD_BYTES
      ? { state: 'refused', status: '431 Request Header Fields Too Large' }
      : { state: 'wait' }
  }
  const head = seen.subarray(0, end).toString('latin1')
  const length = /\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*(?:\r\n|$)/i.exec(head)?.[1]
  if (length === undefined) return { state: 'refused', status: '500 Internal Server Error' }
  if (Number(length) > CLI_LIMIT_BYTES) return { state: 'refused', status: '413 Request Entity Too Large' }
  const bodyEnd = end + 4 + Number(length)
  if (seen.length < bodyEnd) return { state: 'wait' }
  return { state: 'read', body: seen.subarray(end + 4, bodyEnd), rest: seen.subarray(bodyEnd) }
}
