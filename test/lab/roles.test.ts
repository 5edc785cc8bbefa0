/**
 * Who is coordinator, and that a host killed at any time loses nothing it has acknowledged.
 *
 * @module-tag long
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { labStatus } from '../../src/lab/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { ApiFailure } from '../../src/xapi/index.js'
import { usePool } from './test-pool.js'

const pool = usePool({ hosts: 3 })
const SWITCH = 'var/xapi/verify-certificates'
const LEGACY = 'etc/stunnel/certs'

async function roles(): Promise<string> {
  const { hosts } = await labStatus(pool.root)
  return hosts.map(({ name, role, live }) => `${name} ${role}${live ? '' : ' (not live)'}`).join(', ')
}

describe('a planned change of coordinator', () => {
  test('the new one knows what the old one knew, the old one is a member, and members follow', async () => {
    await pool.call('xs1', 'pool.add_tags', await poolRef('xs1'), 'before')
    expect(await pool.outcome('xs1', 'pool.designate_new_master', await pool.ref('xs2'))).toBe('ok')
    await pool.up()
    expect(await roles()).toBe('xs1 member, xs2 coordinator, xs3 member')
    expect(await pool.call('xs3', 'pool.get_tags', await poolRef('xs3'))).toEqual(['before'])
    expect(await pool.call('xs1', 'pool.get_master', await poolRef('xs1'))).toBe(await pool.ref('xs2', 'xs3'))
  })

  test('sessions of the old coordinator have ended', async () => {
    const session = await pool.raw('xs2', 'session.login_with_password', 'root', '')
    expect(await pool.outcome('xs2', 'pool.designate_new_master', await pool.ref('xs1', 'xs2'))).toBe('ok')
    await pool.up()
    await expect(pool.raw('xs1', 'pool.get_all', session)).rejects.toThrow(ApiFailure)
    expect(await roles()).toBe('xs1 coordinator, xs2 member, xs3 member')
  })

  test('a host that is down is refused, and nothing has changed', async () => {
    const ref = await pool.ref('xs3')
    await pool.fault('stop', 'xs3')
    expect(await pool.outcome('xs1', 'pool.designate_new_master', ref)).toBe(`HOST_OFFLINE ${ref}`)
    await pool.fault('start', 'xs3')
    expect(await roles()).toBe('xs1 coordinator, xs2 member, xs3 member')
  })
})

describe('kill -9', () => {
  test('of every host, again and again, while the pool is written to: nothing acknowledged is lost', async () => {
    const acknowledged: string[] = []
    for (const [round, host] of ['xs1', 'xs2', 'xs3', 'xs1', 'xs1'].entries()) {
      const self = await poolRef('xs1')
      const session = await pool.raw('xs1', 'session.login_with_password', 'root', '')
      const writing = Array.from({ length: 20 }, async (_, index) => {
        const tag = `${round}-${index}`
        await pool.raw('xs1', 'pool.add_tags', session, self, tag)
        acknowledged.push(tag)
      })
      const written = Promise.allSettled(writing)
      await writing[round * 4]
      await pool.fault('kill', host)
      await written
      await pool.up()
      const kept = await pool.call('xs1', 'pool.get_tags', self)
      expect(kept).toEqual(expect.arrayContaining(acknowledged))
    }
    expect(acknowledged.length).toBeGreaterThan(40)
  })

  test('in the middle of a planned change leaves exactly one coordinator, who knows everything', async () => {
    let coordinator = 'xs1'
    for (const [round, victim] of ['old', 'new', 'old', 'new', 'both'].entries()) {
      const successor = coordinator === 'xs1' ? 'xs2' : 'xs1'
      const self = await poolRef(coordinator)
      await pool.call(coordinator, 'pool.add_tags', self, `change-${round}`)
      const ref = await pool.ref(successor, coordinator)
      const changing = pool.outcome(coordinator, 'pool.designate_new_master', ref).catch(() => 'cut off')
      // The first sign that the change has begun is the database the successor keeps aside.
      await Promise.race([changing, appears(pool.path(successor, 'var/lib/xcp/state.db.incoming'))])
      if (victim !== 'new') await pool.fault('kill', coordinator)
      if (victim !== 'old') await pool.fault('kill', successor)
      await changing
      await pool.up()
      const { hosts } = await labStatus(pool.root)
      const found = hosts.filter(({ role }) => role === 'coordinator').map(({ name }) => name)
      expect(found).toHaveLength(1)
      coordinator = found[0] ?? ''
      expect(await pool.call(coordinator, 'pool.get_tags', self)).toContain(`change-${round}`)
      expect(hosts.every(({ live }) => live)).toBe(true)
    }
    if (coordinator !== 'xs1')
      await pool.call(coordinator, 'pool.designate_new_master', await pool.ref('xs1', coordinator))
    await pool.up()
  })
})

describe('an emergency', () => {
  test('a member takes over, the others are told, and the old coordinator follows when it comes back', async () => {
    await pool.fault('kill', 'xs1')
    const session = await pool.raw('xs2', 'session.slave_local_login_with_password', 'root', '')
    await pool.raw('xs2', 'pool.emergency_transition_to_master', session)
    expect(await pool.call('xs2', 'pool.recover_slaves')).toEqual([await pool.ref('xs3', 'xs2')])
    await pool.fault('start', 'xs1')
    expect(await roles()).toBe('xs1 member, xs2 coordinator, xs3 member')
  })

  test('a member is told by hand where the coordinator is', async () => {
    const session = await pool.raw('xs3', 'session.slave_local_login_with_password', 'root', '')
    await pool.raw('xs3', 'pool.emergency_reset_master', session, pool.host('xs2').address)
    await pool.up()
    expect(pool.text('xs3', 'etc/xensource/pool.conf')).toBe(`slave:${pool.host('xs2').address}`)
    await pool.call('xs2', 'pool.designate_new_master', await pool.ref('xs1', 'xs2'))
    await pool.up()
  })
})

describe('a member comes back to a pool', () => {
  let pem = ''
  beforeAll(async () => {
    const made = await createSelfSigned({ hostname: 'wlb.lab.internal', addresses: [], now: new Date() })
    pem = made.certificatePem
    await pool.call('xs1', 'pool.install_ca_certificate', 'wlb.pem', pem)
  })

  async function comeBackWithout(path: string): Promise<void> {
    await pool.fault('stop', 'xs2')
    await rm(pool.path('xs2', path), { recursive: true, force: true })
    await pool.fault('start', 'xs2')
  }

  test('that does not verify itself: nothing is repaired', async () => {
    await comeBackWithout(`${LEGACY}/wlb.pem`)
    expect(pool.files('xs2', LEGACY)).toBe('')
  })

  test('pool TLS verification is switched on for every host, and for WLB', async () => {
    const self = await poolRef('xs1')
    await pool.call('xs1', 'pool.set_wlb_verify_cert', self, false)
    expect(await pool.outcome('xs1', 'pool.enable_tls_verification')).toBe('ok')
    expect(await pool.call('xs1', 'pool.get_tls_verification_enabled', self)).toBe(true)
    expect(await pool.call('xs1', 'pool.get_wlb_verify_cert', self)).toBe(true)
    for (const host of ['xs1', 'xs2', 'xs3']) expect(existsSync(pool.path(host, SWITCH))).toBe(true)
    expect(await pool.outcome('xs1', 'pool.certificate_sync')).toBe('ok')
  })

  test('that verifies itself: a certificate is fetched again, a revocation list is not', async () => {
    await pool.call('xs1', 'pool.crl_install', 'c.pem', 'x')
    await pool.fault('stop', 'xs2')
    await rm(pool.path('xs2', 'etc/stunnel/crls/c.pem'))
    await pool.fault('start', 'xs2')
    expect(pool.files('xs2', 'etc/stunnel/crls')).toBe('')

    await comeBackWithout(`${LEGACY}/wlb.pem`)
    expect(pool.files('xs2', LEGACY)).toBe('wlb.pem')
    expect(pool.files('xs2', 'etc/stunnel/crls')).toBe('c.pem')
    expect(pool.text('xs2', 'etc/stunnel/xapi-stunnel-ca-bundle.pem')).toBe(`${pem.trimEnd()}\n`)
  })

  test('a member whose internal certificate the pool does not know is out of reach', async () => {
    const session = await pool.raw('xs3', 'session.slave_local_login_with_password', 'root', '')
    await pool.fault('stop', 'xs3')
    const { certificatePem, privateKeyPem } = await createSelfSigned({ hostname: 'x', addresses: [], now: new Date() })
    const { readFile, writeFile } = await import('node:fs/promises')
    const path = pool.path('xs3', 'etc/xensource/xapi-pool-tls.pem')
    const before = await readFile(path)
    await writeFile(path, privateKeyPem + certificatePem)
    await pool.fault('start', 'xs3')
    expect(await pool.outcome('xs1', 'pool.certificate_sync')).toBe(`CANNOT_CONTACT_HOST ${await pool.ref('xs3')}`)
    await pool.fault('stop', 'xs3')
    await writeFile(path, before)
    await pool.fault('start', 'xs3')
    expect(await pool.outcome('xs1', 'pool.certificate_sync')).toBe('ok')
    expect(String(session)).toMatch(/^OpaqueRef:/)
  })

  test('internal and external certificates are made anew while the pool goes on', async () => {
    const ref = await pool.ref('xs2')
    const before = await pool.call('xs1', 'host.get_server_certificate', ref)
    expect(await pool.outcome('xs1', 'host.refresh_server_certificate', ref)).toBe('ok')
    expect(await pool.outcome('xs1', 'pool.certificate_sync')).toBe('ok')
    expect(await pool.outcome('xs1', 'host.reset_server_certificate', ref)).toBe('ok')
    expect(await pool.call('xs1', 'host.get_server_certificate', ref)).not.toBe(before)
    expect(pool.files('xs1', 'etc/stunnel/certs-pool').split(' ')).toHaveLength(3)
  })
})

async function poolRef(host: string): Promise<string> {
  return String(await pool.call(host, 'pool.get_all'))
}

/** Looks until the file is there, or the test has taken its time. */
async function appears(path: string): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!existsSync(path) && Date.now() < deadline) await new Promise(setImmediate)
}
