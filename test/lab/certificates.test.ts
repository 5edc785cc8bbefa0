/** Installing, removing and copying certificates, with every host there and with one of them down. */
import { readdirSync, statSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { createSelfSigned, readPemBlocks } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { usePool } from './test-pool.js'

const pool = usePool({ hosts: 3 })
const LEGACY = 'etc/stunnel/certs'
const BUNDLE = 'etc/stunnel/xapi-stunnel-ca-bundle.pem'
const CRLS = 'etc/stunnel/crls'

let pem = ''
let other = ''
let key = ''
let expired = ''
let future = ''

beforeAll(async () => {
  const make = (now: Date, lifetimeDays = 30) =>
    createSelfSigned({ hostname: 'wlb.lab.internal', addresses: [], now, lifetimeDays })
  const [one, two, old, early] = await Promise.all([
    make(new Date()),
    make(new Date()),
    make(new Date('2020-01-02T00:00:00Z'), 10),
    make(new Date('2100-01-02T00:00:00Z')),
  ])
  pem = one.certificatePem
  key = one.privateKeyPem
  other = two.certificatePem
  expired = old.certificatePem
  future = early.certificatePem
})

async function listed(host = 'xs1'): Promise<string> {
  return String(await pool.call(host, 'pool.certificate_list'))
}

test('changes asked for at once are made one after the other', async () => {
  const install = (name: string) => pool.outcome('xs1', 'pool.install_ca_certificate', name, pem)
  const said = await Promise.all(['a.pem', 'a.pem', 'b.pem', 'c.pem'].map(install))
  expect(said.sort()).toEqual(['CERTIFICATE_ALREADY_EXISTS a.pem', 'ok', 'ok', 'ok'])
  for (const host of ['xs1', 'xs2', 'xs3']) expect(pool.files(host, LEGACY)).toBe('a.pem b.pem c.pem')
  const remove = (name: string) => pool.outcome('xs1', 'pool.uninstall_ca_certificate', name)
  expect(await Promise.all(['a.pem', 'b.pem', 'c.pem'].map(remove))).toEqual(['ok', 'ok', 'ok'])
})

describe('what may be installed', () => {
  const texts: [what: string, text: () => string, outcome: string][] = [
    ['nothing', () => '', 'CA_CERTIFICATE_INVALID'],
    ['binary', () => '\u0000\u0001\u0002', 'CA_CERTIFICATE_INVALID'],
    ['DER as text', () => Buffer.from(pem, 'utf8').toString('base64'), 'CA_CERTIFICATE_INVALID'],
    ['a key alone', () => key, 'CA_CERTIFICATE_INVALID'],
    ['two certificates', () => pem + other, 'CA_CERTIFICATE_INVALID'],
    ['a truncated block', () => pem.slice(0, 200), 'CA_CERTIFICATE_INVALID'],
    [
      'a certificate, then a broken block',
      () => `${pem}-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n`,
      'CA_CERTIFICATE_INVALID',
    ],
    ['a byte order mark before it', () => `\ufeff${pem}`, 'CA_CERTIFICATE_INVALID'],
    ['text before it', () => `a comment\n${pem}`, 'ok'],
    ['CRLF', () => pem.replaceAll('\n', '\r\n'), 'ok'],
    ['a key behind it', () => pem + key, 'ok'],
  ]
  it.each(texts)('%s: %s', async (_what, text, outcome) => {
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'try.pem', text())).toBe(outcome)
    if (outcome !== 'ok') return expect(pool.files('xs1', LEGACY)).toBe('')
    expect(pool.text('xs1', `${LEGACY}/try.pem`)).toBe(text())
    await pool.call('xs1', 'pool.uninstall_ca_certificate', 'try.pem', false)
  })

  test('an expired one and one from the future are refused, with both times', async () => {
    const stamp = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'a.pem', expired)).toMatch(
      new RegExp(`^CA_CERTIFICATE_EXPIRED ${stamp} 2020-01-1\\dT00:00:00Z$`),
    )
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'a.pem', future)).toMatch(
      new RegExp(`^CA_CERTIFICATE_NOT_VALID_YET ${stamp} 2100-01-01T00:00:00Z$`),
    )
  })

  const names: [name: string, outcome: string][] = [
    ['wlb.crt', 'CERTIFICATE_NAME_INVALID wlb.crt'],
    ['.hidden.pem', 'CERTIFICATE_NAME_INVALID .hidden.pem'],
    ['a b.pem', 'CERTIFICATE_NAME_INVALID a b.pem'],
    ['../up.pem', 'CERTIFICATE_NAME_INVALID ../up.pem'],
    ['C:\\x\\wlb.pem', 'CERTIFICATE_NAME_INVALID C:\\x\\wlb.pem'],
    ['é.pem', 'CERTIFICATE_NAME_INVALID é.pem'],
    ['wlb.pem\n', 'CERTIFICATE_NAME_INVALID wlb.pem\n'],
    ['', 'INTERNAL_ERROR Invalid_argument("index out of bounds")'],
    ['A-z_0.9.pem', 'ok'],
    ['x.new.pem', 'ok'],
  ]
  it.each(names)('the name "%s": %s', async (name, outcome) => {
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', name, pem)).toBe(outcome)
    if (outcome === 'ok') await pool.outcome('xs1', 'pool.uninstall_ca_certificate', name, false)
  })

  test('names of CRLs follow the same rule, and their contents none', async () => {
    expect(await pool.outcome('xs1', 'pool.crl_install', 'x.crl', 'x')).toBe('CRL_NAME_INVALID x.crl')
    expect(await pool.outcome('xs1', 'pool.crl_install', 'x.pem', 'no CRL at all')).toBe('ok')
    expect(await pool.outcome('xs1', 'pool.crl_install', 'x.pem', 'again')).toBe('CRL_ALREADY_EXISTS x.pem')
    expect(pool.files('xs3', CRLS)).toBe('x.pem')
    expect(await pool.call('xs2', 'pool.crl_list')).toEqual(['x.pem'])
    expect(await pool.outcome('xs1', 'pool.crl_uninstall', 'x.pem')).toBe('ok')
    expect(await pool.outcome('xs1', 'pool.crl_uninstall', 'x.pem')).toBe('CRL_DOES_NOT_EXIST x.pem')
    expect(pool.files('xs3', CRLS)).toBe('')
  })
})

