/** Who may do what in a pool, and clients whose pool is not well: sessions that end, answers that are late, cut off or none. */
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { get, request } from 'node:http'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, test } from 'vitest'
import type { LabFault } from '../../src/lab/index.js'
import { type ApiValue, decodeJsonRpcResponse, encodeJsonRpcCall } from '../../src/xapi/index.js'
import { usePool } from './test-pool.js'

const pool = usePool({ hosts: 2 })
let session: ApiValue = ''
let self: ApiValue = ''

/** Over the network, as clients call; the failure's words where it is one. */
async function call(method: string, ...params: ApiValue[]): Promise<ApiValue> {
  const { result } = decodeJsonRpcResponse(await post(encodeJsonRpcCall({ version: '2.0', method, params, id: 1n })))
  return result.status === 'success' ? result.value : result.description.join(' ')
}

function post(body: string, host = 'xs1', timeout = 10_000): Promise<string> {
  const { address, plainPort: port } = pool.host(host)
  return new Promise((resolve, reject) => {
    const sent = request({ host: address, port, method: 'POST', path: '/jsonrpc', timeout }, async (response) => {
      try {
        let text = ''
        for await (const piece of response.setEncoding('utf8')) text += piece
        resolve(text)
      } catch (error) {
        reject(error)
      }
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer')))
    sent.on('error', reject)
    sent.end(body)
  })
}

beforeAll(async () => {
  const { username = '', password = '' } = pool.document.reader ?? {}
  self = await pool.call('xs1', 'pool.get_all').then((refs) => (Array.isArray(refs) ? refs[0] : ''))
  session = await call('session.login_with_password', username, password, '2.21', 'test')
})

test('the reader’s password lies beside root’s, for its owner alone', async () => {
  const { username, password } = pool.document.reader ?? {}
  const file = (name: string) => join(pool.root, 'lab', name)
  expect(await readFile(file('reader-xe-password'), 'utf8')).toBe(`${username}\n${password}\n`)
  expect(await readFile(file('reader-password'), 'utf8')).toBe(`${password}\n`)
  expect(statSync(file('reader-password')).mode & 0o777).toBe(0o600)
})

describe('a user with the read-only role', () => {
  const DENIED = 'RBAC_PERMISSION_DENIED'
  const operator = '(Roles with this permission: pool-operator, pool-admin)'
  const cases: [method: string, params: () => ApiValue[], said: string][] = [
    ['pool.certificate_list', () => [], 'ok'],
    ['pool.get_all_records', () => [], 'ok'],
    ['Certificate.get_all_records', () => [], 'ok'],
    ['task.create', () => ['diagnostics', ''], 'ok'],
    ['pool.retrieve_wlb_configuration', () => [], 'WLB_NOT_INITIALIZED'],
    [
      'pool.set_wlb_verify_cert',
      () => [self, false],
      `${DENIED} pool.set_wlb_verify_cert No permission in user session. ${operator}`,
    ],
    ['pool.certificate_sync', () => [], `${DENIED} pool.certificate_sync No permission in user session. ${operator}`],
    [
      'Async.pool.certificate_sync',
      () => [],
      `${DENIED} pool.certificate_sync No permission in user session. ${operator}`,
    ],
    [
      'pool.install_ca_certificate',
      () => ['a.pem', ''],
      `${DENIED} pool.install_ca_certificate No permission in user session. ${operator}`,
    ],
    [
      'pool.initialize_wlb',
      () => ['a:1', '', '', '', ''],
      `${DENIED} pool.initialize_wlb No permission in user session. ${operator}`,
    ],
    [
      'pool.enable_tls_verification',
      () => [],
      `${DENIED} pool.enable_tls_verification No permission in user session. (Roles with this permission: pool-admin)`,
    ],
    [
      'pool.emergency_transition_to_master',
      () => [],
      `${DENIED} pool.emergency_transition_to_master No permission in user session. (Roles with this permission: pool-admin)`,
    ],
  ]
  it.each(cases)('%s: %j says %s', async (method, params, said) => {
    const answer = await call(method, session, ...params())
    if (said === 'ok') expect(String(answer)).not.toMatch(/^[A-Z_]+ /)
    else expect(answer).toBe(said)
  })

  test('may have a member ask the appliance, and hears in the task what came of it', async () => {
    const task = await call('task.create', session, 'diagnostics', '')
    const { address, plainPort } = pool.host('xs2')
    const path = `/wlb_diagnostics?session_id=${session}&task_id=${task}`
    const status = await new Promise((resolve) => {
      get(`http://${address}:${plainPort}${path}`, (response) => resolve(response.resume().statusCode))
    })
    expect(status).toBe(500)
    expect(await call('task.get_error_info', session, task)).toEqual(['WLB_NOT_INITIALIZED'])
    expect(await call('task.destroy', session, task)).toBe('')
  })

  test('has no emergency session on a member, and no other password', async () => {
    const { username = '' } = pool.document.reader ?? {}
    expect(await call('session.login_with_password', username, pool.document.password)).toMatch(
      /^SESSION_AUTHENTICATION_FAILED/,
    )
    expect(await call('session.login_with_password', 'root', pool.document.reader?.password ?? '')).toMatch(
      /^SESSION_AUTH/,
    )
  })
})

test('sessions of users end when they are told to, those of hosts go on', async () => {
  const { username, password } = pool.document
  const before = await call('session.login_with_password', username, password)
  await pool.fault('expire-sessions', 'xs1')
  expect(await call('pool.get_all', before)).toBe(`SESSION_INVALID ${before}`)
  const after = await call('session.login_with_password', username, password)
  expect(await call('pool.certificate_sync', after)).toBe('')
})

describe('XenAPI that is not well', () => {
  const ask = encodeJsonRpcCall({ version: '2.0', method: 'session.login_with_password', params: ['x', 'y'], id: 1n })
  const manners: [action: LabFault, met: RegExp][] = [
    ['slow', /^no answer$/],
    ['cut', /aborted/],
    ['garbage', /It works!/],
  ]
  it.each(manners)('%s, until it is mended; the hosts among themselves do not notice', async (action, met) => {
    await pool.fault(action, 'xs1')
    const heard = await post(ask, 'xs1', 300).catch((error: Error) => error.message)
    expect(heard).toMatch(met)
    expect(await pool.outcome('xs2', 'pool.certificate_sync')).toBe('ok')
    await pool.fault('mend', 'xs1')
    expect(await post(ask)).toContain('SESSION_AUTHENTICATION_FAILED')
  })
})
