/** From an authority's files to a served certificate: `wlb cert install` against the steps of old, typed by a script. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import { encodeRequest, SERVICE_PATH } from '../src/wlb/index.js'
import { freePort } from '../test/free-port.js'
import { type Issued, issue, issueAuthority } from '../test/x509/test-authority.js'
import { type BenchAppliance, median, PROGRAM } from './appliance.js'
import { rounds } from './rounds.js'
import type { Row } from './row.js'

const ROUNDS = rounds(5)
const HOSTNAME = 'wlb.bench.internal'
const BODY = encodeRequest({ method: 'RemoveXenServer', request: { poolUuid: 'none' } })

export async function install(appliance: BenchAppliance): Promise<Row[]> {
  const identities = await writeIdentities(appliance)
  const ours: number[] = []
  const theirs: number[] = []
  const stunnel = await startStunnel(appliance)
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const next = identities[round % 2]
      if (!next) throw new Error('there are two identities')
      ours.push(await timeOf(appliance.port, next, () => wlbInstall(appliance, next)))
      theirs.push(await timeOf(stunnel.port, next, () => stunnel.install(next)))
    }
  } finally {
    await stunnel.stop()
  }
  const [a, b] = [median(ours), median(theirs)]
  return [
    {
      what: 'certificate installed: files to served',
      ours: `${a.toFixed(0)} ms`,
      peer: `${b.toFixed(0)} ms cat, mv, chmod, stunnel killed and started`,
      ratio: (a / b).toFixed(2),
      limit: 'the start of a program; then about thirty flushed files: history, original, proof by a handshake',
    },
    await reloadUnderLoad(appliance, identities),
  ]
}

interface BenchIdentity {
  readonly name: string
  readonly files: readonly string[]
  readonly key: string
  readonly fingerprint: string
}

async function writeIdentities({ folder }: BenchAppliance): Promise<BenchIdentity[]> {
  const root = await issueAuthority({ subject: 'Bench Root' })
  const mid = await issueAuthority({ subject: 'Bench Issuer', issuer: root })
  const write = (name: string, content: string) => {
    const file = join(folder, name)
    writeFileSync(file, content, { mode: 0o600 })
    return file
  }
  const issuers = [write('mid.pem', mid.certificatePem), write('root.pem', root.certificatePem)]
  const describe = (name: string, { certificatePem, privateKeyPem, certificate }: Issued): BenchIdentity => ({
    name,
    files: [write(`${name}.pem`, certificatePem), ...issuers],
    key: write(`${name}.key`, privateKeyPem),
    fingerprint: certificate.fingerprint256,
  })
  const make = (keyLabel: string) => issue({ subject: HOSTNAME, dnsNames: [HOSTNAME], issuer: mid, keyLabel })
  return [describe('one', await make('one')), describe('two', await make('two'))]
}

async function wlbInstall({ folder }: BenchAppliance, { files, key }: BenchIdentity): Promise<void> {
  const args = [PROGRAM, '--root', folder, 'cert', 'install', ...files, '--key', key, '--yes']
  const [exitCode] = await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'exit')
  if (exitCode !== 0) throw new Error(`wlb cert install ended with ${exitCode}`)
}

/** From the first keystroke until a handshake shows it. */
async function timeOf(port: number, { fingerprint }: BenchIdentity, act: () => Promise<void>): Promise<number> {
  const before = performance.now()
  await act()
  while ((await served(port)) !== fingerprint) await pause(2)
  return performance.now() - before
}

function served(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      socket.destroy()
    }).once('error', () => resolve(''))
  })
}

