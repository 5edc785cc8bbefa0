/** A connection made as a pool makes it: same limits, same rules, same words when it fails (docs/protocol/pool.md). */
import type { X509Certificate } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { loadHostStore, type Question, validate } from '../x509/index.js'
import { indicatorOf, type PoolConnection, type PoolDial, poolTlsOptions, sniOf } from './pool-client.js'
import { readPeerChain } from './probe.js'
import { dialWithStunnel, scanStunnelLog } from './stunnel.js'

/**
 * Connects and shakes hands. The stream belongs to the caller, who ends or destroys it; aborting `signal` destroys it.
 *
 * @throws STUNNEL_NOT_FOUND when `client` is `stunnel` and there is none.
 */
export function dialAsPool(dial: PoolDial): Promise<PoolConnection> {
  return dial.client === 'stunnel' ? dialWithStunnel(dial) : dialWithNode(dial)
}

type Rules = Pick<Question, 'anchors' | 'crls' | 'now'> & { readonly pinsLeaf: boolean }

/** Node's TLS client with a pool's limits and rules, for machines without stunnel; its log is what stunnel would have written. */
async function dialWithNode(dial: PoolDial): Promise<PoolConnection> {
  const { verify } = dial
  if (!verify) return shakeHands(dial, undefined)
  const store = loadHostStore(await readIfThere(verify.bundlePath), await readFolder(verify.crlDirectory))
  if (store.state === 'unusable') return failed(`LOG3[ui]: ${store.why}\nLOG3[ui]: Configuration failed\n`)
  const { anchors, crls } = store
  const now = verify.now?.() ?? new Date()
  return shakeHands(dial, { anchors, crls, now, pinsLeaf: verify.pinsLeaf === true })
}

function shakeHands(dial: PoolDial, rules: Rules | undefined): Promise<PoolConnection> {
  const { address, port, signal } = dial
  if (signal?.aborted) return Promise.resolve(aborted())
  return new Promise((resolve) => {
    const socket = connect({ ...limits(dial), rejectUnauthorized: false })
    let settled = false
    const settle = (outcome: PoolConnection) => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      socket.off('error', fail).off('close', close)
      if (outcome.state === 'failed') {
        signal?.removeEventListener('abort', abort)
        socket.on('error', () => {}).destroy()
      } else {
        socket.once('close', () => signal?.removeEventListener('abort', abort))
      }
      resolve(outcome)
    }
    const judge = () => {
      const refusal = rules && refuse(dial, socket, rules)
      settle(refusal === undefined ? { state: 'connected', stream: socket } : failed(refusalLog(refusal)))
    }
    const fail = (error: NodeJS.ErrnoException) => settle(failed(errorLog(error, address, port)))
    const close = () => settle(failed('LOG3[0]: SSL_connect: closed by the server\n'))
    const abort = () => {
      settle(aborted())
      socket.destroy()
    }
    const timer = setTimeout(() => settle({ state: 'failed', failure: { kind: 'timeout' }, log: '' }), dial.timeoutMs)
    signal?.addEventListener('abort', abort)
    socket.once('secureConnect', judge).once('error', fail).once('close', close)
  })
}

function aborted(): PoolConnection {
  return { state: 'failed', failure: { kind: 'reset' }, log: '' }
}

/** Node only makes the handshake; its own verdict on the certificates is not used. */
function refuse({ serverName }: PoolDial, socket: TLSSocket, rules: Rules): string | undefined {
  const question = { ...rules, presented: readPeerChain(socket), name: serverName }
  return (rules.pinsLeaf ? refusePinned(question) : validate(question).reason) || undefined
}

/** Everything but the verdict. */
function limits({ serverName, address, port }: PoolDial): ConnectionOptions {
  return {
    host: address,
    port,
    servername: sniOf(serverName),
    ...poolTlsOptions(2),
    checkServerIdentity: () => undefined,
  }
}

function refusalLog(text: string): string {
  return `LOG4[0]: CERT: ${text}\nLOG3[0]: SSL_connect: certificate verify failed\n`
}

function errorLog(error: NodeJS.ErrnoException, address: string, port: number): string {
  const indicator = indicatorOf(error)
  return indicator ? `LOG3[0]: s_connect: connect ${address}:${port}: ${indicator}\n` : `LOG3[0]: ${error.message}\n`
}

function failed(log: string): PoolConnection {
  return { state: 'failed', failure: scanStunnelLog(log), log }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(() => undefined)
}

/** OpenSSL finds a CRL by its link `<hash of the issuer>.r0`, a certificate by `<hash>.0`; any other entry only switches revocation on. */
async function readFolder(directory: string): Promise<Buffer[] | undefined> {
  const entries = await readdir(directory).catch(() => [])
  if (entries.length === 0) return undefined
  const linked = entries.filter((name) => /^[0-9a-f]{8}\.r?[0-9]+$/.test(name))
  const read = await Promise.all(linked.map((name) => readIfThere(join(directory, name))))
  return read.filter((content) => content !== undefined)
}

/** X509_V_ERR numbers stunnel lets pass: no issuer in the store, not trusted, no signature to check. */
const IGNORED = [20, 21, 27]
const NOT_IN_BUNDLE = 'Certificate not found in local repository'
const NAME_MISMATCH = 62

/**
 * What a pool of before December 2024 says of a server (stunnel's `verifyPeer`, measured with 5.68): the bundle must hold a
 * certificate of the leaf's name and key. OpenSSL looks for a path all the same; a fault of the leaf itself counts, one above it,
 * or the lack of an issuer, does not. Returns the text stunnel logs after `CERT: `; empty when the server is accepted.
 */
function refusePinned(question: Question): string {
  const { defects } = validate(question)
  const own = defects.filter(({ depth }) => depth === 0)
  const first = own.find(({ opensslNumber }) => !IGNORED.includes(opensslNumber) && opensslNumber !== NAME_MISMATCH)
  const passed = own.findIndex(({ opensslNumber }) => IGNORED.includes(opensslNumber))
  // After an ignored error stunnel checks name and bundle at once, before OpenSSL meets the next error.
  if (first && (passed < 0 || own.indexOf(first) < passed)) return first.logText
  const misnamed = own.find(({ opensslNumber }) => opensslNumber === NAME_MISMATCH)
  if (misnamed) return misnamed.logText
  const [leaf] = question.presented
  const isInBundle = question.anchors.some(({ certificate }) => leaf !== undefined && isSamePeer(certificate, leaf))
  return isInBundle ? (first?.logText ?? '') : NOT_IN_BUNDLE
}

function isSamePeer(known: X509Certificate, leaf: X509Certificate): boolean {
  try {
    return known.subject === leaf.subject && known.publicKey.equals(leaf.publicKey)
  } catch {
    return false // a kind of key OpenSSL cannot read
  }
}
