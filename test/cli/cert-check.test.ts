/** `wlb cert check`: what people see, byte by byte, and the document scripts read. The certificates are kept in check/. */
import { join } from 'node:path'
import { createServer, type TlsOptions } from 'node:tls'
import { afterAll, describe, expect, it, test } from 'vitest'
import { startTlsListener } from '../../src/tls/index.js'
import { placeDatabase } from '../empty-database.js'
import { freePort } from '../free-port.js'
import { issue, issueAuthority } from '../x509/test-authority.js'
import { makeFolder, removeFolder, run } from './program.js'

const FOLDER = join(import.meta.dirname, 'check')
const folder = makeFolder()
afterAll(() => removeFolder(folder))

/** File names stand for files of the folder; everything is asked for wlb.example.com on 1 March 2026 unless it says so. */
const check = (words: string) => {
  const given = words.split(' ').map((word) => (/\.(pem|crl|der)$/.test(word) ? join(FOLDER, word) : word))
  const name = words.includes('--name') || words.includes('--connect') ? [] : ['--name', 'wlb.example.com']
  const at = words.includes('--at') || words.includes('--connect') ? [] : ['--at', '2026-03-01']
  return run('wlb', ['cert', 'check', ...given, ...name, ...at], { WLB_ROOT: join(folder, 'nothing') })
}

const calls: [file: string, words: string][] = [
  ['accepted', 'full-chain.pem --trust root.pem'],
  ['accepted-own-root', 'full-chain.pem'],
  ['accepted-self-signed', 'self-signed.pem'],
  ['row-01-expired', 'expired.pem --trust root.pem'],
  ['row-01-expired-later', 'chain.pem --trust root.pem --at 2028-01-01T00:00:00Z'],
  ['row-06-wrong-name', 'chain.pem --trust root.pem --name wlb.example.net'],
  ['row-08-address', 'with-address.pem --trust root.pem --name 192.0.2.7'],
  ['row-15-intermediate-not-sent', 'leaf.pem --trust root.pem'],
  ['row-16-wrong-order', 'wrong-order.pem --trust root.pem'],
  ['row-19-root-not-installed', 'full-chain.pem --trust other-root.pem'],
  ['row-22-nothing-installed', 'chain.pem --trust empty.pem'],
  ['row-24-self-signed', 'self-signed.pem --trust root.pem'],
  ['row-46-ecdsa', 'ecdsa.pem --trust root.pem'],
  ['row-58-revoked', 'chain.pem --trust root.pem --crl revoking.crl'],
  ['row-61-list-of-another', 'chain.pem --trust root.pem --crl other.crl'],
  ['several-defects', 'two-defects.pem --trust root.pem'],
  ['several-defects-json', 'two-defects.pem --trust root.pem --json'],
  ['cross-signed', 'cross-signed.pem --trust root.pem'],
  ['warnings', 'careless.pem --trust root.pem'],
  ['warnings-list-ends', 'wildcard.pem --trust root.pem --crl ending.crl'],
  ['browser-accepts-an-address', 'with-address.pem --trust root.pem --name 192.0.2.7 --as-browser'],
  ['browser-refuses', 'careless.pem --trust root.pem --as-browser'],
]

it.each(calls)('%s: wlb cert check %s', async (file, words) => {
  const { stdout, stderr, exitCode } = await check(words)
  const seen = `$ wlb cert check ${words}\n--- stdout\n${stdout}--- stderr\n${stderr}--- exit ${exitCode}\n`
  await expect(seen.replaceAll(`${FOLDER}/`, '')).toMatchFileSnapshot(`golden/check/${file}.txt`)
})

const PREFIX = 'Pre-verification error: '