/** An appliance of old: stunnel before a port nobody answers on, which is as far as a handshake needs. */
async function startStunnel({ folder }: BenchAppliance) {
  const port = await freePort()
  const [pem, key, pid] = ['old.pem', 'old.key', 'stunnel.pid'].map((name) => join(folder, name))
  const configuration = join(folder, 'stunnel.conf')
  const service = `[wlb]\naccept = 127.0.0.1:${port}\nconnect = 127.0.0.1:9\ncert = ${pem}\nkey = ${key}\n`
  writeFileSync(configuration, `pid = ${pid}\ndebug = 3\n${service}`)
  const script = [
    'set -e',
    `cat "$1" "$2" "$3" > ${folder}/merged.pem`,
    `if [ -e ${pem} ]; then mv ${pem} ${pem}_orig; mv ${key} ${key}_orig; fi`,
    `mv ${folder}/merged.pem ${pem}`,
    `cp "$4" ${key}`,
    `chmod 600 ${key}`,
    `if [ -e ${pid} ]; then old=$(cat ${pid}); kill $old; while kill -0 $old 2>/dev/null; do sleep 0.01; done; fi`,
    `stunnel ${configuration}`,
  ].join('\n')
  const run = (shell: string, ...args: string[]) =>
    execFileSync('sh', ['-c', shell, 'sh', ...args], { stdio: 'ignore' })
  return {
    port,
    install: async (identity: BenchIdentity) => void run(script, ...identity.files, identity.key),
    stop: async () => void run(`[ ! -e ${pid} ] || kill $(cat ${pid})`),
  }
}

const REQUESTS = rounds(1000)
const PER_SECOND = 200

/** Requests at a steady pace, first in peace, then with the certificate replaced all the while; each must be answered. */
async function reloadUnderLoad(appliance: BenchAppliance, identities: readonly BenchIdentity[]): Promise<Row> {
  const peace = await load(appliance)
  let changing = true
  let changes = 0
  const change = async () => {
    for (; changing; changes++) {
      const next = identities[changes % 2]
      if (next) await wlbInstall(appliance, next)
    }
  }
  const changed = change()
  const measured = await load(appliance).finally(() => {
    changing = false
  })
  await changed
  const say = ({ p99Ms, failed }: Load) => `p99 ${p99Ms.toFixed(1)} ms, ${failed} failed`
  return {
    what: `${REQUESTS} requests at ${PER_SECOND} a second, ${changes} certificates installed meanwhile`,
    ours: say(measured),
    peer: `${say(peace)} with none`,
    ratio: (measured.p99Ms / peace.p99Ms).toFixed(2),
    limit: 'the installing program takes its share of the processor',
  }
}

interface Load {
  readonly p99Ms: number
  readonly failed: number
}

/** Kept-alive connections that end now and then, so that old and new certificates are both in use. */
async function load(appliance: BenchAppliance): Promise<Load> {
  const times: number[] = []
  let failed = 0
  let agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const start = performance.now()
  const asked: Promise<void>[] = []
  for (let count = 0; count < REQUESTS; count++) {
    await pause(Math.max(0, start + (count * 1000) / PER_SECOND - performance.now()))
    if (count % 50 === 49) agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const before = performance.now()
    const answered = ask(appliance, agent).then(
      () => void times.push(performance.now() - before),
      () => void failed++,
    )
    asked.push(answered)
  }
  await Promise.all(asked)
  times.sort((a, b) => a - b)
  return { p99Ms: times[Math.floor(times.length * 0.99)] ?? Number.NaN, failed }
}

function ask({ port, authorization }: BenchAppliance, agent: Agent): Promise<void> {
  const headers = {
    Authorization: authorization,
    'Content-Type': 'text/xml; charset=utf-8',
    'Content-Length': Buffer.byteLength(BODY),
    Connection: 'keep-alive',
  }
  const options = { host: '127.0.0.1', port, agent, method: 'POST', path: SERVICE_PATH, headers }
  return new Promise((resolve, reject) => {
    const call = request({ ...options, rejectUnauthorized: false }, (response) => {
      const isAnswer = response.statusCode === 200
      response.resume().once('end', () => (isAnswer ? resolve() : reject(new Error(`status ${response.statusCode}`))))
      response.once('error', reject)
    })
    call.once('error', reject).end(BODY)
  })
}
