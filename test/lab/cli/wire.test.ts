import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { baseName } from '../../../src/lab/thin-cli/certificate-commands.js'
import { ApiFailure } from '../../../src/xapi/index.js'
import { createPool, POOL, ref } from './pool-in-memory.js'
import { BANNER_BYTES, dial, END, FAILED, hostFor, OK, obey, xe } from './raw-client.js'

const hex = (text: string) => Buffer.from(text.replace(/[^0-9a-f]/g, ''), 'hex')
const EXIT_0 = hex('0c000000 09000000 04000000 00000000')
const EXIT_1 = hex('0c000000 09000000 04000000 01000000')
const LOAD = hex('11000000 09000000 01000000 05000000 772e70656d')

/** Collects all the server says until it ends. */
async function hear(client: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of client) pieces.push(piece)
  return Buffer.concat(pieces)
}

describe('bytes', () => {
  it('prints one line and ends', async () => {
    const pool = createPool()
    pool.update('pool', ref('pool'), { uuid: 'ab' })
    const { client, served } = await dial(hostFor(pool), 'pool-list\n--minimal\nusername=root\npassword=null')
    client.write(BANNER_BYTES)
    const print = hex('0e000000 09000000 00000000 02000000 6162')
    expect(await hear(client)).toEqual(Buffer.concat([BANNER_BYTES, print, EXIT_0]))
    await served
  })

  it('fetches a file of five bytes', async () => {
    const pool = createPool()
    pool.answer('pool.install_ca_certificate', '')
    const { client, served } = await dial(hostFor(pool), 'pool-certificate-install\nfilename=w.pem\nusername=root')
    const upload = [OK, hex('0c000000 0b000000 07000000 05000000'), Buffer.from('hello'), END]
    client.write(Buffer.concat([BANNER_BYTES, ...upload]))
    expect(await hear(client)).toEqual(Buffer.concat([BANNER_BYTES, LOAD, EXIT_0]))
    expect(pool.done).toEqual(['pool.install_ca_certificate(w.pem, hello)'])
    await served
  })

  it('joins chunks and reads an empty file, a byte at a time', async () => {
    const pool = createPool()
    pool.answer('pool.crl_install', '')
    const { client, served } = await dial(hostFor(pool), 'pool-crl-install\nfilename=w.pem\nusername=root')
    const chunk = (text: string) => [hex(`0c000000 0b000000 07000000 0${text.length}000000`), Buffer.from(text)]
    const bytes = Buffer.concat([BANNER_BYTES, OK, ...chunk('he'), ...chunk(''), ...chunk('llo'), END])
    client.setNoDelay(true)
    for (const byte of bytes) client.write(Buffer.of(byte))
    await hear(client)
    await served
    expect(pool.done).toEqual(['pool.crl_install(w.pem, hello)'])
  })

  it('ends twice when the file cannot be opened', async () => {
    const { client, served } = await dial(
      hostFor(createPool()),
      'pool-certificate-install\nfilename=w.pem\nusername=root',
    )
    client.write(Buffer.concat([BANNER_BYTES, FAILED]))
    const words = Buffer.from('Failed to read certificate\n')
    const stderr = Buffer.concat([hex('27000000 09000000 10000000 1b000000'), words])
    expect(await hear(client)).toEqual(Buffer.concat([BANNER_BYTES, LOAD, stderr, EXIT_1, EXIT_1]))
    await served
  })
})

