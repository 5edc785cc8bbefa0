/** A client that sends exactly these bytes and keeps its own side open, to see when the other side ends. */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { encodeRequest, SERVICE_PATH, type WlbCall } from '../../src/wlb/index.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { assertStrictReply, type StrictReply } from '../wlb/strict-reader.js'
import { basic } from './test-appliance.js'

export interface RawAnswer {
  readonly status: number
  /** As sent, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** Between the last byte of the answer and the end of the stream. */
  readonly endedAfterMs: number
  readonly text: string
}

export async function openRaw(port: number): Promise<TLSSocket> {
  const socket = connect({ host: OWN_ADDRESS, port, rejectUnauthorized: false, ecdhCurve: 'auto' })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

/** Reads to the end of the stream. */
export async function readRaw(socket: TLSSocket): Promise<RawAnswer> {
  const pieces: Buffer[] = []
  let lastMs = performance.now()
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece)
    lastMs = performance.now()
  })
  await Promise.race([once(socket, 'end'), once(socket, 'close')])
  const endedAfterMs = performance.now() - lastMs
  socket.destroy()
  return { ...parse(Buffer.concat(pieces)), endedAfterMs }
}

export async function sendRaw(port: number, ...pieces: (string | Buffer)[]): Promise<RawAnswer> {
  const socket = await openRaw(port)
  for (const piece of pieces) socket.write(piece)
  return readRaw(socket)
}

export function header({ headers }: RawAnswer, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
}

/** A request with the headers a pool sends; what is given replaces or removes (`undefined`) one of them. */
export function post(body: string | Buffer, changes: Readonly<Record<string, string | undefined>> = {}): Buffer {
  const headers: Record<string, string | undefined> = {
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'xapi/26.13',
    connection: 'close',
    'Content-Type': 'text/xml; charset=utf-8',
    Authorization: basic(),
    Host: 'wlb.lab.internal',
    ...changes,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return Buffer.concat([
    Buffer.from(`${[`POST ${SERVICE_PATH} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`),
    Buffer.from(body),
  ])
}

/** Makes a call as a pool does and judges the answer by every rule we know. */
export async function call(port: number, request: WlbCall, changes: Record<string, string> = {}): Promise<StrictReply> {
  return strictly(request.method, await sendRaw(port, post(encodeRequest(request), changes)))
}

export function strictly(method: string, { status, headers, body }: RawAnswer): StrictReply {
  return assertStrictReply(method, { status, headers: Object.fromEntries(headers), body })
}

function parse(bytes: Buffer): Omit<RawAnswer, 'endedAfterMs'> {
  const end = bytes.indexOf('\r\n\r\n')
  const [first = '', ...lines] = bytes.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n')
  const body = bytes.subarray(end + 4)
  return {
    status: Number(first.split(' ')[1] ?? 0),
    headers: lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
    }),
    body,
    text: body.toString('utf8'),
  }
}
