/** XenAPI on the wire: bytes, headers, sessions, limits, and what a stranger's bytes do. */
import { createHash } from 'node:crypto'
import { Agent, request } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it, test } from 'vitest'
import { type ApiValue, connectXenApi } from '../../src/xapi/index.js'
import { usePool } from './test-pool.js'

const pool = usePool({ hosts: 2 })

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
}

function send(
  host: string,
  method: string,
  path: string,
  body = '',
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { address, plainPort } = pool.host(host)
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: address, port: plainPort, method, path, headers, agent: new Agent() },
      async (response) => {
        let text = ''
        for await (const piece of response.setEncoding('utf8')) text += piece
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

async function login(): Promise<string> {
  return String(await pool.raw('xs1', 'session.login_with_password', 'root', ''))
}

const call = (method: string, ...params: string[]) => {
  const written = params.map((param) => `<param><value>${param}</value></param>`).join('')
  return `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${written}</params></methodCall>`
}
const SUCCESS =
  '<?xml version="1.0"?><methodResponse><params><param><value><struct><member><name>Status</name><value>Success</value></member><member><name>Value</name>'
const FAILURE =
  '<?xml version="1.0"?><methodResponse><params><param><value><struct><member><name>Status</name><value>Failure</value></member><member><name>ErrorDescription</name>'
const END = '</member></struct></value></param></params></methodResponse>'

describe('XML-RPC', () => {
  it.each(['/', '/RPC2', '/xmlrpc', '/json'])('POST %s', async (path) => {
    const session = await login()
    const { status, headers, text } = await send(
      'xs1',
      'POST',
      path,
      call('pool.get_name_label', session, await poolRef()),
    )
    expect(text).toBe(`${SUCCESS}<value>lab</value>${END}`)
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/xml',
      'cache-control': 'no-cache, no-store',
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'X-Requested-With',
      'content-length': String(Buffer.byteLength(text)),
    })
  })

  test('failures are answers: 200 with code and parameters', async () => {
    const { status, text } = await send('xs1', 'POST', '/', call('pool.get_all', 'OpaqueRef:x'))
    expect(status).toBe(200)
    expect(text).toBe(
      `${FAILURE}<value><array><data><value>SESSION_INVALID</value><value>OpaqueRef:x</value></data></array></value>${END}`,
    )
  })

  test('integers are text, booleans and dates have their tags', async () => {
    const session = await login()
    const text = async (method: string, ref: string) =>
      (await send('xs1', 'POST', '/', call(method, session, ref))).text
    expect(await text('pool.get_ext_auth_cache_size', await poolRef())).toBe(`${SUCCESS}<value>50</value>${END}`)
    expect(await text('pool.get_wlb_verify_cert', await poolRef())).toBe(
      `${SUCCESS}<value><boolean>1</boolean></value>${END}`,
    )
    const certificate = Object.keys(await pool.call('xs1', 'Certificate.get_all_records'))[0] ?? ''
    expect(await text('Certificate.get_not_after', certificate)).toMatch(
      /<dateTime.iso8601>\d{8}T\d\d:\d\d:\d\dZ<\/dateTime/,
    )
  })

  test('a kept connection is asked whether it is alive, and says the same word', async () => {
    const { text } = await send('xs2', 'POST', '/', call('system.isAlive:1234', '1234'))
    expect(text).toBe(`${SUCCESS}<value>1234</value>${END}`)
  })

  const strange: [what: string, body: string, status: number][] = [
    ['no XML', 'hello', 500],
    ['nothing', '', 500],
    ['an answer', `${SUCCESS}<value>x</value>${END}`, 500],
    ['an entity bomb', '<!DOCTYPE x [<!ENTITY a "aa">]><methodCall><methodName>&a;</methodName></methodCall>', 500],
    ['300 KiB and one byte', ' '.repeat(307_201), 413],
  ]
  it.each(strange)('%s: refused in HTML, and the next caller is served', async (_what, body, status) => {
    const answer = await send('xs1', 'POST', '/', body)
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('text/html')
    expect((await send('xs1', 'POST', '/', call('system.isAlive:1', '1'))).status).toBe(200)
  })
})

