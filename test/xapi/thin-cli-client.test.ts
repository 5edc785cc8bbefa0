/** What the client does by the clock: heartbeats while a transfer keeps it busy. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { encodeBanner, encodeCommand, ThinCliReader } from '../../src/xapi/index.js'
import { runThinCliClient } from '../../src/xapi/thin-cli/client.js'
import { type Peer, startFakeServer } from './fake-server.js'

const cases: [what: string, minor: number, minutesBetweenLooks: number, heard: string[]][] = [
  ['a server of 0.2 hears from a slow transfer', 2, 5, ['Wait', 'OK']],
  ['and not more often than every five minutes', 2, 1, ['OK']],
  ['one of 0.1 does not know heartbeats', 1, 5, ['OK']],
]

it.each(cases)('%s', async (_what, minor, minutesBetweenLooks, expected) => {
  const heard: string[] = []
  const server = await startFakeServer(async (peer: Peer) => {
    if (peer.head.startsWith('GET ')) return void peer.socket.end('HTTP/1.0 200 OK\r\n\r\npiece')
    peer.socket.write(encodeBanner({ major: 0, minor }))
    const reader = new ThinCliReader(peer.socket)
    await reader.readBanner()
    peer.socket.write(encodeCommand({ name: 'HttpGet', file: '', url: '/x' }))
    while (heard.at(-1) !== 'OK') {
      const message = await reader.readMessage()
      heard.push(message?.kind === 'response' ? message.response : 'end')
    }
    peer.exit(0)
  })
  const dial = async () => {
    const stream = connect(server.port, server.address)
    await once(stream, 'connect')
    return stream
  }
  const stream = await dial()
  let minutes = 0
  const status = await runThinCliClient({
    stream,
    request: { args: ['x'] },
    permittedFiles: new Set(),
    terminal: {
      output: new PassThrough().resume(),
      errors: new PassThrough().resume(),
      readLine: async () => '',
      attachConsole: async () => {},
      trace: () => {},
    },
    connectAside: dial,
    now: () => {
      minutes += minutesBetweenLooks
      return minutes * 60_000
    },
  })
  stream.destroy()
  await server.close()
  expect([status, heard]).toEqual([0, expected])
})