describe('a client that', () => {
  it.each([
    ['speaks something else', Buffer.from(`GET / HTTP/1.1\r\nhost: x\r\n\r\n${' '.repeat(35)}`)],
    ['has another major version', hex(`${BANNER_BYTES.toString('hex').slice(0, 54)}01000000 02000000`)],
    ['sends half a banner and leaves', BANNER_BYTES.subarray(0, 20)],
    ['leaves at once', Buffer.alloc(0)],
  ])('%s is told nothing', async (_what, bytes) => {
    const host = hostFor(createPool())
    const { client, served } = await dial(host, 'pool-list\nusername=root')
    client.end(bytes)
    expect(await hear(client)).toEqual(BANNER_BYTES)
    await served
    expect(host.log).toEqual([])
  })

  it.each([
    ['in the length of a frame', OK.subarray(0, 2)],
    ['in a frame', OK.subarray(0, 7)],
    ['between frames', OK],
    ['in the raw bytes', Buffer.concat([OK, hex('0c000000 0b000000 07000000 09000000'), Buffer.from('part')])],
  ])('stops %s and leaves is logged out, and nothing is installed', async (_where, bytes) => {
    const pool = createPool()
    const host = hostFor(pool)
    const { client, served } = await dial(host, 'pool-certificate-install\nfilename=w.pem\nusername=root')
    client.end(Buffer.concat([BANNER_BYTES, bytes]))
    await hear(client)
    await served
    expect(pool.done).toEqual([])
    expect(host.log).toEqual(['user login root', 'user logout'])
  })

  it('sends a frame that is none hears of a failure', async () => {
    const { client, served } = await dial(
      hostFor(createPool()),
      'pool-certificate-install\nfilename=w.pem\nusername=root',
    )
    client.write(Buffer.concat([BANNER_BYTES, hex('ffffff7f')]))
    expect((await hear(client)).subarray(-16)).toEqual(EXIT_1)
    await served
  })

  it('uploads 33 MiB is stopped before the first byte is read, and hears why', async () => {
    const pool = createPool()
    const file = Buffer.alloc(33 * 1024 * 1024, 'x')
    const said = await xe(hostFor(pool), 'pool-certificate-install filename=w.pem', { files: { 'w.pem': file } })
    expect(said).toMatchObject({
      stdout: '',
      stderr:
        'Error: Fatal error: A CLI client tried to transfer more than the maximum allowed of 33554432B, aborting.\n',
      exits: [1],
    })
    expect(pool.done).toEqual([])
  })

  it('hangs up while waiting for an event ends the wait', async () => {
    const pool = createPool()
    const host = hostFor(pool, {
      login: async () => ({
        ref: 'OpaqueRef:s',
        rpc: (method, ...params) => (method === 'event.from' ? new Promise(() => {}) : pool.rpc(method, ...params)),
        logout: async () => void host.log.push('logged out'),
      }),
    })
    const { client, served } = await dial(host, 'event-wait\nclass=pool\nname-label=never\nusername=root')
    client.write(BANNER_BYTES)
    await once(client, 'readable')
    client.destroy()
    await served
    expect(host.log).toEqual(['logged out'])
  })
})

describe('the body', () => {
  const CASES: [what: string, body: string, exit: number][] = [
    ['with CRs', 'pool-param-get\r\nuuid=UUID\r\nparam-name=name-label\r\nusername=root\r\npassword=x\r', 0],
    ['with a session', 'session_id=OpaqueRef:mine\npool-param-get\nuuid=UUID\nparam-name=name-label', 0],
    [
      'with a session that is not first',
      'pool-param-get\nsession_id=OpaqueRef:mine\nuuid=UUID\nparam-name=name-label',
      1,
    ],
    ['without anything', '', 1],
  ]
  it.each(CASES)('%s', async (_what, body, exit) => {
    const host = hostFor(createPool())
    const { client, served } = await dial(host, body.replace('UUID', POOL))
    const said = await obey(client, {})
    await served
    expect(said.exit).toBe(exit)
    if (exit === 0) expect(said.stdout).toBe('lab\n')
    if (body.startsWith('session_id')) expect(host.log).toEqual(['attach OpaqueRef:mine'])
  })

  it.each([
    ['wlb.pem', 'wlb.pem'],
    ['/root/wlb.pem', 'wlb.pem'],
    ['./a/wlb.pem//', 'wlb.pem'],
    ['C:\\x\\wlb.pem', 'C:\\x\\wlb.pem'],
    ['/', '/'],
    ['', '.'],
  ])('names the file %j %j', (path, name) => {
    expect(baseName(path)).toBe(name)
  })
})