describe('the contract for scripts', () => {
  const rows: [words: string, exit: number, reason: string, opensslNumber: number, codes: string, xapi: string][] = [
    ['full-chain.pem --trust root.pem --as-pool', 0, '', 0, '', ''],
    [
      'leaf.der --trust root.pem',
      1,
      `${PREFIX}unable to get local issuer certificate`,
      20,
      'ISSUER_MISSING',
      'SSL_VERIFY_ERROR',
    ],
    ['expired.pem --trust root.pem', 1, `${PREFIX}certificate has expired`, 10, 'EXPIRED', 'SSL_VERIFY_ERROR'],
    ['chain.pem --trust root.pem --name x.lab', 1, 'Subject checks failed', 62, 'NAME_MISMATCH', 'SSL_VERIFY_ERROR'],
    [
      'weak.pem --trust root.pem',
      1,
      `${PREFIX}EE certificate key too weak`,
      66,
      'LEAF_KEY_TOO_WEAK DIGEST_TOO_WEAK',
      'SSL_VERIFY_ERROR',
    ],
    ['chain.pem --trust root.pem --crl empty.pem', 0, '', 0, '', ''],
    [
      'chain.pem --trust root.pem --crl revoking.crl',
      1,
      `${PREFIX}certificate revoked`,
      23,
      'REVOKED',
      'SSL_VERIFY_ERROR',
    ],
    [
      'chain.pem --trust root.pem --crl other.crl',
      1,
      `${PREFIX}unable to get certificate CRL`,
      3,
      'CRL_MISSING',
      'SSL_VERIFY_ERROR',
    ],
    ['chain.pem --trust root.pem --crl other.crl --crl ending.crl', 0, '', 0, '', ''],
    ['chain.pem --trust empty.pem', 1, 'Configuration failed', 0, 'BUNDLE_UNUSABLE ISSUER_MISSING', 'INTERNAL_ERROR'],
    ['ecdsa.pem --trust root.pem', 1, 'sslv3 alert handshake failure', 0, 'KEY_NOT_RSA', 'WLB_CONNECTION_RESET'],
  ]
  it.each(rows)('%s: exit %i, %s', async (words, exit, reason, opensslNumber, codes, xapi) => {
    const { stdout, stderr, exitCode } = await check(`${words} --json`)
    const document = JSON.parse(stdout)
    expect({ exitCode, stderr }).toEqual({ exitCode: exit, stderr: '' })
    expect(document).toMatchObject({ accepted: exit === 0, reason, opensslNumber })
    expect(document.xapiError[0] ?? '').toBe(xapi)
    if (xapi === 'SSL_VERIFY_ERROR') expect(document.xapiError).toEqual([xapi, reason])
    expect(document.path[0]).toBe('CN=wlb.example.com')
    expect(document.defects.map(({ code }: { code: string }) => code).join(' ')).toBe(codes)
    for (const defect of document.defects) {
      const text = expect.any(String)
      expect(defect).toMatchObject({
        code: text,
        depth: expect.any(Number),
        certificate: text,
        message: text,
        remedy: text,
      })
    }
  })
})

describe('nobody can tell: exit 2', () => {
  const rows: [words: string, code: string][] = [
    ['nowhere.pem --trust root.pem', 'FILE_MISSING'],
    ['chain.pem --trust nowhere.pem', 'FILE_MISSING'],
    ['chain.pem --trust root.pem --crl nowhere.crl', 'FILE_MISSING'],
    ['text.pem --trust root.pem', 'FILE_UNRECOGNIZED'],
    ['empty.pem --trust root.pem', 'FILE_UNRECOGNIZED'],
    ['chain.pem', 'CHAIN_WITHOUT_ROOT'],
    ['chain.pem --connect 127.0.0.1:8012', 'USAGE_FILES_OR_ENDPOINT'],
    ['chain.pem --at tomorrow', 'USAGE'],
    ['chain.pem --at 2026-02-30', 'USAGE'],
    ['--connect wlb.example.com', 'USAGE'],
    ['chain.pem --as-pool --as-browser', 'USAGE'],
    ['--connect 127.0.0.1:1', 'ENDPOINT_UNREACHABLE'],
  ]
  it.each(rows)('%s: %s', async (words, code) => {
    const { stdout, exitCode } = await check(`${words} --json`)
    expect(JSON.parse(stdout).error.code).toBe(code)
    expect(exitCode).toBe(2)
  })

  test('no name, and no appliance that has one', async () => {
    const { stderr, exitCode } = await run('wlb', ['--root', join(folder, 'nothing'), 'cert', 'check', '--json'])
    expect(stderr).toContain('[USAGE_NEEDS_NAME]')
    expect(exitCode).toBe(2)
  })
})

