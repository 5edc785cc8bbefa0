import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { apiFailureOf, createWlbConnection, parseWlbUrl, type WlbTarget } from '../../src/lab/wlb/wlb-connection.js'
import { floatText } from '../../src/tls/index.js'
import type { WlbCall } from '../../src/wlb/index.js'
import { ApiFailure } from '../../src/xapi/index.js'
import { requirePart } from '../real-parts.js'
import { daysFromNow, type Issued, issue, issueAuthority } from '../x509/test-authority.js'
import { type Appliance, envelope, framed, type Script, startAppliance } from './wlb-connection-server.js'

const NAME = 'wlb.lab.internal'
const CONFIGURATION: WlbCall & { method: 'GetXenPoolConfiguration' } = {
  method: 'GetXenPoolConfiguration',
  request: { poolUuid: 'P' },
}
const EMPTY = envelope('GetXenPoolConfiguration', '<OptimizationParms/>')
const ANSWER = framed(EMPTY)

const answering =
  (answer: string): Script =>
  (socket) =>
    void socket.end(answer)

let root: string
let appliance: Appliance | undefined
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'openwlb-wlb-'))
  mkdirSync(join(root, 'etc/stunnel/crls'), { recursive: true })
})
afterEach(async () => {
  await appliance?.close()
  appliance = undefined
  rmSync(root, { recursive: true })
})

let own: Issued
beforeAll(async () => {
  own = await issue({ subject: NAME, dnsNames: [NAME], ca: true })
})

const trust = (text: string) => writeFileSync(join(root, 'etc/stunnel/xapi-stunnel-ca-bundle.pem'), text)

function connection(tlsClient: 'node' | 'stunnel' = 'node') {
  const known = new Set([NAME, 'other.lab.internal', '127.0.0.1'])
  return createWlbConnection({
    tlsClient,
    hostRoot: root,
    resolve: async (name) => (known.has(name.toLowerCase()) ? '127.0.0.1' : undefined),
    now: () => new Date(),
    userAgent: 'xapi/2.21',
  })
}

function target(port: number, changes: Partial<WlbTarget> = {}): WlbTarget {
  return { url: `${NAME}:${port}`, userName: 'wlbuser', password: 'p:ss', verify: true, timeoutMs: 10_000, ...changes }
}