describe('one certificate, from installing to removing', () => {
  test('installed: in the folder, the bundle and the list of every host; twice is refused', async () => {
    expect(await pool.outcome('xs1', 'pool.certificate_install', 'wlb.pem', pem)).toBe('ok')
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'wlb.pem', pem)).toBe(
      'CERTIFICATE_ALREADY_EXISTS wlb.pem',
    )
    expect(await listed()).toBe('wlb.pem')
    expect(await listed('xs3')).toBe('wlb.pem')
    expect(pool.text('xs1', BUNDLE)).toBe(`${pem}\n`)
    for (const member of ['xs2', 'xs3']) {
      // The last newline is lost on the way; the bundle's own empty line makes up for it.
      expect(pool.text(member, `${LEGACY}/wlb.pem`)).toBe(pem.trimEnd())
      expect(pool.text(member, BUNDLE)).toBe(`${pem.trimEnd()}\n`)
      expect(statSync(pool.path(member, BUNDLE)).mode & 0o777).toBe(0o644)
      expect(statSync(pool.path(member, LEGACY)).mode & 0o777).toBe(0o700)
    }
  })

  test('the record has the fingerprints and dates, and no host', async () => {
    const found = await pool.call('xs1', 'Certificate.get_all_records_where', 'field "type"="ca"')
    const [record] = Object.values(found)
    expect(record).toMatchObject({ name: 'wlb.pem', host: 'OpaqueRef:NULL', purpose: [], type: 'ca' })
    expect(record).toHaveProperty('fingerprint', record.fingerprint_sha256)
    expect(record.fingerprint_sha256).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    expect(record.fingerprint_sha1).toMatch(/^([0-9A-F]{2}:){19}[0-9A-F]{2}$/)
    expect(record.not_before).toMatch(/^\d{8}T\d\d:\d\d:\d\dZ$/)
  })

  test('the same certificate under another name is taken: two records, twice in the bundle', async () => {
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'wlb2.pem', pem)).toBe('ok')
    expect(await listed()).toBe('wlb.pem,wlb2.pem')
    expect(readPemBlocks(pool.text('xs2', BUNDLE))).toHaveLength(2)
    expect(await pool.outcome('xs1', 'pool.certificate_uninstall', 'wlb2.pem')).toBe('ok')
  })

  test('a sync makes every folder the same, and removes what only a member has', async () => {
    await writeFile(pool.path('xs2', `${LEGACY}/extra.pem`), other)
    await rm(pool.path('xs3', `${LEGACY}/wlb.pem`))
    await writeFile(pool.path('xs3', BUNDLE), 'garbage')
    expect(await pool.outcome('xs1', 'pool.certificate_sync')).toBe('ok')
    expect(['xs1', 'xs2', 'xs3'].map((host) => pool.files(host, LEGACY))).toEqual(['wlb.pem', 'wlb.pem', 'wlb.pem'])
    expect(pool.text('xs3', BUNDLE)).toBe(`${pem.trimEnd()}\n`)
    expect(readdirSync(pool.path('xs3', 'etc/stunnel'))).not.toContain('certs.bk')
  })

  test('a sync does not rebuild the bundle of the coordinator', async () => {
    await pool.fault('corrupt-bundle', 'xs1')
    expect(await pool.outcome('xs1', 'pool.certificate_sync')).toBe('ok')
    expect(pool.text('xs1', BUNDLE)).toBe('this is no certificate\n')
  })

  const openssl = requirePart('openssl')
  test.skipIf(!openssl)('openssl: the folder has hash links, which no list shows', async () => {
    expect(readdirSync(pool.path('xs2', LEGACY)).filter((name) => /^[0-9a-f]{8}\.0$/.test(name))).toHaveLength(1)
  })

  test('uninstalled: no file, no bundle, no record; twice is refused', async () => {
    expect(await pool.outcome('xs1', 'pool.uninstall_ca_certificate', 'wlb.pem', false)).toBe('ok')
    for (const host of ['xs1', 'xs2', 'xs3']) {
      expect(pool.files(host, LEGACY)).toBe('')
      expect(readdirSync(pool.path(host, 'etc/stunnel'))).not.toContain('xapi-stunnel-ca-bundle.pem')
    }
    expect(await listed()).toBe('')
    expect(await pool.outcome('xs1', 'pool.uninstall_ca_certificate', 'wlb.pem', false)).toBe(
      'CERTIFICATE_DOES_NOT_EXIST wlb.pem',
    )
    expect(await pool.outcome('xs1', 'pool.uninstall_ca_certificate', 'wlb.pem', true)).toBe(
      'INVALID_VALUE certificate:name wlb.pem',
    )
  })

  test('a folder in the place of a file: the library is corrupt, the new file stays', async () => {
    await mkdir(pool.path('xs1', `${LEGACY}/folder.pem`), { recursive: true })
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'late.pem', pem)).toBe(
      'CERTIFICATE_LIBRARY_CORRUPT',
    )
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'late.pem', pem)).toBe(
      'CERTIFICATE_ALREADY_EXISTS late.pem',
    )
    expect(await pool.outcome('xs1', 'pool.uninstall_ca_certificate', 'late.pem', false)).toBe(
      'CERTIFICATE_CORRUPT late.pem',
    )
    await rm(pool.path('xs1', `${LEGACY}/folder.pem`), { recursive: true })
    expect(await pool.outcome('xs1', 'pool.certificate_sync')).toBe('ok')
  })
})