test('without files and names, the certificate of the appliance itself', async () => {
  const root = join(folder, 'own')
  const password = join(FOLDER, 'text.pem')
  const words = [
    '--hostname',
    'wlb.example.com',
    '--port',
    String(await freePort()),
    '--password-file',
    password,
    '--yes',
  ]
  placeDatabase(root)
  expect((await run('wlb', ['--root', root, 'setup', ...words])).exitCode).toBe(0)
  const { stdout, exitCode } = await run('wlb', ['--root', root, 'cert', 'check', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ accepted: true, name: 'wlb.example.com', path: ['CN=wlb.example.com'] })
  expect(exitCode).toBe(0)
})

describe('asked of a server', () => {
  const NAME = '127.0.0.1'
  const made = async () => {
    const root = await issueAuthority({ subject: 'Example Root' })
    return { root, leaf: await issue({ subject: 'wlb.example.lab', dnsNames: ['wlb.example.lab'], issuer: root }) }
  }

  test('that a pool can talk to', async () => {
    const { root, leaf } = await made()
    const listener = await startTlsListener({
      certificatePem: `${leaf.certificatePem}${root.certificatePem}`,
      privateKeyPem: leaf.privateKeyPem,
      address: NAME,
      port: 0,
      requestListener: (_request, response) => response.end(),
    })
    const connect = `--connect ${NAME}:${listener.port} --json`
    const [right, wrong] = [await check(`${connect} --name wlb.example.lab`), await check(connect)]
    await listener.close()
    expect(JSON.parse(right.stdout)).toMatchObject({
      accepted: true,
      path: ['CN=wlb.example.lab', 'CN=Example Root'],
      endpoint: { cipher: 'ECDHE-RSA-AES256-GCM-SHA384', curve: 'secp384r1', clientCertificate: 'not asked' },
    })
    expect(right.exitCode).toBe(0)
    // S35, row 8: by its address
    expect(JSON.parse(wrong.stdout)).toMatchObject({ accepted: false, reason: 'Subject checks failed' })
    expect(wrong.exitCode).toBe(1)
  })

  const refusing: [what: string, options: TlsOptions, code: string][] = [
    ['that allows no curve of a pool', { ecdhCurve: 'prime256v1' }, 'NO_COMMON_CURVE'],
    [
      'that demands a client certificate',
      { ecdhCurve: 'auto', requestCert: true, rejectUnauthorized: true },
      'CLIENT_CERTIFICATE_DEMANDED',
    ],
  ]
  it.each(refusing)('%s', async (_what, options, code) => {
    const { root, leaf } = await made()
    const cert = `${leaf.certificatePem}${root.certificatePem}`
    const ca = [root.certificatePem]
    const server = createServer({ cert, key: leaf.privateKeyPem, ca, ...options }).listen(0, NAME)
    server.on('tlsClientError', () => {})
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const { stdout, exitCode } = await check(`--connect ${NAME}:${port} --name wlb.example.lab --json`)
    server.close()
    expect(JSON.parse(stdout)).toMatchObject({
      accepted: false,
      reason: 'sslv3 alert handshake failure',
      xapiError: ['WLB_CONNECTION_RESET'],
      path: ['CN=wlb.example.lab', 'CN=Example Root'],
      defects: [{ code }],
    })
    expect(exitCode).toBe(1)
  })
})
