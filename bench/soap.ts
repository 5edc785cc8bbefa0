/** SOAP requests a second and their 99th percentile, connection by connection (as pools do) and kept alive. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { freePort } from '../test/free-port.js'
import { type BenchAppliance, median, PROGRAM, stop } from './appliance.js'
import { rounds } from './rounds.js'
import type { Row } from './row.js'

const AT_ONCE = 8
const ROUNDS = rounds(3)

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
    return [await compare(ours, peer, 'close', 300), await compare(ours, peer, 'keep-alive', 1500)]
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

/** In turn, after a warm-up, and the middle of the rounds: whoever is first would pay for compiling both. */
async function compare(ours: Target, peer: Target, connection: 'close' | 'keep-alive', count: number): Promise<Row> {
  const rounds: { ours: Load; peer: Load }[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const measured = { ours: await load(ours, connection, count), peer: await load(peer, connection, count) }
    if (round > 0) rounds.push(measured)
  }
  const middle = (side: 'ours' | 'peer', figure: keyof Load) => median(rounds.map((round) => round[side][figure]))
  const say = (side: 'ours' | 'peer') =>
    `${middle(side, 'perSecond').toFixed(0)}/s, p99 ${middle(side, 'p99Ms').toFixed(1)} ms`
  return {
    what: `configuration asked for, ${connection === 'close' ? 'a connection each' : 'kept alive'}`,
    ours: say('ours'),
    peer: `${say('peer')} bare node:https`,
    ratio: (middle('ours', 'perSecond') / middle('peer', 'perSecond')).toFixed(2),
    limit:
      connection === 'close' ? 'the P-384 handshake, of client and server' : 'the embedded database: six statements',
  }
}

interface Load {
  readonly perSecond: number
  readonly p99Ms: number
}

async function load(target: Target, connection: 'close' | 'keep-alive', count: number): Promise<Load> {
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
