/** Real TLS clients against the running appliance: a pool's stunnel with a pool's configuration, and openssl. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reportCertificate } from '../../src/identity/index.js'
import { dialAsPool } from '../../src/tls/index.js'
import { encodeRequest, readReply, readResponseHead, requestHead, type WlbCall } from '../../src/wlb/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { HOSTNAME, PASSWORD, startAppliance, type TestAppliance, USER_NAME } from './test-appliance.js'

const stunnel = requirePart('stunnel')
const openssl = requirePart('openssl')
const folder = mkdtempSync(join(tmpdir(), 'openwlb-peers-'))
const crlDirectory = join(folder, 'crls')
const otherBundle = join(folder, 'other.pem')
let appliance: TestAppliance
beforeAll(async () => {
  appliance = await startAppliance()
  mkdirSync(crlDirectory)
  const other = await createSelfSigned({ hostname: HOSTNAME, addresses: [], now: new Date() })
  writeFileSync(otherBundle, other.certificatePem)
})
afterAll(async () => {
  await appliance.remove()
  rmSync(folder, { recursive: true, force: true })
})

const GET: WlbCall = { method: 'GetXenPoolConfiguration', request: { poolUuid: 'p' } }

/** What the pool's API would say: the result of a call over a connection made as a pool makes it. */
async function callAsPool(client: 'node' | 'stunnel', serverName: string, bundle: string | undefined): Promise<string> {
  const { port } = appliance
  const verify = bundle === undefined ? undefined : { bundlePath: bundle, crlDirectory }
  const dialled = await dialAsPool({ client, serverName, address: OWN_ADDRESS, port, verify, timeoutMs: 10_000 })
  if (dialled.state === 'failed') {
    const { failure } = dialled
    return failure.kind === 'verify' ? failure.reason : failure.kind
  }
  const body = encodeRequest(GET)
  const credentials = { host: serverName, userName: USER_NAME, password: PASSWORD, userAgent: 'xapi/26.13' }
  dialled.stream.write(requestHead({ call: GET, bodyBytes: Buffer.byteLength(body), ...credentials }))
  dialled.stream.write(body)
  const pieces: Buffer[] = []
  for await (const piece of dialled.stream) pieces.push(piece)
  const bytes = Buffer.concat(pieces)
  const end = bytes.indexOf('\r\n\r\n') + 4
  const head = readResponseHead(bytes.subarray(0, end).toString('latin1'))
  if (head.state === 'no-response') return 'WLB_CONNECTION_RESET'
  const reply = readReply(GET.method, { ...head, body: bytes.subarray(end) })
  return reply.state === 'failed' ? [reply.code, ...reply.params].join(' ') : 'ok'
}

const ANSWERED = 'WLB_INTERNAL_ERROR 4015 Pool p is not registered here'
const cases: [what: string, serverName: string, bundle: 'own' | 'other' | 'none', outcome: string][] = [
  ['not verified', OWN_ADDRESS, 'none', ANSWERED],
  ['verified by host name', HOSTNAME, 'own', ANSWERED],
  ['verified by short name', 'wlb', 'own', ANSWERED],
  ['by address: IP SANs do not count', OWN_ADDRESS, 'own', 'Subject checks failed'],
  ['by another name', 'wlb.example.com', 'own', 'Subject checks failed'],
  ['with another certificate installed', HOSTNAME, 'other', 'Pre-verification error: self-signed certificate'],
]
describe.each(['node', 'stunnel'] as const)('a pool with %s', (client) => {
  describe.skipIf(client === 'stunnel' && !stunnel)('as its TLS client', () => {
    test.each(cases)('%s', async (_what, serverName, bundle, outcome) => {
      const path = { own: appliance.paths.certificate, other: otherBundle, none: undefined }[bundle]
      expect(await callAsPool(client, serverName, path)).toBe(outcome)
    })
  })
})

describe.skipIf(!openssl)('openssl', () => {
  /** Not `spawnSync`: the appliance answers in this very process. */
  const connect = async (...options: string[]): Promise<string> => {
    const target = ['-connect', `${OWN_ADDRESS}:${appliance.port}`, '-servername', HOSTNAME]
    const trust = ['-CAfile', appliance.paths.certificate, '-verify_return_error', '-verify_hostname', HOSTNAME]
    const child = spawn(openssl!, ['s_client', ...target, ...trust, ...options], { stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.end()
    let said = ''
    for await (const piece of child.stdout.setEncoding('utf8')) said += piece
    return said
  }
  const limits: [what: string, options: string[], said: RegExp][] = [
    [
      'what pools offer',
      ['-tls1_2', '-cipher', 'ECDHE-RSA-AES256-GCM-SHA384', '-groups', 'P-384'],
      /TLSv1\.2, Cipher is ECDHE-RSA-AES256-GCM-SHA384/,
    ],
    [
      'the other one pools offer',
      ['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256', '-groups', 'P-384'],
      /ECDHE-RSA-AES128-GCM-SHA256/,
    ],
    ['what modern clients offer', ['-tls1_3'], /TLSv1\.3, Cipher is TLS_AES_256_GCM_SHA384/],
    ['TLS 1.1', ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], /Cipher is \(NONE\)/],
    ['CBC', ['-tls1_2', '-cipher', 'ECDHE-RSA-AES256-SHA384'], /Cipher is \(NONE\)/],
    ['no forward secrecy', ['-tls1_2', '-cipher', 'AES256-GCM-SHA384'], /Cipher is \(NONE\)/],
  ]
  test.each(limits)('%s', async (_what, options, said) => {
    expect(await connect(...options)).toMatch(said)
  })

  test('sees what wlb cert show says', async () => {
    const report = await reportCertificate(appliance.root, new Date())
    const said = await connect('-showcerts')
    const pem = /-----BEGIN[\s\S]*?-----END CERTIFICATE-----/.exec(said)?.[0] ?? ''
    const args = ['x509', '-noout', '-fingerprint', '-sha256', '-enddate', '-subject', '-nameopt', 'RFC2253']
    const described = execFileSync(openssl!, args, { input: pem, encoding: 'utf8' })
    expect(said).toContain('Verification: OK')
    expect(described).toContain(report.fingerprintSha256)
    expect(described).toContain(`subject=${report.subject}`)
    expect(new Date(/notAfter=(.*)/.exec(described)?.[1] ?? '')).toEqual(report.notAfter)
    expect(report.served).toMatchObject({ state: 'served', fingerprintSha256: report.fingerprintSha256 })
    expect(existsSync(report.certificate)).toBe(true)
  })
})
