/**
 * Verification between hosts (docs/protocol/pool.md, pool TLS verification). It is switched on for the whole pool once
 * every host has proven that it can verify every other one; no call switches it off for the pool. `pool.send_test_post`
 * uses it too.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { type Call, changing, emergency, type Method, poolInternal } from '../api/method.js'
import { type Coordinator, callMember, HostUnreachable, type LabHost, memberRefs } from '../host/host.js'
import { resolveByHostsFile } from '../host/host-files.js'
import { connectAsHost, PeerNotTrusted } from '../host/intra-pool.js'
import { decodeResult, encodeCommand } from './distribution-command.js'
import { carryOut, readForDistribution } from './trust-store.js'

export const TLS_VERIFICATION_METHODS: readonly [string, Method][] = [
  ['pool.enable_tls_verification', changing(0, enable)],
  ['host.lab_verify_pool', poolInternal(2, 'here', verifyPool)],
  ['host.emergency_disable_tls_verification', emergency(0, ({ host }) => switchOff(host))],
  ['host.emergency_reenable_tls_verification', emergency(0, ({ host }) => switchOn(host))],
]

const POOL_CERTIFICATES = { store: 'HostPoolCert' } as const

async function enable({ host, coordinator }: Call): Promise<ApiValue> {
  const { database } = coordinator
  await exchangeCertificates(host, coordinator)
  const addresses = database.rows('host').map(([, record]) => String(record.address))
  await verifyAll(host, addresses)
  for (const ref of memberRefs(coordinator)) {
    await callMember(host, coordinator, ref, 'host.lab_verify_pool', ref, addresses)
  }
  for (const ref of database.refs('host')) database.update('host', ref, { tls_verification_enabled: true })
  database.update('pool', database.pool.ref, { tls_verification_enabled: true, wlb_verify_cert: true })
  return ''
}

/** Every host's internal certificate to every host. */
async function exchangeCertificates(host: LabHost, coordinator: Coordinator): Promise<void> {
  const members = memberRefs(coordinator)
  for (const ref of members) {
    const name = String(coordinator.database.get('host', ref).uuid)
    const collect = encodeCommand({ kind: 'CollectOne', from: POOL_CERTIFICATES, name })
    const answer = await callMember(host, coordinator, ref, 'host.cert_distrib_atom', ref, collect)
    const result = decodeResult(String(answer))
    if (result.kind !== 'CollectOneResult') throw new ApiFailure('INTERNAL_ERROR', ['no certificate collected'])
    await carryOut(host.layout, { kind: 'Write', into: POOL_CERTIFICATES, strategy: 'Merge', files: [result.file] })
  }
  await carryOut(host.layout, { kind: 'GenBundle' })
  const files = await readForDistribution(host.layout, POOL_CERTIFICATES)
  const write = encodeCommand({ kind: 'Write', into: POOL_CERTIFICATES, strategy: 'Merge', files })
  for (const ref of members) {
    await callMember(host, coordinator, ref, 'host.cert_distrib_atom', ref, write)
    await callMember(host, coordinator, ref, 'host.cert_distrib_atom', ref, encodeCommand({ kind: 'GenBundle' }))
  }
}

async function verifyPool({ host, args }: Call): Promise<ApiValue> {
  await verifyAll(host, args.texts(1, 'addresses'))
  return ''
}

/** New connections are verified as soon as the switch file exists; it is removed again if one host fails. */
async function verifyAll(host: LabHost, addresses: readonly string[]): Promise<void> {
  await switchOn(host)
  try {
    for (const address of addresses) await host.callPool(address, 'system.isAlive', [host.settings.uuid])
  } catch (error) {
    await switchOff(host)
    throw error instanceof HostUnreachable ? new ApiFailure('SSL_VERIFY_ERROR', [error.message]) : error
  }
}

async function switchOn(host: LabHost): Promise<ApiValue> {
  await mkdir(dirname(host.layout.verifySwitch), { recursive: true })
  await writeFile(host.layout.verifySwitch, '')
  host.forgetIdleConnections()
  return ''
}

async function switchOff(host: LabHost): Promise<ApiValue> {
  await rm(host.layout.verifySwitch, { force: true })
  host.forgetIdleConnections()
  return ''
}

export const TEST_POST_METHODS: readonly [string, Method][] = [['pool.send_test_post', changing(3, sendTestPost)]]

const TIMEOUT_MS = 30_000
const ANSWER_LIMIT_BYTES = 1_048_576

async function sendTestPost({ host, args }: Call): Promise<ApiValue> {
  const [name, port, body] = [args.text(0, 'host'), args.number(1, 'port'), args.text(2, 'body')]
  const address = await resolveByHostsFile(host.layout.hosts)(name)
  if (address === undefined) throw new ApiFailure('INTERNAL_ERROR', [`${name} has no address`])
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS)
  try {
    const socket = await connectAsHost(host.layout, address, port)
    timeout.signal.addEventListener('abort', () => socket.destroy())
    const head = `POST / HTTP/1.1\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\nHost: ${name}\r\n\r\n`
    socket.write(head + body)
    return await answerOf(socket)
  } catch (error) {
    // xapi has this text as a literal here, with a zero that its other WLB timeouts lack.
    if (timeout.signal.aborted) throw new ApiFailure('WLB_TIMEOUT', ['30.0'])
    if (error instanceof PeerNotTrusted) {
      throw new ApiFailure('SSL_VERIFY_ERROR', ['Pre-verification error: self-signed certificate'])
    }
    throw new ApiFailure('INTERNAL_ERROR', [error instanceof Error ? error.message : String(error)])
  } finally {
    clearTimeout(timer)
  }
}

/** Returns what follows the head of the answer. */
async function answerOf(socket: TLSSocket): Promise<string> {
  let text = ''
  for await (const piece of socket.setEncoding('utf8')) {
    text += piece
    if (text.length > ANSWER_LIMIT_BYTES) break
  }
  socket.destroy()
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}