/** What came of a call, in one line. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    if (error instanceof ApiFailure) return [error.code, ...error.params.map((param) => `[${param}]`)].join(' ')
    throw error
  }
}

for (const client of ['node', 'stunnel'] as const) {
  const missing = client === 'stunnel' && !requirePart('stunnel')
  describe.skipIf(missing)(`connecting with ${client}`, () => {
    type Identity = 'own' | 'expired' | 'issued' | 'ecdsa' | 'weak' | 'client-only'
    const identities = new Map<Identity, Issued>()
    let authority: Issued
    beforeAll(async () => {
      authority = await issueAuthority({ subject: 'Lab Authority' })
      const names = { subject: NAME, dnsNames: [NAME] }
      identities.set('own', own)
      identities.set(
        'expired',
        await issue({ ...names, ca: true, notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }),
      )
      identities.set('issued', await issue({ ...names, issuer: authority }))
      identities.set('ecdsa', await issue({ ...names, ca: true, keyKind: 'ec' }))
      identities.set('weak', await issue({ ...names, ca: true, keyKind: 'rsa1024' }))
      identities.set('client-only', await issue({ ...names, issuer: authority, extendedKeyUsage: ['clientAuth'] }))
    })

    type Bundle = 'itself' | 'authority' | 'another' | 'missing' | 'empty' | 'garbage'
    const verifyError = (text: string) => `SSL_VERIFY_ERROR [${text}]`
    const before = (text: string) => verifyError(`Pre-verification error: ${text}`)
    const NOT_CONFIGURED = 'INTERNAL_ERROR [Connection failed: configuration failed.]'
    const CASES: [identity: Identity, bundle: Bundle, host: string, said: string][] = [
      ['own', 'itself', NAME, 'ok'],
      ['own', 'itself', NAME.toUpperCase(), 'ok'],
      ['own', 'itself', 'other.lab.internal', verifyError('Subject checks failed')],
      ['own', 'itself', '127.0.0.1', verifyError('Subject checks failed')],
      ['own', 'another', NAME, before('self-signed certificate')],
      ['own', 'missing', NAME, NOT_CONFIGURED],
      ['own', 'empty', NAME, NOT_CONFIGURED],
      ['own', 'garbage', NAME, NOT_CONFIGURED],
      ['issued', 'authority', NAME, 'ok'],
      ['issued', 'itself', NAME, before('unable to get local issuer certificate')],
      ['expired', 'itself', NAME, before('certificate has expired')],
      ['ecdsa', 'itself', NAME, 'WLB_CONNECTION_RESET'],
      ['client-only', 'authority', NAME, before('unsuitable certificate purpose')],
      ['own', 'itself', 'nobody.lab.internal', 'WLB_UNKNOWN_HOST'],
    ]
    it.each(CASES)('%s certificate, bundle %s, as %s: %s', async (identity, bundle, host, said) => {
      const served = identities.get(identity)
      if (!served) throw new Error(identity)
      const another = await issue({ subject: 'another', ca: true })
      const texts = { itself: served, authority, another }
      if (bundle === 'empty') trust('')
      else if (bundle === 'garbage') trust('no certificate')
      else if (bundle !== 'missing') trust(texts[bundle].certificatePem)
      appliance = await startAppliance(served, answering(ANSWER))
      const url = `${host}:${appliance.port}`
      expect(await outcome(connection(client).call(CONFIGURATION, target(appliance.port, { url })))).toBe(said)
      expect(appliance.requests).toHaveLength(said === 'ok' ? 1 : 0)
      expect(appliance.connections()).toBeLessThanOrEqual(1)
    })

    it('verifies nothing where the pool does not ask for it', async () => {
      appliance = await startAppliance(own, answering(ANSWER))
      const given = target(appliance.port, { url: `127.0.0.1:${appliance.port}`, verify: false })
      expect(await outcome(connection(client).call(CONFIGURATION, given))).toBe('ok')
    })

    it('wants a CRL of the issuer as soon as there is any', async () => {
      trust(own.certificatePem)
      writeFileSync(join(root, 'etc/stunnel/crls/junk.pem'), 'junk')
      appliance = await startAppliance(own, answering(ANSWER))
      const said = await outcome(connection(client).call(CONFIGURATION, target(appliance.port)))
      expect(said).toBe(before('unable to get certificate CRL'))
    })

    it('is refused where nobody listens', async () => {
      trust(own.certificatePem)
      const closed = await closedPort()
      expect(await outcome(connection(client).call(CONFIGURATION, target(closed)))).toBe('WLB_CONNECTION_REFUSED')
    })

    it('is reset by a server of TLS 1.3 only', async () => {
      trust(own.certificatePem)
      appliance = await startAppliance(own, answering(ANSWER), { minVersion: 'TLSv1.3' })
      expect(await outcome(connection(client).call(CONFIGURATION, target(appliance.port)))).toBe('WLB_CONNECTION_RESET')
    })

    it('says what a handshake alone came to', async () => {
      trust(own.certificatePem)
      appliance = await startAppliance(own, answering(ANSWER))
      const { port } = appliance
      const shake = (url: string) => connection(client).handshake({ url, verify: true, timeoutMs: 10_000 })
      expect(await shake(`${NAME}:${port}`)).toEqual({ accepted: true, reason: '' })
      expect(await shake(`127.0.0.1:${port}`)).toEqual({ accepted: false, reason: 'Subject checks failed' })
      expect(await shake(`nobody.lab.internal:${port}`)).toEqual({ accepted: false, reason: 'No host resolved' })
      expect(await shake(`${NAME}:${await closedPort()}`)).toEqual({ accepted: false, reason: 'Connection refused' })
      expect(appliance.requests).toEqual([])
    })

    it('sends the request a pool sends, byte for byte', async () => {
      trust(own.certificatePem)
      appliance = await startAppliance(own, answering(ANSWER))
      await connection(client).call(CONFIGURATION, target(appliance.port))
      const body = appliance.requests[0]?.split('\r\n\r\n')[1] ?? ''
      expect(appliance.requests).toEqual([
        `POST /Citrix.Dwm.WorkloadBalance/Service HTTP/1.1\r\ncontent-length: ${body.length}\r\nuser-agent: xapi/2.21\r\n` +
          'connection: close\r\nSOAPAction: "http://schemas.citrix.com/DWM/IWorkloadBalance/GetXenPoolConfiguration"\r\n' +
          `Content-Type: text/xml; charset=utf-8\r\nAuthorization: Basic ${Buffer.from('wlbuser:p:ss').toString('base64')}\r\n` +
          `Host: ${NAME}\r\n\r\n${body}`,
      ])
      expect(body).toMatch(/^<s:Envelope [^>]*>\n {2}<s:Body>\n {4}<GetXenPoolConfiguration /)
    })

    const fault =
      '<s:Envelope xmlns:s="x"><s:Body><s:Fault><s:Reason><s:Text>No such method</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>'
    const refusal = envelope('GetXenPoolConfiguration', '<ErrorMessage>No</ErrorMessage><ResultCode>4015</ResultCode>')
    const ANSWERS: [what: string, answer: string, said: string][] = [
      ['401', 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n', 'WLB_AUTHENTICATION_FAILED'],
      ['403', 'HTTP/1.1 403 Forbidden\r\n\r\n', 'WLB_AUTHENTICATION_FAILED'],
      ['404', `HTTP/1.1 404 Not Found\r\n\r\n${EMPTY}`, 'WLB_CONNECTION_RESET'],
      ['500', `HTTP/1.1 500 Internal Server Error\r\n\r\n${EMPTY}`, 'WLB_CONNECTION_RESET'],
      ['100 first', `HTTP/1.1 100 Continue\r\n\r\n${ANSWER}`, 'WLB_CONNECTION_RESET'],
      ['an end before the status line', '', 'WLB_CONNECTION_RESET'],
      ['something else', 'SSH-2.0-OpenSSH\r\n\r\n', 'WLB_CONNECTION_RESET'],
      ['a length that is none', ANSWER.replace(/Length: \d+/, 'Length: many'), 'WLB_CONNECTION_RESET'],
      ['lines that end with LF', ANSWER.replaceAll('\r\n', '\n'), 'ok'],
      ['no length', `HTTP/1.1 200 OK\r\n\r\n${EMPTY}`, 'ok'],
      ['a short body', ANSWER.slice(0, -1), 'INTERNAL_ERROR [End_of_file]'],
      ['more than its length', `${ANSWER}junk`, 'ok'],
      ['a refusal', framed(refusal), 'WLB_INTERNAL_ERROR [4015] [No]'],
      ['a fault', framed(fault), 'WLB_INTERNAL_ERROR [Exception:] [No such method]'],
      [
        'chunks',
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n<\r\n`,
        'WLB_MALFORMED_RESPONSE [GetXenPoolConfiguration] [expected root element line 1] []',
      ],
    ]
    it.each(ANSWERS)('hears %s', async (_what, answer, said) => {
      trust(own.certificatePem)
      appliance = await startAppliance(own, answering(answer))
      expect(await outcome(connection(client).call(CONFIGURATION, target(appliance.port)))).toBe(said)
    })

    it('waits for no end where the document has one', async () => {
      trust(own.certificatePem)
      appliance = await startAppliance(own, (socket) => void socket.write(`HTTP/1.1 200 OK\r\n\r\n${EMPTY}`))
      expect(await outcome(connection(client).call(CONFIGURATION, target(appliance.port)))).toBe('ok')
    })

    it('reads a report to the end of the connection, whatever its length says', async () => {
      trust(own.certificatePem)
      const report = envelope('ExecuteReport', '<XmlDataSet>&lt;a/&gt;</XmlDataSet>')
      const heard: string[] = []
      appliance = await startAppliance(own, (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n')
        socket.write(report.slice(0, 40))
        socket.end(report.slice(40))
      })
      const call = { method: 'ExecuteReport', request: { reportName: 'r', parameters: [] } } as const
      const given = target(appliance.port, { onAccepted: () => heard.push('accepted') })
      expect(await connection(client).call(call, given)).toEqual({ text: '<a/>' })
      expect(heard).toEqual(['accepted'])
    })

    it('gives up when its time is over, in the words of the pool', async () => {
      trust(own.certificatePem)
      appliance = await startAppliance(own, () => {})
      const given = target(appliance.port, { timeoutMs: 400 })
      expect(await outcome(connection(client).call(CONFIGURATION, given))).toBe('WLB_TIMEOUT [0.4]')
    })

    it('hears a reset in the middle of an answer', async () => {
      trust(own.certificatePem)
      appliance = await startAppliance(own, (socket) => void socket.write('HTTP/1.1 2', () => appliance?.reset()))
      expect(await outcome(connection(client).call(CONFIGURATION, target(appliance.port)))).toBe('WLB_CONNECTION_RESET')
    })
  })
}

describe('the line', () => {
  it('takes the youngest first, one at a time', async () => {
    const held: (() => void)[] = []
    appliance = await startAppliance(own, (socket) => void held.push(() => socket.end(ANSWER)))
    const wlb = connection()
    const { port } = appliance
    const order: string[] = []
    const ask = (name: string) =>
      wlb
        .call({ method: 'GetXenPoolConfiguration', request: { poolUuid: name } }, target(port, { verify: false }))
        .then(() => order.push(name))
    const all = ['first', 'second', 'third'].map(ask)
    for (let answered = 0; answered < 3; answered++) {
      await expect.poll(() => held.length).toBe(answered + 1)
      held[answered]?.()
    }
    await Promise.all(all)
    expect(order).toEqual(['first', 'third', 'second'])
  })

  it('counts the time in line, and never starts what is over', async () => {
    appliance = await startAppliance(own, () => {})
    const wlb = connection()
    const { port } = appliance
    const slow = outcome(wlb.call(CONFIGURATION, target(port, { verify: false, timeoutMs: 900 })))
    const waiting = outcome(wlb.call(CONFIGURATION, target(port, { verify: false, timeoutMs: 300 })))
    expect(await waiting).toBe('WLB_TIMEOUT [0.3]')
    expect(await slow).toBe('WLB_TIMEOUT [0.9]')
    expect(appliance.requests).toHaveLength(1)
  })

  it('goes on after a failure', async () => {
    appliance = await startAppliance(own, answering(ANSWER))
    const wlb = connection()
    const { port } = appliance
    const failed = wlb.call(CONFIGURATION, target(port, { url: `nobody:${port}` }))
    const after = wlb.call(CONFIGURATION, target(port, { verify: false }))
    expect(await outcome(failed)).toBe('WLB_UNKNOWN_HOST')
    expect(await outcome(after)).toBe('ok')
  })
})

describe('the address', () => {
  const CASES: [url: string, read: string][] = [
    ['192.168.0.1:80', '192.168.0.1 80'],
    ['hostname.com:80', 'hostname.com 80'],
    ['[fe80::a085:31cf:b31a:6a]:80', 'fe80::a085:31cf:b31a:6a 80'],
    ['h:8012/x', 'h 8012'],
    ['h:8012?x', 'h 8012'],
    ['192.168.0.1', 'invalid'],
    ['hostname.noport.com', 'invalid'],
    ['[fe80::a085:31cf:b31a:6a]', 'invalid'],
    ['192.168.0.1:http', 'invalid'],
    ['hostname.com:port', 'invalid'],
    ['[fe80::a085:31cf:b31a:6a]80', 'invalid'],
    ['[fe80::a085:31cf:b31a:6a:80', 'invalid'],
    ['http://example.com:80/', 'invalid'],
    ['fe80::1:80', 'invalid'],
    ['h:', 'invalid'],
    [':80', 'invalid'],
    ['', 'invalid'],
    ['h:99999', 'invalid'],
    ['h h:80', 'invalid'],
  ]
  it.each(CASES)('%j: %s', async (url, read) => {
    try {
      const { host, port } = parseWlbUrl(url)
      expect(`${host} ${port}`).toBe(read)
    } catch (error) {
      expect(error).toMatchObject({ code: 'WLB_URL_INVALID', params: [url] })
      expect(read).toBe('invalid')
    }
  })

  it('is refused before anything else happens', async () => {
    const given = target(1, { url: 'https://wlb.lab.internal:8012' })
    expect(await outcome(connection().call(CONFIGURATION, given))).toBe(
      'WLB_URL_INVALID [https://wlb.lab.internal:8012]',
    )
  })
})

describe('words', () => {
  it.each([
    [30, '30.'],
    [600, '600.'],
    [0.5, '0.5'],
    [0, '0.'],
    [12.34, '12.34'],
    [1 / 3, '0.333333333333'],
    [1e12, '1e+12'],
    [123456789012, '123456789012.'],
    [0.00001, '1e-05'],
  ])('%d is written %s', (value, text) => {
    expect(floatText(value)).toBe(text)
  })

  const INDICATORS: [indicator: Parameters<typeof failureOf>[0], said: string][] = [
    ['Configuration failed', 'INTERNAL_ERROR [Connection failed: configuration failed.]'],
    ['Connection refused', 'WLB_CONNECTION_REFUSED'],
    ['No host resolved', 'WLB_UNKNOWN_HOST'],
    ['No route to host', 'WLB_UNKNOWN_HOST'],
    ['Invalid argument', 'WLB_URL_INVALID [wlb:8012]'],
    ['Address already in use', 'INTERNAL_ERROR [Connection failed: address already in use.]'],
  ]
  it.each(INDICATORS)('%s', async (indicator, said) => {
    expect(await outcome(Promise.reject(failureOf(indicator)))).toBe(said)
  })
  const timedOut = apiFailureOf({ kind: 'timeout' }, { host: 'wlb', port: 8012 }, 30_000)
  it('a handshake that takes too long', async () => {
    expect(await outcome(Promise.reject(timedOut))).toBe('WLB_TIMEOUT [30.]')
  })
})

function failureOf(
  indicator: Extract<Parameters<typeof apiFailureOf>[0], { kind: 'stunnel' }>['indicator'],
): ApiFailure {
  return apiFailureOf({ kind: 'stunnel', indicator }, { host: 'wlb', port: 8012 }, 30_000)
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 1
}