describe('a member is down', () => {
  test('installing: done on the live hosts, no record; again it exists already; after its return: sync, remove, again', async () => {
    const offline = `HOST_OFFLINE ${await pool.ref('xs2')}`
    await pool.fault('kill', 'xs2')
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'wlb.pem', pem)).toBe(offline)
    expect(['xs1', 'xs2', 'xs3'].map((host) => pool.files(host, LEGACY))).toEqual(['wlb.pem', '', 'wlb.pem'])
    expect(await listed()).toBe('')
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'wlb.pem', pem)).toBe(
      'CERTIFICATE_ALREADY_EXISTS wlb.pem',
    )
    expect(await pool.outcome('xs1', 'pool.certificate_sync')).toBe(offline)
    expect(await pool.outcome('xs1', 'pool.crl_install', 'c.pem', 'x')).toBe(offline)
    expect(pool.files('xs3', CRLS)).toBe('c.pem')

    await pool.fault('start', 'xs2')
    expect(pool.files('xs2', LEGACY)).toBe('') // nothing is repaired by itself
    expect(await pool.outcome('xs1', 'pool.certificate_sync')).toBe('ok')
    expect(pool.files('xs2', LEGACY)).toBe('wlb.pem')
    expect(pool.files('xs2', CRLS)).toBe('c.pem')
    expect(await pool.outcome('xs1', 'pool.uninstall_ca_certificate', 'wlb.pem', false)).toBe(
      'INVALID_VALUE certificate:name wlb.pem',
    )
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'wlb.pem', pem)).toBe('ok')
    expect(await pool.outcome('xs1', 'pool.crl_uninstall', 'c.pem')).toBe('ok')
  })

  test('removing: gone from the live hosts, the record stays; with force it works once the member is back', async () => {
    const offline = `HOST_OFFLINE ${await pool.ref('xs3')}`
    await pool.fault('stop', 'xs3')
    expect(await pool.outcome('xs1', 'pool.uninstall_ca_certificate', 'wlb.pem', false)).toBe(offline)
    expect(['xs1', 'xs2'].map((host) => pool.files(host, LEGACY))).toEqual(['', ''])
    expect(await listed()).toBe('wlb.pem')
    expect(await pool.outcome('xs1', 'pool.uninstall_ca_certificate', 'wlb.pem', false)).toBe(
      'CERTIFICATE_DOES_NOT_EXIST wlb.pem',
    )
    await pool.fault('start', 'xs3')
    expect(pool.files('xs3', LEGACY)).toBe('wlb.pem')
    expect(await pool.outcome('xs1', 'pool.uninstall_ca_certificate', 'wlb.pem', true)).toBe('ok')
    expect(pool.files('xs3', LEGACY)).toBe('')
    expect(await listed()).toBe('')
  })

  test('live and out of reach: the coordinator tries for a while, then says which host it was', async () => {
    const ref = await pool.ref('xs3')
    await pool.fault('deafen', 'xs3')
    expect(await pool.outcome('xs1', 'pool.install_ca_certificate', 'wlb.pem', pem)).toBe(`CANNOT_CONTACT_HOST ${ref}`)
    expect(pool.files('xs2', LEGACY)).toBe('wlb.pem')
    await pool.fault('stop', 'xs3')
    await pool.fault('start', 'xs3')
  })
})
