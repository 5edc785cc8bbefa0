/** One verdict on one certificate: ours, warm and as a whole process, against the programs one would ask otherwise. */
import { type ExecFileSyncOptions, execFileSync, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkAsPool, dialAsPool } from '../src/tls/index.js'
import { readPemBlocks, validate } from '../src/x509/index.js'
import { freePort } from '../test/free-port.js'
import { rehearse } from '../test/tls/rehearse.js'
import { issue, issueAuthority } from '../test/x509/test-authority.js'
import { median, PROGRAM, stop } from './appliance.js'
import { listening } from './listening.js'
import { rounds } from './rounds.js'
import type { Row } from './row.js'

const ROUNDS = rounds(21)
/** One of ours is too short to be timed alone. */
const REPEATS = rounds(50)
const NAME = 'wlb.bench.internal'

/** Leaf, intermediate and root, accepted: the longest way through every check. */
export async function verdict(): Promise<Row[]> {
  const root = await issueAuthority({ subject: 'Bench Root', keyIdentifiers: true })
  const middle = await issueAuthority({ subject: 'Bench Issuing', issuer: root, keyIdentifiers: true })
  const leaf = await issue({
    subject: NAME,
    dnsNames: [NAME],
    extendedKeyUsage: ['serverAuth'],
    issuer: middle,
    keyIdentifiers: true,
  })
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-bench-'))
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const sent = `${leaf.certificatePem}${middle.certificatePem}`
  const chain = file('chain.pem', sent)
  const [leafFile, middleFile] = [file('leaf.pem', leaf.certificatePem), file('middle.pem', middle.certificatePem)]
  const bundle = file('bundle.pem', root.certificatePem)
  const key = file('key.pem', leaf.privateKeyPem)
  const port = await freePort()
  const served = ['-cert', leafFile, '-cert_chain', middleFile, '-key', key, '-quiet']
  const server = spawn('openssl', ['s_server', '-accept', `127.0.0.1:${port}`, ...served], { stdio: 'ignore' })

  const judgeOften = () => {
    for (let repeat = 0; repeat < REPEATS; repeat++) judge(sent, root.certificatePem)
  }
  const anchors = [{ certificate: root.certificate }]
  const known = {
    presented: [leaf.certificate, middle.certificate],
    anchors,
    crls: undefined,
    name: NAME,
    now: new Date(),
  }
  const validateOften = () => {
    for (let repeat = 0; repeat < REPEATS; repeat++) if (!validate(known).accepted) throw new Error('refused')
  }
  const stunnel = async () => {
    const verify = { bundlePath: bundle, crlDirectory: join(folder, 'crls') }
    const target = { serverName: NAME, address: '127.0.0.1', port, verify, timeoutMs: 10_000 }
    const connection = await dialAsPool({ client: 'stunnel', ...target })
    if (connection.state === 'failed') throw new Error(connection.log)
    connection.stream.destroy()
  }
  const handshake = async () => {
    const identity = { certificatePem: sent, privateKeyPem: leaf.privateKeyPem }
    const { state } = await rehearse(identity, { bundle: Buffer.from(root.certificatePem), name: NAME })
    if (state !== 'accepted') throw new Error(state)
  }
  const program = () => {
    execFileSync(process.execPath, [PROGRAM, 'cert', 'check', chain, '--name', NAME, '--trust', bundle], QUIET)
  }
  const verify = () => {
    const trust = ['-no-CApath', '-no-CAstore', '-CAfile', bundle, '-untrusted', chain]
    execFileSync('openssl', ['verify', ...trust, '-purpose', 'sslserver', '-auth_level', '2', leafFile], QUIET)
  }
  const client = () => {
    const rules = ['-CAfile', bundle, '-verify_hostname', NAME, '-verify_return_error', '-tls1_2']
    execFileSync('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...rules], QUIET)
  }

  try {
    await listening(port)
    const before = performance.now()
    judge(sent, root.certificatePem)
    const first = performance.now() - before
    const [ours = 0, ofKnown = 0, byStunnel = 0, byHandshake = 0, byProgram = 0, byVerify = 0, byClient = 0] =
      await timeInTurn(judgeOften, validateOften, stunnel, handshake, program, verify, client)
    const warm = ours / REPEATS
    const limit = 'OpenSSL reading three certificates, and checking two RSA signatures'
    const row = (what: string, mine: number, peer: number, name: string, why: string): Row => ({
      what,
      ours: `${mine.toFixed(2)} ms`,
      peer: `${peer.toFixed(1)} ms ${name}`,
      ratio: (mine / peer).toFixed(4),
      limit: why,
    })
    return [
      row('a verdict, warm', warm, byStunnel, 'stunnel', limit),
      row('a verdict, warm', warm, byVerify, 'openssl verify', limit),
      row('a verdict, warm', warm, byClient, 'openssl s_client', limit),
      row(
        'a verdict on certificates read before',
        ofKnown / REPEATS,
        byStunnel,
        'stunnel',
        'two RSA signatures checked',
      ),
      row('a verdict, the first of a process', first, byStunnel, 'stunnel', 'code that has not run before'),
      row('a rehearsal in memory', byHandshake, byStunnel, 'stunnel', 'the P-384 handshake, of client and server'),
      row('wlb cert check, whole process', byProgram, byStunnel, 'stunnel', 'the start of Node itself'),
    ]
  } finally {
    await stop(server)
    rmSync(folder, { recursive: true, force: true })
  }
}

const QUIET: ExecFileSyncOptions = { stdio: 'ignore' }

/** From the bytes of the files, as a command does it; nothing is kept from one time to the next. */
function judge(sent: string, bundle: string): void {
  const presented = readPemBlocks(sent).map(({ der }) => new X509Certificate(der))
  const question = { presented, bundle: Buffer.from(bundle), crls: undefined, name: NAME, now: new Date(), port: 8012 }
  const { accepted, reason } = checkAsPool(question)
  if (!accepted) throw new Error(reason)
}

/** Each in turn, round after round, so that a slow moment of the machine is nobody's alone; the middle one counts. */
async function timeInTurn(...work: readonly (() => void | Promise<void>)[]): Promise<number[]> {
  const times = work.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, one] of work.entries()) {
      const before = performance.now()
      await one()
      times[index]?.push(performance.now() - before)
    }
  }
  return times.map(median)
}
