/**
 * Verification between hosts: switched on for the whole pool once every host has proven that it can verify every other
 * one; there is no call that switches it off (docs/protocol/pool.md, pool TLS verification).
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { callMember, memberRefs } from '../api/host-calls.js'
import { type Call, changing, emergency, type Method, poolInternal } from '../api/method.js'
import { type Coordinator, HostUnreachable, type LabHost } from '../host/host.js'
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

/** From the moment the switch is there new connections are verified; it goes again if one host does not pass. */
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
