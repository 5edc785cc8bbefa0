/** Trusted certificates by purpose, and the certificates hosts serve themselves. */
import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { createSelfSigned, type Identity } from '../../src/x509/index.js'
import { probeOf } from './served.js'
import { usePool } from './test-pool.js'

const pool = usePool({ hosts: 2 })
let one: Identity
let two: Identity
let expired: Identity

beforeAll(async () => {
  const make = (now: Date, lifetimeDays = 30) => createSelfSigned({ hostname: 'xs1', addresses: [], now, lifetimeDays })
  ;[one, two, expired] = await Promise.all([make(new Date()), make(new Date()), make(new Date('2020-01-02'), 10)])
})

const self = async () => String(await pool.call('xs1', 'pool.get_all'))
const install = async (ca: boolean, pem: string, ...purposes: string[]) =>
  pool.outcome('xs1', 'pool.install_trusted_certificate', await self(), ca, pem, purposes)

async function recordsOf(type: string): Promise<[ref: string, uuid: string, fingerprint: string][]> {
  const found = await pool.call('xs1', 'Certificate.get_all_records_where', `field "type"="${type}"`)
  return Object.entries(found).map(([ref, record]) => [ref, record.uuid, record.fingerprint_sha256])
}

describe('trusted certificates', () => {
  test('a root without purpose: in the general folder of every host, under its uuid', async () => {
    expect(await install(true, one.certificatePem)).toBe('ok')
    const [[, uuid, fingerprint] = ['', '', '']] = await recordsOf('ca')
    for (const host of ['xs1', 'xs2']) {
      expect(pool.files(host, 'etc/trusted-certs/ca-general')).toBe(`${uuid}.pem`)
      expect(pool.text(host, 'etc/trusted-certs/ca-bundle-general.pem').trimEnd()).toBe(one.certificatePem.trimEnd())
    }
    expect(await install(true, one.certificatePem)).toBe(`TRUSTED_CERTIFICATE_ALREADY_EXISTS ${fingerprint}`)
    expect(await pool.call('xs1', 'pool.certificate_list')).toEqual([])
  })

  const cases: [what: string, ca: boolean, purposes: string[], outcome: RegExp][] = [
    ['the same root for a purpose', true, ['ldaps'], /^ok$/],
    ['for an overlapping set of purposes', true, ['licensing', 'ldaps'], /^TRUSTED_CERTIFICATE_ALREADY_EXISTS /],
    ['for another one', true, ['licensing'], /^ok$/],
    ['pinned without purpose', false, [], /^CERTIFICATE_LACKS_PURPOSE$/],
    ['pinned for one', false, ['ldaps'], /^ok$/],
    ['for a purpose nobody knows', true, ['wlb'], /^INVALID_VALUE purpose wlb$/],
  ]
  it.each(cases)('%s', async (_what, ca, purposes, outcome) => {
    expect(await install(ca, one.certificatePem, ...purposes)).toMatch(outcome)
  })

  test('what is no valid certificate is refused in this family’s words', async () => {
    expect(await install(true, 'x')).toBe('TRUSTED_CERTIFICATE_INVALID')
    expect(await install(true, expired.certificatePem)).toMatch(/^TRUSTED_CERTIFICATE_EXPIRED /)
  })

  test('removed: record first, then the files of every host', async () => {
    for (const [ref] of [...(await recordsOf('ca')), ...(await recordsOf('pinned'))]) {
      expect(await pool.outcome('xs1', 'pool.uninstall_trusted_certificate', await self(), ref)).toBe('ok')
    }
    for (const path of ['ca-bundle-general.pem', 'ca-bundle-ldaps.pem', 'pinned-bundle-ldaps.pem']) {
      expect(existsSync(pool.path('xs2', `etc/trusted-certs/${path}`))).toBe(false)
    }
    const [host] = await recordsOf('host')
    expect(await pool.outcome('xs1', 'pool.uninstall_trusted_certificate', await self(), host?.[0] ?? '')).toBe(
      `NOT_TRUSTED_CERTIFICATE ${host?.[0]}`,
    )
  })

  test('with a member down the record stays, and nothing is undone', async () => {
    await pool.fault('stop', 'xs2')
    expect(await install(true, two.certificatePem)).toMatch(/^HOST_OFFLINE /)
    expect(await recordsOf('ca')).toHaveLength(1)
    await pool.fault('start', 'xs2')
  })
})

describe('the certificate a host serves', () => {
  const put = async (certificate: string, key: string, chain = '') =>
    pool.outcome('xs1', 'host.install_server_certificate', await pool.ref('xs2'), certificate, key, chain)
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  })

  const refused: [what: string, certificate: () => string, key: () => string, chain: string, outcome: RegExp][] = [
    ['no certificate', () => 'x', () => one.privateKeyPem, '', /^SERVER_CERTIFICATE_INVALID$/],
    ['an expired one', () => expired.certificatePem, () => expired.privateKeyPem, '', /^SERVER_CERTIFICATE_EXPIRED /],
    ['another key', () => one.certificatePem, () => two.privateKeyPem, '', /^SERVER_CERTIFICATE_KEY_MISMATCH$/],
    ['no key', () => one.certificatePem, () => 'x', '', /^SERVER_CERTIFICATE_KEY_INVALID$/],
    ['a short key', () => one.certificatePem, () => String(weak), '', /KEY_RSA_LENGTH_NOT_SUPPORTED 1024$/],
    ['an elliptic key', () => one.certificatePem, () => String(elliptic), '', /KEY_ALGORITHM_NOT_SUPPORTED ec$/],
    [
      'a chain that is none',
      () => one.certificatePem,
      () => one.privateKeyPem,
      'x',
      /^SERVER_CERTIFICATE_CHAIN_INVALID$/,
    ],
  ]
  it.each(refused)('%s: refused', async (_what, certificate, key, chain, outcome) => {
    const before = await probeOf(pool, 'xs2')
    expect(await put(certificate(), key(), chain)).toMatch(outcome)
    expect(await probeOf(pool, 'xs2')).toBe(before)
  })

  test('a good one is served at once, shown, and recorded', async () => {
    expect(await put(two.certificatePem, two.privateKeyPem)).toBe('ok')
    const fingerprint = await probeOf(pool, 'xs2')
    expect((await recordsOf('host')).map(([, , recorded]) => recorded)).toContain(fingerprint)
    expect(await pool.call('xs1', 'host.get_server_certificate', await pool.ref('xs2'))).toBe(two.certificatePem)
  })

  test('in an emergency a host makes itself a new one, without the coordinator', async () => {
    await pool.fault('stop', 'xs1')
    const before = await probeOf(pool, 'xs2')
    const session = await pool.raw('xs2', 'session.slave_local_login_with_password', 'root', '')
    await pool.raw('xs2', 'host.emergency_reset_server_certificate', session)
    expect(await probeOf(pool, 'xs2')).not.toBe(before)
    await expect(pool.raw('xs2', 'pool.get_all', session)).rejects.toMatchObject({ code: 'CANNOT_CONTACT_HOST' })
    await pool.fault('start', 'xs1')
  })
})
