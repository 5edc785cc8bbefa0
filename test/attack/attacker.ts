/**
 * The program of an attacker: `attacker.ts NAME ADDRESS PORT` goes on until it is killed, or for a minute. Every attack begins anew
 * whatever the appliance ends. A line on stdout says when it has begun.
 */

import type { TcpSocketConnectOpts } from 'node:net'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { SERVICE_PATH } from '../../src/wlb/index.js'

const LONGEST_MS = 60_000

const [name = '', address = '', portText = ''] = process.argv.slice(2)
const port = Number(portText)

let guess = 0
/** A request with another wrong password each time. */
function wrong(connection = 'keep-alive', length = 10): string {
  const authorization = `Basic ${Buffer.from(`wlbuser:guess-${process.pid}-${guess++}`).toString('base64')}`
  const head = `POST ${SERVICE_PATH} HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\nAuthorization: ${authorization}`
  return `${head}\r\nContent-Length: ${length}\r\n\r\n`
}

/** The beginning of a ClientHello: a record of 512 bytes of which a few arrive. */
const HALF_A_HELLO = Buffer.from('16030102000100', 'hex')

/** Keeps `count` connections; `attack` gets each new one, and the next is made when it has closed. */
function keep(count: number, open: () => Socket, attack: (socket: Socket) => void, breakMs = 20): void {
  const one = () => {
    const socket = open()
    socket.on('error', () => {})
    socket.once('close', () => setTimeout(one, breakMs))
    attack(socket)
  }
  for (let index = 0; index < count; index++) one()
}

const plain = (localAddress?: string) => connect({ host: address, port, ...(localAddress && { localAddress }) })
const tls = (
  options: ConnectionOptions & Partial<TcpSocketConnectOpts> & { readonly allowHalfOpen?: boolean } = {},
): TLSSocket => connectTls({ host: address, port, rejectUnauthorized: false, ecdhCurve: 'auto', ...options })
const pool = () => tls({ maxVersion: 'TLSv1.2', ecdhCurve: 'secp384r1' })

const afterHandshake = (attack: (socket: Socket) => void) => (socket: Socket) =>
  void socket.once('secureConnect', () => attack(socket))
const drip = (socket: Socket, text: string, everyMs: number) => {
  const timer = setInterval(() => socket.write(text), everyMs)
  socket.once('close', () => clearInterval(timer))
}
/** Sends for as long as the other side takes it. */
const flood = (socket: Socket, text: string) => {
  const more = () => {
    if (socket.destroyed) return
    if (socket.write(text)) setImmediate(more)
    else socket.once('drain', more)
  }
  more()
}
let source = 0
/** Another address each time, of about a million. */
const elsewhere = () => `127.${100 + ((source >> 14) % 100)}.${(source >> 7) % 128}.${(source++ % 127) + 1}`
const nothing = () => {}
const unread = (socket: Socket) => socket.pause()

const attacks: Readonly<Record<string, () => void>> = {
  'silent connections': () => keep(500, plain, nothing),
  'silent connections from many addresses': () => keep(500, () => plain(elsewhere()), nothing),
  'half a ClientHello': () => keep(500, plain, (socket) => void socket.write(HALF_A_HELLO)),
  'connections that end at once': () =>
    keep(200, plain, (socket) => void socket.once('connect', () => socket.resetAndDestroy()), 0),
  'half-closed connections': () => {
    keep(
      250,
      () => connect({ host: address, port, allowHalfOpen: true }),
      (socket) => void socket.end(HALF_A_HELLO),
    )
    keep(
      50,
      () => tls({ allowHalfOpen: true }),
      afterHandshake((socket) => void socket.end(wrong())),
    )
  },
  'handshakes and no request': () => keep(300, tls, nothing),
  'handshakes and no request from elsewhere': () => keep(300, () => tls({ localAddress: elsewhere() }), nothing),
  'slow headers': () => {
    keep(
      100,
      tls,
      afterHandshake((socket) => {
        socket.write(`POST ${SERVICE_PATH} HTTP/1.1\r\n`)
        drip(socket, 'x-slow: 1\r\n', 400)
      }),
    )
  },
  'slow bodies': () => {
    keep(
      100,
      tls,
      afterHandshake((socket) => {
        socket.resume().write(wrong('close', 200_000))
        drip(socket, 'x', 100)
      }),
    )
  },
  'pipelines of 1,000': () => {
    keep(
      20,
      tls,
      afterHandshake((socket) => {
        socket.resume().write(Array.from({ length: 1_000 }, () => `${wrong()}0123456789`).join(''))
      }),
    )
  },
  'wrong passwords from one address': () => {
    keep(
      100,
      pool,
      afterHandshake((socket) => void socket.resume().write(`${wrong('close')}0123456789`)),
    )
  },
  'wrong passwords from many addresses': () => {
    keep(
      100,
      () => tls({ localAddress: elsewhere() }),
      afterHandshake((socket) => void socket.resume().write(`${wrong('close')}0123456789`)),
    )
  },
  'headers of 1 MB': () => {
    const header = `x-large: ${'x'.repeat(1 << 20)}\r\n\r\n`
    keep(
      50,
      tls,
      afterHandshake((socket) => void socket.resume().write(`POST ${SERVICE_PATH} HTTP/1.1\r\n${header}`)),
    )
  },
  'endless headers': () => {
    keep(
      50,
      tls,
      afterHandshake((socket) => {
        socket.resume().write(`POST ${SERVICE_PATH} HTTP/1.1\r\n`)
        flood(socket, 'x-a: b\r\n'.repeat(1_000))
      }),
    )
  },
  'answers never read': () => {
    keep(
      100,
      tls,
      afterHandshake((socket) => {
        unread(socket)
        flood(socket, `${wrong()}0123456789`.repeat(100))
      }),
    )
  },
  'tiny records and renegotiation': () => {
    keep(50, pool, (socket) => {
      socket.once('secureConnect', () => {
        socket.setNoDelay(true)
        drip(socket, 'P', 1)
        if ('renegotiate' in socket && typeof socket.renegotiate === 'function') socket.renegotiate({}, nothing)
      })
    })
  },
}

const attack = attacks[name]
if (!attack) throw new Error(`no attack is called ${name}`)
setTimeout(() => process.exit(), LONGEST_MS)
attack()
process.stdout.write('begun\n')
