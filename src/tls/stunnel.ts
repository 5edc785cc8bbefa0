/** The real stunnel, run as a pool runs it: its configuration, one connection over its standard input and output, its log. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { Duplex, type Readable, Writable } from 'node:stream'
import { fail } from './errors.js'
import { POOL_TLS, type PoolConnection, type PoolDial, STUNNEL_INDICATORS, type TlsFailure } from './pool-client.js'

/**
 * Spawns stunnel and waits until it says that the handshake is over, or ends.
 *
 * @throws STUNNEL_NOT_FOUND when no program is at any of the places a pool looks.
 */
export async function dialWithStunnel(dial: PoolDial): Promise<PoolConnection> {
  const binary = findStunnel()
  if (!binary) throw fail('STUNNEL_NOT_FOUND', { lookedAt: LOOKED_AT })
  if (dial.signal?.aborted) return { state: 'failed', failure: { kind: 'reset' }, log: '' }

  const child = spawn(binary, ['-fd', '3'], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environmentAt(dial.verify?.now?.()) },
  })
  const { stdin, stdout, stderr } = child
  const configuration = child.stdio[3]
  if (!stdin || !stdout || !stderr || !(configuration instanceof Writable))
    throw fail('STUNNEL_NOT_FOUND', { lookedAt: LOOKED_AT })
  // a stunnel that ends early breaks its pipes; its end is reported, errors of the pipes are not
  for (const pipe of [stdin, stdout, configuration]) pipe.on('error', () => {})
  configuration.end(configure(dial))

  return new Promise((resolve, reject) => {
    let log = ''
    let settled = false
    const abort = () => settle({ state: 'failed', failure: { kind: 'reset' }, log: keepNotices(log) })
    const timer = setTimeout(
      () => settle({ state: 'failed', failure: { kind: 'timeout' }, log: keepNotices(log) }),
      dial.timeoutMs,
    )
    const settle = (outcome: PoolConnection) => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      dial.signal?.removeEventListener('abort', abort)
      if (outcome.state === 'failed') child.kill('SIGKILL')
      resolve(outcome)
    }
    dial.signal?.addEventListener('abort', abort)
    stderr.setEncoding('utf8').on('data', (text: string) => {
      if (settled) return // kept draining: a full pipe would stop stunnel
      log += text
      if (saysConnected(log)) settle({ state: 'connected', stream: joinPipes(child, stdin, stdout, dial.signal) })
    })
    child.once('error', (error) => {
      reject(fail('STUNNEL_NOT_FOUND', { lookedAt: LOOKED_AT }, error))
      settle({ state: 'failed', failure: { kind: 'reset' }, log })
    })
    child.once('close', () => {
      const seen = keepNotices(log)
      settle({ state: 'failed', failure: scanStunnelLog(seen), log: seen })
    })
  })
}

function configure({ serverName, address, port, verify }: PoolDial): string {
  const asPool = stunnelConfiguration({
    connectHost: address,
    port,
    debugLevel: 7,
    // a pool hands stunnel the name itself; here the name was resolved by the host's own resolver
    sni: serverName,
    verify: verify && {
      checkHost: serverName,
      bundlePath: verify.bundlePath,
      pinsLeaf: verify.pinsLeaf,
      crlDirectory: hasEntries(verify.crlDirectory) ? verify.crlDirectory : undefined,
    },
  })
  return `${NO_SYSLOG}\n${asPool}`
}

/** The log is read from standard error; without a syslog, stunnel would write each line to the console, slowly. */
const NO_SYSLOG = 'syslog = no'

function hasEntries(directory: string): boolean {
  try {
    return readdirSync(directory).length > 0
  } catch {
    return false
  }
}

/**
 * One stream out of two pipes. Node's own `Duplex.from` calls a plain `destroy()` an error, which no socket does.
 * stunnel would wait a minute for our half to close, so the end of its output ends it.
 */
function joinPipes(child: ChildProcess, stdin: Writable, stdout: Readable, signal: AbortSignal | undefined): Duplex {
  const stream = new Duplex({
    allowHalfOpen: false, // as a socket of Node's
    read: () => stdout.resume(),
    write: (chunk, encoding, done) => stdin.write(chunk, encoding, done),
    final: (done) => {
      stdin.end() // an already broken pipe does not matter at the end
      done()
    },
    destroy: (error, done) => {
      signal?.removeEventListener('abort', abort)
      child.kill('SIGKILL')
      done(error)
    },
  })
  const abort = () => stream.destroy()
  signal?.addEventListener('abort', abort)
  stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout.pause()
  })
  stdout.once('end', () => {
    child.kill('SIGKILL')
    stream.push(null)
  })
  return stream
}

const STUNNEL_PLACES = [
  '/opt/xensource/libexec/stunnel/stunnel',
  '/usr/sbin/stunnel4',
  '/usr/sbin/stunnel',
  '/usr/bin/stunnel4',
  '/usr/bin/stunnel',
]
const LOOKED_AT = ['$XE_STUNNEL', ...STUNNEL_PLACES].join(' ')

