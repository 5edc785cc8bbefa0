/** `xe` over TLS: connects to what real pools offer, and sends nothing to a server that fails its verification. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { TlsOptions } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { POOL_TLS } from '../../src/tls/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { type FakeServer, say, startFakeServer } from '../xapi/fake-server.js'
import { buildXe, type Run, type XeProgram } from './program.js'

const ADDRESS = '127.0.0.2'
const POOL_ONLY: TlsOptions = {
  minVersion: POOL_TLS.version,
  maxVersion: POOL_TLS.version,
  ciphers: POOL_TLS.ciphers.join(':'),
  ecdhCurve: POOL_TLS.curve,
}

let xe: XeProgram
let pool: FakeServer
let modern: FakeServer
let fingerprint: string
let anchor: string
let stranger: string

async function identity(addresses: string[]) {
  const { certificatePem, privateKeyPem } = await createSelfSigned({ hostname: 'xs1', addresses, now: new Date() })
  return { cert: certificatePem, key: privateKeyPem }
}

beforeAll(async () => {
  xe = await buildXe()
  const served = await identity([ADDRESS])
  fingerprint = new X509Certificate(served.cert).fingerprint256
  const script = say(0, { name: 'Print', text: 'hello' })
  pool = await startFakeServer(script, { address: ADDRESS, tls: { ...served, ...POOL_ONLY } })
  modern = await startFakeServer(script, { address: ADDRESS, tls: { ...served, minVersion: 'TLSv1.3' } })
  anchor = join(xe.folder, 'anchor.pem')
  stranger = join(xe.folder, 'stranger.pem')
  await writeFile(anchor, served.cert)
  await writeFile(stranger, (await identity([ADDRESS])).cert)
  await writeFile(join(xe.folder, 'empty.pem'), '')
})
afterAll(async () => {
  await Promise.all([pool?.close(), modern?.close()])
  await xe?.remove()
})

const run = (args: string[], server = pool): Promise<Run> =>
  xe.run(['x', '-s', server.address, '-p', String(server.port), '-pw', 'secret', ...args])

describe('unverified', () => {
  it.each(['pool', 'modern'])('connects to a %s server, and says how to verify it', async (which) => {
    const server = which === 'pool' ? pool : modern
    expect(await run([], server)).toEqual({
      stdout: 'hello\n',
      stderr: `xe: the certificate of ${ADDRESS}:${server.port} was not verified. To verify it from now on: --fingerprint ${fingerprint}\n`,
      exitCode: 0,
    })
  })
})

describe('verified', () => {
  const quiet = { stdout: 'hello\n', stderr: '', exitCode: 0 }

  it('by fingerprint, as option and as key', async () => {
    expect(await run(['--fingerprint', fingerprint])).toEqual(quiet)
    expect(await run([`fingerprint=${fingerprint.replaceAll(':', '').toLowerCase()}`])).toEqual(quiet)
    expect(pool.requests.at(-1)?.body).toBe('x\nusername=root\npassword=secret')
  })

  it('by trust anchor', async () => {
    expect(await run(['--cacert', anchor])).toEqual(quiet)
    expect(await run([`cacert=${anchor}`], modern)).toEqual(quiet)
  })
})

describe('refused before anything is sent', () => {
  const cases: [what: string, args: () => string[], stderr: RegExp][] = [
    [
      'another fingerprint',
      () => ['--fingerprint', '00'.repeat(32)],
      /^Error: The server shows another certificate than the one it was known by\.\n(.*\n)* {2}seen: [0-9A-F:]{95}\n/,
    ],
    [
      'another anchor',
      () => ['--cacert', stranger],
      /^Error: The server is not who the given authority says it is\.\n/,
    ],
    [
      'an anchor file that is not there',
      () => ['--cacert', '/nowhere'],
      /^Error: The trust anchors cannot be read\.\n/,
    ],
    [
      'an empty one',
      () => ['--cacert', join(xe.folder, 'empty.pem')],
      /^Error: The file holds no certificate in PEM form\.\n/,
    ],
    [
      'no TLS',
      () => ['--fingerprint', fingerprint, '--nossl'],
      /^Error: A plain connection has no certificate to verify\./,
    ],
  ]
  it.each(cases)('%s', async (_what, args, stderr) => {
    const before = pool.requests.length
    const refused = await run(args())
    expect(refused).toMatchObject({ stdout: '', exitCode: 1 })
    expect(refused.stderr).toMatch(stderr)
    expect(refused.stderr).not.toContain('secret')
    expect(pool.requests.length).toBe(before)
  })

  it('a name the certificate does not have', async () => {
    const served = await identity(['127.0.0.3'])
    const file = join(xe.folder, 'other.pem')
    await writeFile(file, served.cert)
    const other = await startFakeServer(say(0), { address: ADDRESS, tls: served })
    const refused = await run(['--cacert', file], other)
    await other.close()
    expect(refused.stderr).toMatch(/^Error: The server is not who the given authority says it is\.\n/)
    expect([refused.exitCode, other.requests]).toEqual([1, []])
  })

  it('a server that does not speak TLS', async () => {
    const plain = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.0 400 Bad Request\r\n\r\n'))
    await once(plain.listen(0, ADDRESS), 'listening')
    const bound = plain.address()
    const port = typeof bound === 'object' && bound ? bound.port : 0
    const refused = await xe.run(['x', '-s', ADDRESS, '-p', String(port)])
    plain.close()
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(/^Unable to contact server\. Please check server and port settings\.\n/)
  })
})