describe('JSON-RPC', () => {
  const post = async (body: object) => (await send('xs1', 'POST', '/jsonrpc', JSON.stringify(body))).text

  test('2.0', async () => {
    const session = await login()
    expect(
      await post({ jsonrpc: '2.0', method: 'pool.get_name_label', params: [session, await poolRef()], id: 7 }),
    ).toBe('{"jsonrpc":"2.0","result":"lab","id":7}')
    expect(await post({ jsonrpc: '2.0', method: 'pool.get_all', params: ['x'], id: 'a' })).toBe(
      '{"jsonrpc":"2.0","error":{"code":1,"message":"SESSION_INVALID","data":["x"]},"id":"a"}',
    )
  })

  test('1.0', async () => {
    const session = await login()
    expect(await post({ method: 'pool.get_ext_auth_cache_size', params: [session, await poolRef()], id: 7 })).toBe(
      '{"result":50,"error":null,"id":7}',
    )
    expect(await post({ method: 'pool.get_all', params: ['x'], id: 7 })).toBe(
      '{"result":null,"error":["SESSION_INVALID","x"],"id":7}',
    )
  })
})

describe('calls', () => {
  const outcomes: [method: string, params: ApiValue[], outcome: string][] = [
    ['pool.no_such_call', [], 'MESSAGE_METHOD_UNKNOWN pool.no_such_call'],
    ['Async.session.logout', [], 'MESSAGE_METHOD_UNKNOWN Async.session.logout'],
    ['pool.get_all', ['one too many'], 'MESSAGE_PARAMETER_COUNT_MISMATCH pool.get_all 0 1'],
    ['pool.get_record', [], 'MESSAGE_PARAMETER_COUNT_MISMATCH pool.get_record 1 0'],
    ['Async.pool.set_wlb_enabled', ['x'], 'MESSAGE_PARAMETER_COUNT_MISMATCH pool.set_wlb_enabled 2 1'],
    ['pool.get_record', ['OpaqueRef:NULL'], 'HANDLE_INVALID pool OpaqueRef:NULL'],
    ['host.get_by_uuid', ['1234'], 'UUID_INVALID host 1234'],
    ['pool.set_wlb_url', ['OpaqueRef:NULL', 'x'], 'MESSAGE_METHOD_UNKNOWN pool.set_wlb_url'],
    [
      'Certificate.get_all_records_where',
      ['field "'],
      'INVALID_VALUE field " a word or sign that is none of an expression',
    ],
    ['host.get_all_where', ['x'], 'INVALID_VALUE x a word or sign that is none of an expression'],
    ['session.get_all', [], 'MESSAGE_METHOD_UNKNOWN session.get_all'],
    [
      'host.certificate_sync',
      ['OpaqueRef:NULL'],
      'INTERNAL_ERROR Internal API "host.certificate_sync" call attempted with non-pool (external) session',
    ],
    [
      'pool.set_wlb_verify_cert',
      ['OpaqueRef:NULL', 'maybe'],
      `INTERNAL_ERROR Failure("Expected bool, got 'S(maybe)'")`,
    ],
    ['pool.set_tags', ['OpaqueRef:NULL', 'a'], `INTERNAL_ERROR Failure("Expected list, got 'S(a)'")`],
    ['pool.designate_new_master', [['a']], `INTERNAL_ERROR Failure("Expected string, got '[S(a)]'")`],
    ['lab.image', [], 'MESSAGE_METHOD_UNKNOWN lab.image'],
  ]
  it.each(outcomes)('%s(%s): %s', async (method, params, outcome) => {
    expect(await pool.outcome('xs1', method, ...params)).toBe(outcome)
  })

  test('a map takes a key once, and gives it back', async () => {
    const self = await poolRef()
    expect(await pool.outcome('xs1', 'pool.add_to_other_config', self, '__proto__', '60')).toBe('ok')
    expect(await pool.outcome('xs1', 'pool.add_to_other_config', self, '__proto__', '61')).toBe(
      `MAP_DUPLICATE_KEY pool other_config ${self} __proto__`,
    )
    expect(JSON.stringify(await pool.call('xs2', 'pool.get_other_config', self))).toBe('{"__proto__":"60"}')
    expect(await pool.outcome('xs1', 'pool.remove_from_other_config', self, '__proto__')).toBe('ok')
    expect(await pool.outcome('xs1', 'pool.remove_from_other_config', self, '__proto__')).toBe('ok')
  })

  test('in the background: a task with the outcome, as text that would have travelled', async () => {
    const session = await login()
    const self = await poolRef()
    const finished = async (task: string) => {
      for (;;) {
        const record = await pool.raw('xs1', 'task.get_record', session, task)
        if (typeof record === 'object' && 'status' in record && record.status !== 'pending') return record
      }
    }
    const good = String(await pool.raw('xs1', 'Async.pool.get_name_label', session, self))
    expect(await finished(good)).toMatchObject({ status: 'success', result: '<value>lab</value>', progress: 1 })
    const bad = String(await pool.raw('xs1', 'Async.pool.crl_uninstall', session, 'none.pem'))
    expect(await finished(bad)).toMatchObject({ status: 'failure', error_info: ['CRL_DOES_NOT_EXIST', 'none.pem'] })
    await pool.raw('xs1', 'task.destroy', session, bad)
    await expect(pool.raw('xs1', 'task.get_record', session, bad)).rejects.toThrow('HANDLE_INVALID')
  })

  test('references by a filter; the record of a session that its holder knows', async () => {
    const [coordinator] = await references('host', 'field "hostname"="xs1"')
    expect(coordinator).toBe(await pool.ref('xs1'))
    expect(await references('pool', 'true')).toEqual([await poolRef()])
    const session = await login()
    expect(await pool.raw('xs1', 'session.get_record', session, session)).toMatchObject({ auth_user_name: 'root' })
  })

  async function references(className: string, expression: string): Promise<unknown[]> {
    const found = await pool.call('xs1', `${className}.get_all_where`, expression)
    return Array.isArray(found) ? found : []
  }

  const ASKED = [
    ...[
      'network',
      'PIF',
      'PIF_metrics',
      'VIF',
      'VBD',
      'VDI',
      'SR',
      'PBD',
      'role',
      'task',
      'message',
      'secret',
      'subject',
    ],
    ...['user', 'pool_patch', 'pool_update', 'VMPP', 'VMSS', 'VM_appliance', 'DR_task', 'host_crashdump', 'host_patch'],
    ...['VIF_metrics', 'VBD_metrics', 'Bond', 'VLAN', 'tunnel', 'network_sriov', 'SM', 'crashdump', 'VTPM', 'console'],
    ...['blob', 'PCI', 'PGPU', 'GPU_group', 'VGPU', 'VGPU_type', 'PVS_site', 'PVS_server', 'PVS_proxy', 'VM_group'],
    ...['PVS_cache_storage', 'Feature', 'SDN_controller', 'PUSB', 'USB_group', 'VUSB', 'Cluster', 'Cluster_host'],
    ...['Repository', 'Observer', 'Host_driver', 'Driver_variant'],
  ]
  test.each(ASKED)('every class can be asked: %s', async (name) => {
    const session = await login()
    const refs = await pool.raw('xs1', `${name}.get_all`, session)
    const records = await pool.raw('xs1', `${name}.get_all_records`, session)
    expect(Object.keys(records)).toEqual(refs)
    expect(await pool.raw('xs1', `${name}.get_all_records_where`, session, 'true')).toEqual(records)
    expect(await pool.raw('xs1', `${name}.get_all_where`, session, 'false')).toEqual([])
    for (const call of ['get_record', 'get_uuid']) {
      expect(await pool.outcome('xs1', `${name}.${call}`, 'OpaqueRef:none')).toBe(
        `HANDLE_INVALID ${name} OpaqueRef:none`,
      )
    }
    expect(await pool.outcome('xs1', `${name}.get_by_uuid`, 'x')).toBe(`UUID_INVALID ${name} x`)
  })

  test('the method names in XML are a bare array', async () => {
    const { text } = await send('xs1', 'POST', '/', call('system.listMethods'))
    expect(text).toMatch(/^<\?xml version="1.0"\?><methodResponse><params><param><value><array><data><value>/)
  })

  test('a filter finds what it says', async () => {
    const count = async (expression: string) =>
      Object.keys(await pool.call('xs1', 'Certificate.get_all_records_where', expression)).length
    expect(await count('true')).toBe(4)
    expect(await count('field "type"="host"')).toBe(2)
    expect(await count('field "type"="host" or field "type"="host_internal"')).toBe(4)
    expect(await count('not (field "type"="host") and field "name"=""')).toBe(2)
  })
})

