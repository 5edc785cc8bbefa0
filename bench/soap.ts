/** SOAP requests a second and their 99th percentile, connection by connection (as pools do) and kept alive. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { type BenchAppliance, freePort, stop } from './appliance.js'
import type { Row } from './main.js'

const BODY = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetXenPoolConfiguration xmlns="http://schemas.citrix.com/DWM"><request><PoolUuid>0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10</PoolUuid></request></GetXenPoolConfiguration></s:Body></s:Envelope>`
const AT_ONCE = 8

/** A bare server with the same certificate that answers every post with as many bytes: all that TLS and HTTP cost alone. */
const PEER = `
const { readFileSync } = require('node:fs')
const [certificate, key, port, bytes] = process.argv.slice(1)
const body = 'x'.repeat(Number(bytes))
require('node:https').createServer({ cert: readFileSync(certificate), key: readFileSync(key), ecdhCurve: 'auto' }, (request, response) => {
  request.resume().on('end', () => response.writeHead(200, { 'Content-Length': body.length, Connection: request.headers.connection }).end(body))
}).listen(Number(port), '127.0.0.1', () => console.log('ready'))`

export async function soap(appliance: BenchAppliance): Promise<Row[]> {
  const bytes = (await post(appliance, appliance.port, new Agent({ maxCachedSessions: 0 }), 'close')).bytes
  const port = await freePort()
  const peer = spawn(
    process.execPath,
    ['-e', PEER, appliance.certificate, appliance.key, String(port), String(bytes)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(peer.stdout, 'data')
  try {
    return [await compare(appliance, port, 'close', 400), await compare(appliance, port, 'keep-alive', 6000)]
  } finally {
    await stop(peer)
  }
}

async function compare(
  appliance: BenchAppliance,
  peerPort: number,
  connection: 'close' | 'keep-alive',
  count: number,
): Promise<Row> {
  const ours = await load(appliance, appliance.port, connection, count)
  const peer = await load(appliance, peerPort, connection, count)
  return {
    what: `SOAP requests, ${connection === 'close' ? 'a connection each' : 'kept alive'}`,
    ours: `${ours.perSecond.toFixed(0)}/s, p99 ${ours.p99Ms.toFixed(1)} ms`,
    peer: `${peer.perSecond.toFixed(0)}/s, p99 ${peer.p99Ms.toFixed(1)} ms bare node:https`,
    ratio: (ours.perSecond / peer.perSecond).toFixed(2),
    limit: connection === 'close' ? 'the P-384 handshake' : 'reading XML and the database',
  }
}

async function load(appliance: BenchAppliance, port: number, connection: 'close' | 'keep-alive', count: number) {
  const agent = new Agent({ keepAlive: connection === 'keep-alive', maxSockets: AT_ONCE, maxCachedSessions: 0 })
  const times: number[] = []
  let left = count
  const start = performance.now()
  const worker = async () => {
    while (left-- > 0) {
      const before = performance.now()
      await post(appliance, port, agent, connection)
      times.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const perSecond = (count / (performance.now() - start)) * 1000
  agent.destroy()
  times.sort((a, b) => a - b)
  return { perSecond, p99Ms: times[Math.floor(times.length * 0.99)] ?? Number.NaN }
}

function post(appliance: BenchAppliance, port: number, agent: Agent, connection: string): Promise<{ bytes: number }> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port,
        agent,
        method: 'POST',
        path: '/Citrix.Dwm.WorkloadBalance/Service',
        ca: readOnce(appliance.certificate),
        servername: 'wlb.bench.internal',
        maxVersion: 'TLSv1.2',
        ecdhCurve: 'secp384r1',
        headers: {
          Authorization: appliance.authorization,
          'Content-Type': 'text/xml; charset=utf-8',
          'Content-Length': BODY.length,
          Connection: connection,
        },
      },
      (response) => {
        let bytes = 0
        response.on('data', (piece: Buffer) => {
          bytes += piece.length
        })
        response.on('end', () =>
          response.statusCode === 200 ? resolve({ bytes }) : reject(new Error(`status ${response.statusCode}`)),
        )
      },
    )
    call.on('error', reject)
    call.end(BODY)
  })
}

const files = new Map<string, Buffer>()
function readOnce(path: string): Buffer {
  const content = files.get(path) ?? readFileSync(path)
  files.set(path, content)
  return content
}
