/** The service as a pool's socket sees it: framing, limits, credentials, hostile documents. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BODY_LIMIT_BYTES, encodeRequest, type MethodName, SERVICE_PATH, type WlbCall } from '../../src/wlb/index.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { call, header, openRaw, post, readRaw, sendRaw, strictly } from './raw-client.js'
import { basic, PASSWORD, startAppliance, type TestAppliance, USER_NAME } from './test-appliance.js'

let appliance: TestAppliance
beforeAll(async () => {
  appliance = await startAppliance()
})
afterAll(() => appliance.remove())

const POOL = '0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10'
const GET: WlbCall = { method: 'GetXenPoolConfiguration', request: { poolUuid: POOL } }
const UNKNOWN_POOL = { kind: 'refused', code: 4015, message: `Pool ${POOL} is not registered here` }

describe('framing', () => {
  test('an answer has its exact length, no chunks, and ends the connection though the client keeps its side open', async () => {
    const answer = await sendRaw(appliance.port, post(encodeRequest(GET)))
    expect(strictly(GET.method, answer)).toEqual(UNKNOWN_POOL)
    expect(answer.endedAfterMs).toBeLessThan(1000)
    expect(header(answer, 'connection')).toBe('close')
    expect(header(answer, 'transfer-encoding')).toBeUndefined()
  })

  test('header names in any case, HTTP/1.0, no Connection header: the connection ends all the same', async () => {
    const request = post(encodeRequest(GET), { connection: undefined }).toString('utf8')
    const shouted = request.replace('content-length', 'CONTENT-LENGTH').replace('Authorization', 'aUTHORIZATION')
    for (const form of [request, shouted, request.replace('HTTP/1.1', 'HTTP/1.0')]) {
      const answer = await sendRaw(appliance.port, form)
      expect(strictly(GET.method, answer)).toEqual(UNKNOWN_POOL)
      expect(answer.endedAfterMs).toBeLessThan(1000)
    }
  })

  test('keep-alive, asked for in so many words, keeps the connection', async () => {
    const socket = await openRaw(appliance.port)
    const bytes = post(encodeRequest(GET), { connection: 'Keep-Alive' })
    for (const _ of [1, 2, 3]) {
      socket.write(bytes)
      const [answer] = (await once(socket, 'data')) as [Buffer]
      expect(answer.toString()).toContain('HTTP/1.1 200')
    }
    socket.write(post(encodeRequest(GET)))
    expect((await readRaw(socket)).status).toBe(200)
  })

  test('a body in many pieces is one body', async () => {
    const socket = await openRaw(appliance.port)
    for (const byte of post(encodeRequest(GET))) socket.write(Buffer.of(byte))
    expect(strictly(GET.method, await readRaw(socket))).toEqual(UNKNOWN_POOL)
  })

  test.each(['100-continue', 'something-else'])('Expect: %s gets the final answer and no other', async (Expect) => {
    const answer = await sendRaw(appliance.port, post(encodeRequest(GET), { Expect }))
    expect(strictly(GET.method, answer)).toEqual(UNKNOWN_POOL)
    expect(answer.endedAfterMs).toBeLessThan(1000)
  })

  test('rubbish behind a request does not cost it its answer', async () => {
    const answer = await sendRaw(appliance.port, post(encodeRequest(GET)), 'rubbish')
    expect(strictly(GET.method, answer)).toEqual(UNKNOWN_POOL)
    expect(answer.endedAfterMs).toBeLessThan(1000)
  })

  test('plain HTTP on the port gets no answer of the service', async () => {
    const socket = connect({ host: OWN_ADDRESS, port: appliance.port })
    const pieces: Buffer[] = []
    socket.on('data', (piece) => pieces.push(piece)).on('error', () => {})
    socket.write(post(encodeRequest(GET)))
    await once(socket, 'close')
    expect(Buffer.concat(pieces).toString('latin1')).not.toContain('HTTP/')
  })
})

describe('requests that are refused', () => {
  const body = encodeRequest(GET)
  const large = 'x'.repeat(BODY_LIMIT_BYTES + 1)
  const withLine = (line: string) => post(body).toString('utf8').replace(`POST ${SERVICE_PATH}`, line)
  const cases: [what: string, request: string | Buffer, status: number][] = [
    ['GET', withLine(`GET ${SERVICE_PATH}`), 405],
    ['HEAD', withLine(`HEAD ${SERVICE_PATH}`), 405],
    ['DELETE', withLine(`DELETE ${SERVICE_PATH}`), 405],
    ['another path', withLine('POST /'), 404],
    ['the path with a query', withLine(`POST ${SERVICE_PATH}?wsdl`), 404],
    ['no length', post(body, { 'content-length': undefined }), 411],
    [
      'chunks',
      `${post('', { 'content-length': undefined, 'Transfer-Encoding': 'chunked' }).toString()}5\r\nhello\r\n0\r\n\r\n`,
      411,
    ],
    ['a length that is no number', post(body, { 'content-length': 'ten' }), 400],
    ['no Host', post(body, { Host: undefined }), 400],
    ['two lengths', post(body, { 'Content-Length': '3' }), 400],
    ['no HTTP at all', '\0\x01\x02 what?\r\n\r\n', 400],
    ['headers without end', `POST ${SERVICE_PATH} HTTP/1.1\r\n${'x-a: b\r\n'.repeat(10_000)}`, 431],
    ['a body above the limit, sent', post(large), 413],
    ['a body above the limit, announced', post('', { 'content-length': '262145' }), 413],
    ['a body far above the limit', post('', { 'content-length': '99999999999' }), 413],
  ]
  test.each(cases)('%s', async (_what, request, status) => {
    const answer = await sendRaw(appliance.port, request)
    expect(answer.status).toBe(status)
    if (status === 405) expect(header(answer, 'allow')).toBe('POST')
    expect(header(answer, 'content-length')).toBeDefined()
    expect(header(answer, 'transfer-encoding')).toBeUndefined()
    expect(await call(appliance.port, GET)).toEqual(UNKNOWN_POOL)
  })

  test('a body at the limit is read', async () => {
    const padded = `${body}${' '.repeat(BODY_LIMIT_BYTES - Buffer.byteLength(body))}`
    expect(strictly(GET.method, await sendRaw(appliance.port, post(padded)))).toEqual(UNKNOWN_POOL)
  })
})

describe('credentials', () => {
  const junk: [what: string, authorization: string | undefined][] = [
    ['none', undefined],
    ['empty', ''],
    ['a wrong password', basic(USER_NAME, 'wrong')],
    ['a wrong user name', basic('root', PASSWORD)],
    ['a password cut at its colon', basic(USER_NAME, 'geh')],
    ['no colon', `Basic ${Buffer.from('wlbuser').toString('base64')}`],
    ['another scheme', basic().replace('Basic', 'Bearer')],
    ['no base64', 'Basic ***'],
    ['no UTF-8', `Basic ${Buffer.from([0x77, 0xff, 0xfe, 0x3a, 0x80]).toString('base64')}`],
  ]
  test('all of them wrong: the same 401 each time; then the right ones are let in', async () => {
    const shapes = new Set<string>()
    for (const [, authorization] of junk) {
      const answer = await sendRaw(appliance.port, post(encodeRequest(GET), { Authorization: authorization }))
      expect(answer.status).toBe(401)
      expect(header(answer, 'www-authenticate')).toMatch(/^Basic realm=/)
      shapes.add(JSON.stringify([answer.headers.filter(([name]) => name !== 'Date'), answer.text]))
      await call(appliance.port, GET) // ends the pause that the failure began
    }
    expect(shapes.size).toBe(1)
  })

  test('the scheme in any case', async () => {
    expect(await call(appliance.port, GET, { Authorization: basic().replace('Basic', 'bAsIc') })).toEqual(UNKNOWN_POOL)
  })

  test('they are looked at before the body is there', async () => {
    const answer = await sendRaw(
      appliance.port,
      post('', { Authorization: undefined, 'content-length': String(BODY_LIMIT_BYTES) }),
    )
    expect(answer.status).toBe(401)
    expect(answer.endedAfterMs).toBeLessThan(1000)
    await call(appliance.port, GET)
  })
})

describe('documents', () => {
  const bomb = `<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 9 }, (_, n) => `<!ENTITY a${n} "${'&a;'.repeat(9)}">`).join('')}]><b>&a8;</b>`
  const cases: [what: string, document: string | Buffer, text: RegExp][] = [
    ['empty', '', /not well-formed/],
    ['no XML', 'hello', /not well-formed/],
    ['cut off', encodeRequest(GET).slice(0, -20), /not well-formed/],
    ['mismatched', '<a><b></a></b>', /not well-formed/],
    ['an undeclared prefix', '<s:Envelope/>', /not well-formed/],
    ['an unknown entity', '<a>&nbsp;</a>', /not well-formed/],
    ['no UTF-8', Buffer.concat([Buffer.from('<a>'), Buffer.of(0xff, 0xfe), Buffer.from('</a>')]), /UTF-8/],
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', /document type/],
    ['an entity bomb', bomb, /document type/],
    ['30,000 nested elements', '<a>'.repeat(30_000), /nested/],
    ['XML that is no envelope', '<a/>', /SOAP envelope/],
    ['an unknown method', encodeRequest(GET).replaceAll('GetXenPoolConfiguration', 'FooBar'), /Unknown method FooBar/],
    ['markup in the name of a method', '<Envelope><Body><a.b-c/></Body></Envelope>', /Unknown method a\.b-c/],
  ]
  test.each(cases)('%s: a fault in a 200, which a pool shows', async (_what, document, text) => {
    const reply = strictly('Any', await sendRaw(appliance.port, post(document)))
    expect(reply).toEqual({ kind: 'fault', text: expect.stringMatching(text) })
    expect(await call(appliance.port, GET)).toEqual(UNKNOWN_POOL)
  })

  test('SOAPAction absent or contradicting: the body decides', async () => {
    const changes = { SOAPAction: '"http://schemas.citrix.com/DWM/IWorkloadBalance/RemoveXenServer"' }
    expect(await call(appliance.port, GET, changes)).toEqual(UNKNOWN_POOL)
  })

  test('arguments missing', async () => {
    const without = (element: RegExp) => post(encodeRequest(GET).replace(element, ''))
    expect(strictly(GET.method, await sendRaw(appliance.port, without(/<PoolUuid>.*<\/PoolUuid>/)))).toMatchObject({
      code: 4007,
    })
    expect(strictly(GET.method, await sendRaw(appliance.port, without(/<request[\s\S]*<\/request>/)))).toMatchObject({
      code: 4004,
    })
  })

  const later: WlbCall[] = [
    { method: 'VMGetRecommendations', request: { poolUuid: POOL, vmUuid: POOL } },
    { method: 'HostGetRecommendations', request: { poolUuid: POOL, hostUuid: POOL } },
    { method: 'GetOptimizationRecommendations', request: { poolUuid: POOL } },
    { method: 'ExecuteReport', request: { reportName: 'pool_health', parameters: [] } },
  ]
  test.each(later)('$method says that it is not offered yet', async (request) => {
    const method: MethodName = request.method
    expect(await call(appliance.port, request)).toEqual({ kind: 'fault', text: expect.stringContaining(method) })
  })
})

describe('others are not held up', () => {
  test('fifty clients that send half a request do not stop a pool, nor do clients that go away', async () => {
    const half = post(encodeRequest(GET)).subarray(0, -40)
    const sockets = await Promise.all(Array.from({ length: 50 }, () => openRaw(appliance.port)))
    for (const socket of sockets) socket.write(half)
    expect(await call(appliance.port, GET)).toEqual(UNKNOWN_POOL)
    for (const socket of sockets) socket.destroy()
    expect(await call(appliance.port, GET)).toEqual(UNKNOWN_POOL)
  })

  test('fifty at once are all answered', async () => {
    const replies = await Promise.all(Array.from({ length: 50 }, () => call(appliance.port, GET)))
    expect(new Set(replies.map((reply) => JSON.stringify(reply)))).toEqual(new Set([JSON.stringify(UNKNOWN_POOL)]))
  })

  test('the password is in no line of the log', () => {
    const log = appliance.logged.join('')
    expect(log).toContain('"outcome":"4015"')
    for (const secret of [PASSWORD, 'geh:eim', Buffer.from(`${USER_NAME}:${PASSWORD}`).toString('base64')])
      expect(log).not.toContain(secret)
  })
})