describe('logging in', () => {
  const right = () => pool.document.password

  test('over the network the password counts, and a wrong one is named with its user', async () => {
    const { address, tlsPort } = pool.host('xs1')
    const client = await connectXenApi({ address, port: tlsPort, trust: { kind: 'none' }, timeoutMs: 5_000 })
    await expect(client.call('session.login_with_password', 'root', 'wrong')).rejects.toMatchObject({
      code: 'SESSION_AUTHENTICATION_FAILED',
      params: ['root', 'Authentication failure'],
    })
    expect(await client.call('session.login_with_password', 'root', right(), '1.0', 'test')).toMatch(/^OpaqueRef:/)
    await client.close()
  })

  test('a member sends a caller from the network to the coordinator, with its thumbprint when asked', async () => {
    const body = call('session.login_with_password', 'root', right())
    const asked = { 'x-xenapi-request-host-certificate-thumbprint': 'sha-256:master' }
    const { headers, text } = await send('xs2', 'POST', '/', body, asked)
    expect(text).toContain(`<value>HOST_IS_SLAVE</value><value>${pool.host('xs1').address}</value>`)
    const found = await pool.call('xs1', 'Certificate.get_all_records_where', `field "type"="host"`)
    const fingerprints = Object.values(found).map((record) => record.fingerprint_sha256)
    expect(fingerprints).toContain(headers['x-xenapi-response-host-certificate-thumbprint'])
  })

  test('hosts log in with the pool secret', async () => {
    const ref = await pool.ref('xs2')
    const secret = pool.text('xs1', 'etc/xensource/ptoken')
    expect(await pool.raw('xs1', 'session.slave_login', ref, secret)).toMatch(/^OpaqueRef:/)
    await expect(pool.raw('xs1', 'session.slave_login', ref, 'guess')).rejects.toMatchObject({
      code: 'SESSION_AUTHENTICATION_FAILED',
      params: [ref, 'Pool credentials invalid'],
    })
  })

  test('after logging out the session is nothing', async () => {
    const session = await login()
    await pool.raw('xs1', 'session.logout', session)
    await expect(pool.raw('xs1', 'pool.get_all', session)).rejects.toMatchObject({
      code: 'SESSION_INVALID',
      params: [session],
    })
  })
})

