/** A conversation with a pool goes on through what happens to pools: who is let in, who is followed, what is not repeated. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { ApiFailure, openPool, type PoolAccess, type PoolSession } from '../../src/xapi/index.js'
import { usePool } from '../lab/test-pool.js'

const pool = usePool({ hosts: 3 })
const open = new Set<PoolSession>()
afterEach(async () => {
  await Promise.all([...open].map((session) => session.close()))
  open.clear()
})

function pinOf(host: string): string {
  return new X509Certificate(readFileSync(pool.path(host, 'etc/xensource/xapi-ssl.pem'))).fingerprint256
}

function access(host: string, change: Partial<PoolAccess> = {}): PoolAccess {
  const { address, tlsPort } = pool.host(host)
  const { username, password } = pool.document
  const trust = { kind: 'pin', fingerprintSha256: pinOf(host) } as const
  return { address, port: tlsPort, userName: username, password, trust, timeoutMs: 10_000, ...change }
}

async function enter(target: PoolAccess): Promise<PoolSession> {
  const session = await openPool(target)
  open.add(session)
  return session
}

const pinAll = (session: PoolSession) =>
  session.learn(pool.document.hosts.map(({ name, address }) => ({ address, fingerprintSha256: pinOf(name) })))

const refused: [given: string, target: () => PoolAccess, code: string][] = [
  ['a member', () => access('xs2'), 'POOL_MEMBER_GIVEN'],
  ['a wrong password', () => access('xs1', { password: 'guess' }), 'POOL_CREDENTIALS_REFUSED'],
  ['an unknown user', () => access('xs1', { userName: 'nobody' }), 'POOL_CREDENTIALS_REFUSED'],
  [
    'another certificate',
    () => access('xs1', { trust: { kind: 'pin', fingerprintSha256: pinOf('xs2') } }),
    'PIN_MISMATCH',
  ],
  ['a port where nobody listens', () => access('xs1', { port: 1 }), 'CONNECT_REFUSED'],
]

it.each(refused)('%s: %#', async (_, target, code) => {
  const outcome = await enter(target()).then(
    () => 'let in',
    (error: unknown) => (error instanceof WlbError ? error.code : String(error)),
  )
  expect(outcome).toBe(code)
})

test('a member names the coordinator, ready to be typed', async () => {
  const error = await enter(access('xs2')).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ facts: { coordinator: pool.host('xs1').address } })
})

test('a member that may name the coordinator is followed, and both are held to what they have shown', async () => {
  const session = await enter(access('xs2', { trust: { kind: 'first-use' }, followsMember: true }))
  expect(session.address).toBe(pool.host('xs1').address)
  expect(session.seen).toEqual(
    ['xs2', 'xs1'].map((name) => ({ address: pool.host(name).address, fingerprintSha256: pinOf(name) })),
  )
})

test('a coordinator that is named and shows another certificate than its pin is sent nothing', async () => {
  const pins = [{ address: pool.host('xs1').address, fingerprintSha256: pinOf('xs3') }]
  const error = await enter(access('xs2', { pins, followsMember: true })).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'PIN_MISMATCH', facts: { address: pool.host('xs1').address } })
})

test('a named coordinator of which no certificate is known is not asked where a pin was given for the member alone', async () => {
  const error = await enter(access('xs2', { followsMember: true })).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'POOL_MEMBER_GIVEN' })
})

test('an expired session is opened anew, and the call made once', async () => {
  const session = await enter(access('xs1'))
  await session.call('session.logout')
  expect(await session.call('pool.get_all')).toHaveLength(1)
})

test('an expired session is opened anew for a download too', async () => {
  const session = await enter(access('xs1'))
  await session.call('session.logout')
  const { status } = await session.get(session.address, '/wlb_diagnostics', {}, { timeoutMs: 5_000 })
  expect(status).toBe(500) // the pool has no appliance, and says so
})

test('what a pool refuses stays refused: it is no reason to log in again', async () => {
  const session = await enter(access('xs1'))
  const error = await session
    .call('pool.uninstall_ca_certificate', 'none.pem', false)
    .catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(ApiFailure)
  expect(error).toMatchObject({ code: 'CERTIFICATE_DOES_NOT_EXIST' })
})

test('a new coordinator is followed by the certificate the pool records for it', async () => {
  const session = await enter(access('xs1'))
  pinAll(session)
  await pool.call('xs1', 'pool.designate_new_master', await pool.ref('xs2'))
  expect(await session.call('pool.get_all')).toHaveLength(1)
  expect(session.address).toBe(pool.host('xs2').address)
  await pool.call('xs2', 'pool.designate_new_master', await pool.ref('xs1', 'xs2'))
})

test('without such a record a new coordinator is not followed', async () => {
  const session = await enter(access('xs1'))
  await pool.call('xs1', 'pool.designate_new_master', await pool.ref('xs2'))
  const error = await session.call('pool.get_all').catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'HOST_IS_SLAVE' })
  await pool.call('xs2', 'pool.designate_new_master', await pool.ref('xs1', 'xs2'))
})
