/** The pool's connection to WLB: what each host's own store makes of it, and what callers hear. */
import { get } from 'node:http'
import { createServer, type Server } from 'node:https'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { labStatus } from '../../src/lab/index.js'
import { decodeRequest, encodeRefusal, encodeReply, type WlbCall } from '../../src/wlb/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { usePool } from './test-pool.js'

const NAME = 'wlb.lab.internal'
const stunnel = requirePart('stunnel')

let server: Server
let pem = ''
let other = ''
let heard: WlbCall[] = []
let refuses = false

beforeAll(async () => {
  const [identity, stranger] = await Promise.all([
    createSelfSigned({ hostname: NAME, addresses: ['127.0.0.1'], now: new Date() }),
    createSelfSigned({ hostname: NAME, addresses: ['127.0.0.1'], now: new Date() }),
  ])
  pem = identity.certificatePem
  other = stranger.certificatePem
  server = createServer({ cert: pem, key: identity.privateKeyPem, ecdhCurve: 'auto' }, async (request, response) => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    const text = answer(body)
    const authorised = request.headers.authorization === `Basic ${Buffer.from('wlbuser:secret').toString('base64')}`
    response.writeHead(authorised ? 200 : 401, { connection: 'close', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => void server.close())

/** An appliance of a few lines: it remembers what it heard. */
function answer(body: string): string {
  const decoded = decodeRequest(body)
  if (decoded.kind !== 'call') return encodeRefusal('AddXenServer', 4007, 'not understood')
  const { call } = decoded
  heard.push(call)
  if (refuses) return encodeRefusal(call.method, 4002, 'no')
  switch (call.method) {
    case 'AddXenServer':
      return encodeReply({ method: call.method, result: { id: '1' } })
    case 'GetXenPoolConfiguration':
      return encodeReply({ method: call.method, result: { entries: [['WlbVersion', '8.3']] } })
    case 'GetDiagnostics':
      return encodeReply({ method: call.method, result: { text: 'all is well\n' } })
    case 'RemoveXenServer':
    case 'SetXenPoolConfiguration':
      return encodeReply({ method: call.method, result: {} })
    default:
      return encodeRefusal(call.method, 4012, 'later')
  }
}

function url(host = NAME): string {
  const listening = server.address()
  if (listening === null || typeof listening === 'string') throw new Error('the appliance does not listen')
  return `${host}:${listening.port}`
}

describe.each([
  { client: 'node', missing: false },
  { client: 'stunnel', missing: !stunnel },
] as const)('$client', ({ client, missing }) => {
  describe.skipIf(missing)('from strangers to a verified connection', () => {
    const pool = usePool({ hosts: 3, tlsClient: client, addHosts: [{ name: NAME, address: '127.0.0.1' }] })
    const connect = (to = url(), password = 'secret') =>
      pool.outcome('xs1', 'pool.initialize_wlb', to, 'wlbuser', password, 'root', pool.document.password)
    const self = async () => String(await pool.call('xs1', 'pool.get_all'))
    const verify = async (on: boolean) => pool.call('xs1', 'pool.set_wlb_verify_cert', await self(), on)
    const configuration = () => pool.outcome('xs1', 'pool.retrieve_wlb_configuration')
    const verdicts = async () => (await labStatus(pool.root)).hosts.map(({ wlb }) => wlb?.reason || wlb?.accepted)

    test('nothing is configured', async () => {
      expect(await configuration()).toBe('WLB_NOT_INITIALIZED')
      expect(await pool.outcome('xs1', 'pool.deconfigure_wlb')).toBe('WLB_NOT_INITIALIZED')
      expect(await pool.outcome('xs1', 'pool.retrieve_wlb_recommendations')).toBe('WLB_NOT_INITIALIZED')
    })

    const urls: [to: () => string, outcome: string][] = [
      [() => 'wlb.lab.internal', 'WLB_URL_INVALID wlb.lab.internal'],
      [() => `http://${url()}/`, `WLB_URL_INVALID http://`],
      [() => 'unknown.lab.internal:8012', 'WLB_UNKNOWN_HOST'],
    ]
    it.each(urls)('an address that is none: %#', async (to, outcome) => {
      await verify(false)
      const said = await connect(to())
      expect(said === 'WLB_CONNECTION_RESET' && client === 'stunnel' ? outcome : said).toContain(outcome)
    })

    test('without verification it connects, and says which address the pool has', async () => {
      heard = []
      expect(await connect(url(), 'wrong')).toBe('WLB_AUTHENTICATION_FAILED')
      expect(await connect()).toBe('ok')
      const { address, plainPort } = pool.host('xs1')
      expect(heard.at(-1)).toEqual({
        method: 'AddXenServer',
        request: {
          password: pool.document.password,
          poolUuid: pool.document.pool,
          userName: 'root',
          xenServerUrl: `http://${address}:${plainPort}/`,
        },
      })
      expect(await pool.call('xs2', 'pool.get_record', await self())).toMatchObject({
        wlb_url: url(),
        wlb_username: 'wlbuser',
        wlb_enabled: false,
        wlb_verify_cert: false,
      })
      expect(await pool.call('xs1', 'pool.retrieve_wlb_configuration')).toEqual({ WlbVersion: '8.3' })
    })

    const timeouts: [text: string, outcome: string][] = [
      ['0', 'WLB_TIMEOUT 0.'],
      ['0.', 'WLB_TIMEOUT 0.'],
      ['0e0', 'WLB_TIMEOUT 0.'],
      ['soon', 'ok'],
      ['', 'ok'],
    ]
    it.each(timeouts)('wlb_timeout "%s": %s', async (text, outcome) => {
      await pool.call('xs1', 'pool.set_other_config', await self(), { wlb_timeout: text })
      expect(await configuration()).toBe(outcome)
      await pool.call('xs1', 'pool.set_other_config', await self(), {})
    })

    test('a test post asks no store of WLB, and fails where nobody listens', async () => {
      const port = BigInt(url().split(':')[1] ?? '')
      expect(
        await pool.call('xs1', 'pool.send_test_post', NAME, port, '<Envelope><Body><X/></Body></Envelope>'),
      ).toContain('Envelope')
      expect(await pool.outcome('xs1', 'pool.send_test_post', '127.0.0.2', port, '')).toMatch(
        /^INTERNAL_ERROR .*ECONNREFUSED/,
      )
    })

    test('with verification and nothing installed: a configuration that fails', async () => {
      await verify(true)
      expect(await configuration()).toBe('INTERNAL_ERROR Connection failed: configuration failed.')
    })

    test('with another certificate: not this one', async () => {
      await pool.call('xs1', 'pool.install_ca_certificate', 'other.pem', other)
      expect(await configuration()).toMatch(/^SSL_VERIFY_ERROR Pre-verification error: /)
      await pool.call('xs1', 'pool.uninstall_ca_certificate', 'other.pem', false)
    })

    test('a trusted root is another store', async () => {
      await pool.call('xs1', 'pool.install_trusted_certificate', await self(), true, pem, [])
      expect(await configuration()).toBe('INTERNAL_ERROR Connection failed: configuration failed.')
    })

    test('installed: verified by every host', async () => {
      await pool.call('xs1', 'pool.install_ca_certificate', 'wlb.pem', pem)
      expect(await configuration()).toBe('ok')
      expect(await verdicts()).toEqual([true, true, true])
    })

    test('by address the certificate does not speak for it', async () => {
      expect(await connect(url('127.0.0.1'))).toBe('SSL_VERIFY_ERROR Subject checks failed')
    })

    test('junk among the revocation lists of one host breaks that host', async () => {
      await pool.fault('junk-crl', 'xs2')
      expect(await verdicts()).toEqual([true, 'Pre-verification error: unable to get certificate CRL', true])
      await pool.call('xs1', 'pool.certificate_sync')
    })

    test('diagnostics are fetched by the host that is asked, with its own store', async () => {
      const session = String(await pool.raw('xs1', 'session.login_with_password', 'root', ''))
      const fetch = async (host: string) => {
        const task = String(await pool.raw('xs1', 'task.create', session, 'diagnostics', ''))
        const { address, plainPort } = pool.host(host)
        const query = `session_id=${session}&task_id=${task}`
        const said = await new Promise<string>((resolve, reject) => {
          get(`http://${address}:${plainPort}/wlb_diagnostics?${query}`, async (response) => {
            let text = ''
            for await (const piece of response.setEncoding('utf8')) text += piece
            resolve(`${response.statusCode} ${response.statusCode === 200 ? text.trim() : ''}`.trim())
          }).on('error', reject)
        })
        const record = await pool.raw('xs1', 'task.get_record', session, task)
        return [said, typeof record === 'object' && 'error_info' in record ? String(record.error_info) : '']
      }
      expect(await fetch('xs1')).toEqual(['200 all is well', ''])
      expect(await fetch('xs3')).toEqual(['200 all is well', ''])
      await pool.fault('remove-bundle', 'xs3')
      expect(await fetch('xs1')).toEqual(['200 all is well', ''])
      expect(await fetch('xs3')).toEqual(['500', 'INTERNAL_ERROR,Connection failed: configuration failed.'])
      refuses = true
      expect(await fetch('xs1')).toEqual(['200', 'WLB_INTERNAL_ERROR,4002,no'])
      refuses = false
      await pool.call('xs1', 'pool.certificate_sync')
    })

    test('advice is asked for only when WLB is switched on', async () => {
      expect(await pool.outcome('xs1', 'pool.retrieve_wlb_recommendations')).toBe('WLB_DISABLED')
      await pool.call('xs1', 'pool.set_wlb_enabled', await self(), true)
      expect(await pool.outcome('xs1', 'pool.retrieve_wlb_recommendations')).toBe('WLB_INTERNAL_ERROR 4012 later')
    })

    test('another coordinator verifies too', async () => {
      expect(await pool.outcome('xs1', 'pool.designate_new_master', await pool.ref('xs2'))).toBe('ok')
      await pool.up()
      expect(await pool.outcome('xs2', 'pool.retrieve_wlb_configuration')).toBe('ok')
      await pool.call('xs2', 'pool.designate_new_master', await pool.ref('xs1', 'xs2'))
      await pool.up()
    })

    test('disconnected: forgotten whatever the appliance says, verification stays', async () => {
      refuses = true
      expect(await pool.outcome('xs1', 'pool.deconfigure_wlb')).toBe('ok')
      refuses = false
      expect(await pool.call('xs1', 'pool.get_record', await self())).toMatchObject({
        wlb_url: '',
        wlb_username: '',
        wlb_enabled: false,
        wlb_verify_cert: true,
      })
      expect(await pool.call('xs1', 'secret.get_all')).toEqual([])
    })
  })
})