describe('on a member', () => {
  const member = { kind: 'member', coordinatorAddress: '127.0.0.11' } as const
  const refusal =
    'You cannot make regular API calls directly on a supporter. Please pass API calls via the coordinator host.\n' +
    'Master IP address: 127.0.0.11\n'

  it('refuses over the network, whether the login does or not', async () => {
    const login = async () => {
      throw new ApiFailure('HOST_IS_SLAVE', ['127.0.0.11'])
    }
    expect(await xe(hostFor(createPool(), { role: () => member, login }), 'pool-list')).toMatchObject({
      stderr: refusal,
      exit: 1,
    })
    expect(await xe(hostFor(createPool(), { role: () => member }), 'pool-list')).toMatchObject({
      stderr: refusal,
      exit: 1,
    })
  })

  it('passes the conversation on when it is its own shell that asks', async () => {
    const pool = createPool()
    pool.answer('pool.install_ca_certificate', '')
    const coordinator = hostFor(pool)
    const forwarded: string[] = []
    const host = hostFor(createPool(), {
      role: () => member,
      origin: 'local',
      forward: async (body, session) => {
        forwarded.push(`${session} ${body.toString()}`)
        const { client } = await dial(coordinator, `session_id=${session}\r\n${body.toString()}`)
        return client
      },
    })
    const said = await xe(host, 'pool-certificate-install filename=w.pem', { files: { 'w.pem': 'PEM' } })
    expect(said).toMatchObject({ stdout: '', stderr: '', exits: [0] })
    expect(forwarded).toEqual([
      'OpaqueRef:user pool-certificate-install\r\nfilename=w.pem\r\nusername=root\r\npassword=null',
    ])
    expect(pool.done).toEqual(['pool.install_ca_certificate(w.pem, PEM)'])
    expect(host.log).toEqual(['user login root', 'user logout'])
    expect(coordinator.log).toEqual(['attach OpaqueRef:user'])
  })

  it('says so when the coordinator is something else, or is gone', async () => {
    const answering = (text: string) => async () => {
      const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
      stream.push(text)
      stream.push(null)
      return stream
    }
    for (const text of ['', 'HTTP/1.1 500 Internal Server Error\r\n\r\n']) {
      const host = hostFor(createPool(), { role: () => member, origin: 'local', forward: answering(text) })
      const said = await xe(host, 'pool-list')
      expect(said.exit).toBe(1)
      expect(said.stderr).toContain('message: ')
    }
  })

  it('runs what is never forwarded itself', async () => {
    const pool = createPool()
    pool.answer('pool.emergency_transition_to_master', '')
    const said = await xe(hostFor(pool, { role: () => member }), 'pool-emergency-transition-to-master')
    expect(said.stdout).toBe('Host agent will restart and transition to master in 10.000 seconds...\n')
  })
})

describe('downloads', () => {
  function poolWithTask(status: string, errorInfo: string[] = []) {
    const pool = createPool()
    pool.answer('task.create', 'OpaqueRef:task')
    pool.answer('task.get_status', status)
    pool.answer('task.get_error_info', errorInfo)
    pool.answer('task.destroy', '')
    pool.answer('event.from', { events: [], token: '0,0' })
    return pool
  }
  const REPORT = '/wlb_report?session_id=OpaqueRef:user&task_id=OpaqueRef:task&report=pool_health&Start=-6&Filter=a%20b'

  it.each([
    ['pool-retrieve-wlb-report report=pool_health Start=-6 Filter=a_b', '', REPORT, ''],
    [
      'pool-retrieve-wlb-report report=pool_health filename=r.xml Start=-6 Filter=a_b',
      'r.xml',
      REPORT,
      'Report generation succeeded\n',
    ],
    ['pool-retrieve-wlb-report report=r --minimal filename=r.xml', 'r.xml', '', 'Report generation succeeded\n\n'],
    [
      'pool-retrieve-wlb-diagnostics filename=d.txt',
      'd.txt',
      '/wlb_diagnostics?session_id=OpaqueRef:user&task_id=OpaqueRef:task',
      'WLB diagnostics download succeeded\n',
    ],
    ['pool-retrieve-wlb-diagnostics', '', '', ''],
  ])('xe %s', async (command, file, url, stdout) => {
    const asked: string[][] = []
    const fetches = (name: string, path: string): 'OK' => {
      asked.push([name, path])
      return 'OK'
    }
    const words = command.split(' ').map((word) => word.replace('a_b', 'a b'))
    const pool = poolWithTask('success')
    expect(await xe(hostFor(pool), words, { fetches })).toMatchObject({ stdout, stderr: '', exit: 0 })
    expect(asked[0]?.[0]).toBe(file)
    if (url !== '') expect(asked[0]?.[1]).toBe(url)
    expect(pool.done.at(-1)).toBe('task.destroy(OpaqueRef:task)')
  })

  it('gives the reason the task was given', async () => {
    const pool = poolWithTask('failure', ['WLB_CONNECTION_REFUSED'])
    const said = await xe(hostFor(pool), 'pool-retrieve-wlb-diagnostics', { fetches: () => 'OK' })
    expect(said).toMatchObject({ stdout: '', stderr: 'WLB refused a connection to the server.\n', exit: 1 })
    const failed = await xe(hostFor(pool), 'pool-retrieve-wlb-diagnostics', { fetches: () => 'Failed' })
    expect(failed.stderr).toBe('WLB refused a connection to the server.\n')
  })

  it('has none when only the client knows', async () => {
    const pool = poolWithTask('pending')
    const said = await xe(hostFor(pool), 'pool-retrieve-wlb-diagnostics', { fetches: () => 'Failed' })
    expect(said.stderr).toBe('Error code: CLIENT_ERROR\nError parameters: \n')
  })
})