describe('waiting for events', () => {
  const now = async (session: string) => {
    const batch = await pool.raw('xs1', 'event.from', session, ['secret'], '', 0)
    return typeof batch === 'object' && 'token' in batch ? String(batch.token) : ''
  }
  const endings: [what: string, end: (session: string) => Promise<unknown>][] = [
    ['logs out', (session) => pool.raw('xs1', 'session.logout', session)],
    ['expires', () => pool.fault('expire-sessions', 'xs1')],
  ]
  it.each(endings)('whose session %s is told so at once', async (_what, end) => {
    const session = await login()
    await pool.raw('xs1', 'event.register', session, ['secret'])
    const waits = [
      pool.raw('xs1', 'event.from', session, ['secret'], await now(session), 300),
      pool.raw('xs1', 'event.next', session),
    ].map((wait) => wait.then(String, (error) => `${error.code} ${error.params}`))
    await new Promise(setImmediate)
    await end(session)
    expect(await Promise.all(waits)).toEqual([`SESSION_INVALID ${session}`, `SESSION_INVALID ${session}`])
  })

  test('without having registered: the session is named by a hash', async () => {
    const session = await login()
    const hash = createHash('md5').update(session).digest('hex')
    await expect(pool.raw('xs1', 'event.next', session)).rejects.toMatchObject({
      code: 'SESSION_NOT_REGISTERED',
      params: [`trackid=${hash}`],
    })
  })

  test('the id of an event is text in JSON', async () => {
    const body = { jsonrpc: '2.0', method: 'event.from', params: [await login(), ['pool'], '', 0], id: 1 }
    const { text } = await send('xs1', 'POST', '/jsonrpc', JSON.stringify(body))
    expect(text).toMatch(/"events":\[\{"id":"\d+","timestamp":/)
    expect(text).toMatch(/"valid_ref_counts":\{"pool":1,/)
  })
})

describe('endpoints', () => {
  const requests: [method: string, path: string, status: number][] = [
    ['OPTIONS', '/', 200],
    ['OPTIONS', '/jsonrpc', 200],
    ['GET', '/nowhere', 404],
    ['PUT', '/', 403],
    ['GET', '/wlb_diagnostics', 401],
    ['GET', '/wlb_diagnostics?session_id=OpaqueRef:x', 401],
    ['GET', '/lab/host', 404],
    ['POST', '/lab/heartbeat', 500],
  ]
  it.each(requests)('%s %s: %d', async (method, path, status) => {
    expect((await send('xs1', method, path)).status).toBe(status)
    expect((await send('xs2', method, path)).status).toBe(status)
  })

  const handshakes: [what: string, options: object, outcome: string][] = [
    ['as pools do', {}, 'external'],
    ['with the name of the pool', { servername: 'pool' }, 'internal'],
    ['TLS 1.3 only', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }, 'refused'],
    ['another curve', { ecdhCurve: 'X25519' }, 'refused'],
    ['another cipher', { ciphers: 'ECDHE-RSA-CHACHA20-POLY1305' }, 'refused'],
  ]
  it.each(handshakes)('TLS %s: %s', async (_what, options, outcome) => {
    const { address, tlsPort, uuid } = pool.host('xs1')
    const seen = await new Promise<string>((resolve) => {
      const limits = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ecdhCurve: 'secp384r1' } as const
      const socket = connectTls({ host: address, port: tlsPort, rejectUnauthorized: false, ...limits, ...options })
      socket.once('error', () => resolve('refused'))
      socket.once('secureConnect', () => {
        resolve(socket.getPeerCertificate().subject.CN === uuid ? 'internal' : 'external')
        socket.destroy()
      })
    })
    expect(seen).toBe(outcome)
  })

  const firstBytes: [what: string, bytes: string, answer: RegExp][] = [
    ['a command line without a length', 'POST /cli HTTP/1.0\r\n\r\n', /^HTTP\/1.1 500 /],
    ['one beyond 200 KiB', 'POST /cli HTTP/1.0\r\ncontent-length: 204801\r\n\r\n', /^HTTP\/1.1 413 /],
    [
      'one beyond 200 KiB that is sent whole',
      `POST /cli HTTP/1.0\r\ncontent-length: 8000000\r\n\r\n${'x'.repeat(8_000_000)}`,
      /^HTTP\/1.1 413 /,
    ],
    ['a head without end', `POST /cli HTTP/1.0\r\n${'a: b\r\n'.repeat(5_000)}`, /^HTTP\/1.1 431 /],
    ['a command line', 'POST /cli HTTP/1.0\r\ncontent-length: 4\r\n\r\nhelp', /^XenSource thin CLI protocol/],
    ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1.1 500 .*\r\ncontent-type: text\/html\r\n.*\r\n\r\n<html>.*<\/html>$/s],
    ['a preflight that names no host', 'OPTIONS / HTTP/1.1\r\n\r\n', /^HTTP\/1.1 200 /],
  ]
  it.each(firstBytes)('%s', async (_what, bytes, answer) => {
    const { address, plainPort } = pool.host('xs1')
    const text = await new Promise<string>((resolve) => {
      const socket = connectTcp(plainPort, address)
      socket.on('error', () => {})
      // Many clients read nothing before all they have to say is written.
      socket.write(bytes, () => {
        socket.once('data', (piece) => {
          resolve(piece.toString('latin1'))
          socket.destroy()
        })
      })
    })
    expect(text).toMatch(answer)
  })

  test('the bytes of a command line may come one by one', async () => {
    const { address, plainPort } = pool.host('xs1')
    const text = await new Promise<string>((resolve) => {
      const socket = connectTcp({ port: plainPort, host: address, noDelay: true }, async () => {
        for (const byte of 'POST /cli HTTP/1.0\r\ncontent-length: 4\r\n\r\nhelp') {
          socket.write(byte)
          await new Promise(setImmediate)
        }
      })
      socket.once('data', (piece) => {
        resolve(piece.toString('latin1'))
        socket.destroy()
      })
    })
    expect(text).toMatch(/^XenSource thin CLI protocol/)
  })
})

async function poolRef(): Promise<string> {
  return String(await pool.call('xs1', 'pool.get_all'))
}
