/** The real stunnel, run as a pool runs it: configuration on a pipe, one connection over its standard input and output. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { Duplex, type Readable, Writable } from 'node:stream'
import { fail } from './errors.js'
import { environmentAt } from './other-clock.js'
import type { PoolConnection, PoolDial } from './pool-connection.js'
import { stunnelConfiguration } from './stunnel-configuration.js'
import { keepNotices, saysConnected, scanStunnelLog } from './stunnel-log.js'

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
  // a stunnel that dies early breaks its pipes: its end says so, the pipes need not
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
    ...(verify && {
      verify: {
        checkHost: serverName,
        bundlePath: verify.bundlePath,
        pinsLeaf: verify.pinsLeaf === true,
        ...(hasEntries(verify.crlDirectory) && { crlDirectory: verify.crlDirectory }),
      },
    }),
  })
  return `${NO_SYSLOG}\n${asPool}`
}

/** What we are told is not the machine's business; and where it has no syslog, each line goes to its console, slowly. */
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
      stdin.end() // a pipe already broken is no news at the end
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

const PLACES = [
  '/opt/xensource/libexec/stunnel/stunnel',
  '/usr/sbin/stunnel4',
  '/usr/sbin/stunnel',
  '/usr/bin/stunnel4',
  '/usr/bin/stunnel',
]
const LOOKED_AT = ['$XE_STUNNEL', ...PLACES].join(' ')

/** Finds the program where a pool's own tools look: `$XE_STUNNEL`, then its usual places. */
function findStunnel(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return environment.XE_STUNNEL || PLACES.find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
