/** SOAP requests a second and their 99th percentile, connection by connection (as pools do) and kept alive. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { freePort } from '../test/free-port.js'
import { type BenchAppliance, PROGRAM, stop } from './appliance.js'
import type { Row } from './main.js'

const AT_ONCE = 8

/** A bare server with the same certificate that answers every post with as many bytes: all that TLS and HTTP cost alone. */
const PEER = `
const { readFileSync } = require('node:fs')
const [certificate, key, port, bytes] = process.argv.slice(1)
const body = 'x'.repeat(Number(bytes))
require('node:https').createServer({ cert: readFileSync(certificate), key: readFileSync(key), ecdhCurve: 'auto' }, (request, response) => {
  request.resume().on('end', () => response.writeHead(200, { 'Content-Length': body.length, Connection: request.headers.connection }).end(body))
}).listen(Number(port), '127.0.0.1', () => console.log('ready'))`

interface Target {
  readonly appliance: BenchAppliance
  readonly port: number
  readonly body: string
}

export async function soap(appliance: BenchAppliance): Promise<Row[]> {
  const body = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetXenPoolConfiguration xmlns="http://schemas.citrix.com/DWM"><request><PoolUuid>${registerPool(appliance)}</PoolUuid></request></GetXenPoolConfiguration></s:Body></s:Envelope>`
  const ours: Target = { appliance, port: appliance.port, body }
  const { bytes } = await post(ours, new Agent({ maxCachedSessions: 0 }), 'close')
  const peer: Target = { ...ours, port: await freePort() }
  const args = ['-e', PEER, appliance.certificate, appliance.key, String(peer.port), String(bytes)]
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(server.stdout, 'data')
  try {
    return [await compare(ours, peer, 'close', 400), await compare(ours, peer, 'keep-alive', 4000)]
  } finally {
    await stop(server)
  }
}

/** A lab of one host, connected, so that the answers are those of a registered pool. */
function registerPool({ folder, port }: BenchAppliance): string {
  const lab = (...args: string[]) =>
    execFileSync(process.execPath, [PROGRAM, '--root', folder, 'lab', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  const { pool, password }: { pool: string; password: string } = JSON.parse(
    lab('up', '--hosts', '1', '--add-host', 'wlb.bench.internal=127.0.0.1', '--json'),
  )
  const xe = (...args: string[]) => lab('exec', 'xs1', '--', 'xe', ...args)
  xe('pool-param-set', 'wlb-verify-cert=false', `uuid=${pool}`)
  const connection = [`wlb_url=wlb.bench.internal:${port}`, 'wlb_username=wlbuser', 'wlb_password=bench']
  xe('pool-initialize-wlb', ...connection, 'xenserver_username=root', `xenserver_password=${password}`)
  lab('down')
  return pool
}

async function compare(ours: Target, peer: Target, connection: 'close' | 'keep-alive', count: number): Promise<Row> {
  const [a, b] = [await load(ours, connection, count), await load(peer, connection, count)]
  return {
    what: `configuration asked for, ${connection === 'close' ? 'a connection each' : 'kept alive'}`,
    ours: `${a.perSecond.toFixed(0)}/s, p99 ${a.p99Ms.toFixed(1)} ms`,
    peer: `${b.perSecond.toFixed(0)}/s, p99 ${b.p99Ms.toFixed(1)} ms bare node:https`,
    ratio: (a.perSecond / b.perSecond).toFixed(2),
    limit:
      connection === 'close'
        ? 'the P-384 handshake, shared by client and server'
        : 'the embedded database: four queries',
  }
}

async function load(target: Target, connection: 'close' | 'keep-alive', count: number) {
  const agent = new Agent({ keepAlive: connection === 'keep-alive', maxSockets: AT_ONCE, maxCachedSessions: 0 })
  const times: number[] = []
  let left = count
  const start = performance.now()
  const worker = async () => {
    while (left-- > 0) {
      const before = performance.now()
      await post(target, agent, connection)
      times.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const perSecond = (count / (performance.now() - start)) * 1000
  agent.destroy()
  times.sort((a, b) => a - b)
  return { perSecond, p99Ms: times[Math.floor(times.length * 0.99)] ?? Number.NaN }
}

function post({ appliance, port, body }: Target, agent: Agent, connection: string): Promise<{ bytes: number }> {
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
          'Content-Length': body.length,
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
    call.end(body)
  })
}

const files = new Map<string, Buffer>()
function readOnce(path: string): Buffer {
  const content = files.get(path) ?? readFileSync(path)
  files.set(path, content)
  return content
}