/** Finds the program where a pool's own tools search: `$XE_STUNNEL`, then its usual places. */
function findStunnel(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return environment.XE_STUNNEL || STUNNEL_PLACES.find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface StunnelSettings {
  /** A name or an address; stunnel splits at the last colon, so IPv6 takes no brackets. */
  readonly connectHost: string
  readonly port: number
  /** 5, or 7 where a host asks for debugging. */
  readonly debugLevel?: 5 | 7
  readonly idleTimeoutSeconds?: number
  /** Sent as server name; without it stunnel sends `connectHost`. */
  readonly sni?: string
  readonly verify?: {
    /** The name the certificate must speak for. */
    readonly checkHost: string
    readonly bundlePath: string
    /** Only where the folder has an entry. */
    readonly crlDirectory?: string
    /** The leaf itself must be in the bundle, as on pools of before December 2024. */
    readonly pinsLeaf?: boolean
  }
}

/** Writes the text for `stunnel -fd`. An unset line stays as an empty one, as in a pool's own. */
export function stunnelConfiguration(settings: StunnelSettings): string {
  const { connectHost, port, debugLevel = 5, idleTimeoutSeconds, sni, verify } = settings
  const lines = [
    'client=yes',
    'foreground=yes',
    'socket = r:TCP_NODELAY=1',
    'socket = r:SO_KEEPALIVE=1',
    'socket = a:SO_KEEPALIVE=1',
    idleTimeoutSeconds === undefined ? '' : `TIMEOUTidle = ${idleTimeoutSeconds}`,
    'fips=no',
    `debug=authpriv.${debugLevel}`,
    `connect=${connectHost}:${port}`,
    `sslVersion = ${POOL_TLS.version}`,
    `ciphers = ${POOL_TLS.ciphers.join(':')}`,
    `curve = ${POOL_TLS.curve}`,
  ]
  const sniLine = sni === undefined ? '' : `sni = ${sni}`
  if (!verify) return [...lines, ...(sniLine ? [sniLine] : []), ''].join('\n')
  const nameCheck = `checkHost=${verify.checkHost}`
  return [
    ...lines,
    ...(verify.pinsLeaf ? [nameCheck, 'verifyPeer=yes'] : ['verifyChain=yes', nameCheck]),
    '',
    '# use SNI to request a specific cert. CAfile contains',
    '# public certs of all hosts in the pool and must contain',
    '# the cert of the server we connect to',
    sniLine,
    `CAfile=${verify.bundlePath}`,
    verify.crlDirectory === undefined ? '' : `CRLpath=${verify.crlDirectory}`,
    '',
  ].join('\n')
}

const CERTIFICATE_TEXT = 'CERT: '

/** Finds the first line that decides; what was said of certificates before it is the reason, newest first. */
export function scanStunnelLog(log: string): TlsFailure {
  const reasons: string[] = []
  for (const line of log.split('\n')) {
    const at = line.lastIndexOf(CERTIFICATE_TEXT)
    if (at >= 0) reasons.unshift(line.slice(at + CERTIFICATE_TEXT.length))
    if (line.includes('certificate verify failed')) return { kind: 'verify', reason: reasons.join(';') }
    const indicator = STUNNEL_INDICATORS.find((text) => line.includes(text))
    if (indicator) return { kind: 'stunnel', indicator }
  }
  return { kind: 'reset' }
}

/**
 * Leaves out what a pool never sees: it runs stunnel at level 5 (notice), we at 7 (debug), because only there
 * the log says when the handshake is over.
 */
export function keepNotices(log: string): string {
  return log
    .split('\n')
    .filter((line) => !/ LOG[67]\[/.test(line))
    .join('\n')
}

/** Reads from a log at level 7 whether the handshake is done and data may flow. */
function saysConnected(log: string): boolean {
  return log.includes(': TLS connected: ')
}

const FAKETIME_PLACES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
  (triple) => `/usr/lib/${triple}/faketime/libfaketime.so.1`,
)
/** A smaller difference is the time between the two calls. */
const SAME_TIME_MS = 1_000

/**
 * The environment in which a program's clock says `now` (libfaketime); empty where that is the system's time.
 *
 * @throws FAKETIME_NOT_FOUND when the library is not installed.
 */
function environmentAt(now: Date | undefined): Readonly<Record<string, string>> {
  const offsetMs = now ? now.getTime() - Date.now() : 0
  if (Math.abs(offsetMs) < SAME_TIME_MS) return {}
  const library = FAKETIME_PLACES.find((place) => existsSync(place))
  if (!library) throw fail('FAKETIME_NOT_FOUND', { lookedAt: FAKETIME_PLACES.join(' ') })
  const seconds = Math.round(offsetMs / 1000)
  return { LD_PRELOAD: library, FAKETIME: `${seconds < 0 ? '' : '+'}${seconds}s` }
}
