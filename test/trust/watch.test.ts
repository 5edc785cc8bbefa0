/** What the watch says, when, and to whom: once for each thing, delivered or kept. */
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, test } from 'vitest'
import { readHostAddress } from '../../src/base/names/host-address.js'
import { paths } from '../../src/config/index.js'
import { audienceOf, type DatedEvent, deliverTest, letterbox, watchOnce, webhook } from '../../src/trust/index.js'
import { compareSnapshots, isWell } from '../../src/trust/watch/compare.js'
import { announceOwnEnd } from '../../src/trust/watch/own-certificate.js'
import { keepKnown, type Snapshot } from '../../src/trust/watch/snapshot.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { run } from '../cli/program.js'
import { configureOnly, HOSTNAME } from '../server/test-appliance.js'

const NOW = new Date('2026-11-25T12:00:00Z')
const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000).toISOString()
const WELL: Snapshot = {
  pool: 'lab',
  unreachable: '',
  isKnown: true,
  wlbUrl: 'wlb.example.com:8012',
  verifies: true,
  served: 'AA',
  installed: [{ name: 'wlb.pem', fingerprintSha256: 'AA' }],
  expiries: [
    { what: 'the certificate of the appliance', fingerprintSha256: 'AA', notBefore: '', notAfter: inDays(400) },
  ],
  hosts: { xs1: '', xs2: '' },
  heldBack: '',
  clockOffsetsMs: { xs1: 0, 'the appliance': 900 },
}
const ending = (days: number): Partial<Snapshot> => dated('', inDays(days))
const dated = (notBefore: string, notAfter = inDays(400)): Partial<Snapshot> => ({
  expiries: [{ what: 'the certificate of the appliance', fingerprintSha256: 'AA', notBefore, notAfter }],
})

const cases: [what: string, before: Partial<Snapshot> | undefined, after: Partial<Snapshot>, said: string][] = [
  ['nothing new', {}, {}, ''],
  ['the first look, all well', undefined, {}, ''],
  [
    'the first look, a host refuses',
    undefined,
    { hosts: { xs1: 'SSL_VERIFY_ERROR: x', xs2: '' } },
    'problem HOST_VERIFIES xs1',
  ],
  ['a host stopped verifying', {}, { hosts: { xs1: '', xs2: 'WLB_TIMEOUT: 30.' } }, 'problem HOST_VERIFIES xs2'],
  ['it verifies again', { hosts: { xs1: '', xs2: 'WLB_TIMEOUT: 30.' } }, {}, 'mended HOST_VERIFIES xs2'],
  ['another reason', { hosts: { xs1: 'a' } }, { hosts: { xs1: 'b' } }, 'problem HOST_VERIFIES xs1'],
  ['a host nobody can tell of', {}, { hosts: { xs1: '?', xs2: '' } }, ''],
  ['the flag was switched off', {}, { verifies: false }, 'problem VERIFICATION '],
  ['and on again', { verifies: false }, {}, 'mended VERIFICATION '],
  ['off from the start', undefined, { verifies: false }, 'problem VERIFICATION '],
  ['a certificate vanished', {}, { installed: [] }, 'notice STORE_CHANGED wlb.pem'],
  [
    'another one of its name',
    {},
    { installed: [{ name: 'wlb.pem', fingerprintSha256: 'BB' }] },
    'notice STORE_CHANGED wlb.pem; notice STORE_CHANGED wlb.pem',
  ],
  ['another certificate is served', {}, { served: 'BB' }, 'notice IDENTITY_CHANGED '],
  ['nobody serves: that is no other certificate', {}, { served: '' }, ''],
  ['connected elsewhere', {}, { wlbUrl: '10.0.0.1:8012' }, 'notice ADDRESS_CHANGED '],
  ['a new certificate is held back', {}, { heldBack: 'paused' }, 'problem RENEWAL_HELD_BACK '],
  ['for the same reason still', { heldBack: 'paused' }, { heldBack: 'paused' }, ''],
  ['and is served', { heldBack: 'paused' }, {}, 'mended RENEWAL_HELD_BACK '],
  ['a clock that ran away', {}, { clockOffsetsMs: { xs1: 61_000 } }, 'problem CLOCK xs1'],
  ['the clock of the appliance', {}, { clockOffsetsMs: { 'the appliance': -90_000 } }, 'problem CLOCK the appliance'],
  ['it is right again', { clockOffsetsMs: { xs1: -61_000 } }, { clockOffsetsMs: { xs1: 59_000 } }, 'mended CLOCK xs1'],
  ['the pool is out of reach', {}, { unreachable: 'CONNECT_REFUSED', hosts: {} }, 'problem POOL_UNREACHABLE '],
  ['still out of reach', { unreachable: 'CONNECT_REFUSED' }, { unreachable: 'CONNECT_REFUSED' }, ''],
  [
    'back, and what changed meanwhile is told',
    { unreachable: 'CONNECT_REFUSED' },
    { served: 'BB' },
    'mended POOL_UNREACHABLE ; notice IDENTITY_CHANGED ',
  ],
  [
    'back, and what was wrong before is not told again',
    { unreachable: 'CONNECT_REFUSED', verifies: false, hosts: { xs1: 'a', xs2: '' } },
    { verifies: false, hosts: { xs1: 'a', xs2: '' } },
    'mended POOL_UNREACHABLE ',
  ],
  [
    'seen for the first time, after it was out of reach',
    { unreachable: 'CONNECT_REFUSED', isKnown: false, hosts: {}, installed: [], wlbUrl: '', verifies: false },
    {},
    'mended POOL_UNREACHABLE ',
  ],
  ['31 days left', {}, ending(31), ''],
  ['30 days left', {}, ending(29.9), 'problem EXPIRY the certificate of the appliance'],
  ['expired', {}, ending(-1), 'problem EXPIRY the certificate of the appliance'],
  ['not valid yet', {}, dated(inDays(1)), 'problem EXPIRY the certificate of the appliance'],
  ['valid since today', {}, dated(inDays(0)), ''],
]

it.each(cases)('%s', (_, before, after, said) => {
  const { events } = compareSnapshots(before && { ...WELL, ...before }, { ...WELL, ...after }, [], NOW)
  expect(events.map(({ kind, code, subject }) => `${kind} ${code} ${subject}`).join('; ')).toBe(said)
})

test('an end is announced once at 30, 14, 7 and 1 days, and when it has come', () => {
  let announced: readonly string[] = []
  const said: number[] = []
  for (let days = 40; days > -5; days -= 0.5) {
    const found = compareSnapshots(WELL, { ...WELL, ...ending(days) }, announced, NOW)
    announced = found.announced
    if (found.events.length > 0) said.push(days)
  }
  expect(said).toEqual([30, 14, 7, 1, 0])
})

test('a certificate that is not valid yet is announced once, and again after the clock was right in between', () => {
  let announced: readonly string[] = []
  const said = [1, 1, -1, 1].map((days) => {
    const found = compareSnapshots(WELL, { ...WELL, ...dated(inDays(days)) }, announced, NOW)
    announced = found.announced
    return found.events.length
  })
  expect(said).toEqual([1, 0, 0, 1])
  expect(isWell({ ...WELL, ...dated(inDays(1)) }, NOW)).toBe(false)
})

const kept: [
  what: string,
  before: Partial<Snapshot>,
  between: Partial<Snapshot>,
  after: Partial<Snapshot>,
  said: string,
][] = [
  ['the pool was out of reach', {}, { unreachable: 'X', hosts: {}, installed: [] }, {}, 'mended POOL_UNREACHABLE '],
  ['the appliance was down, and is another', {}, { served: '' }, { served: 'BB' }, 'notice IDENTITY_CHANGED '],
  ['the appliance was down, and is the same', {}, { served: '' }, {}, ''],
  ['nobody could tell of a host that verifies', {}, { hosts: { xs1: '?', xs2: '' } }, {}, ''],
  [
    'nobody could tell of a host that refused',
    { hosts: { xs1: 'a', xs2: '' } },
    { hosts: { xs1: '?', xs2: '' } },
    { hosts: { xs1: 'a', xs2: '' } },
    '',
  ],
  [
    'nobody could tell of a host, and it is mended',
    { hosts: { xs1: 'a', xs2: '' } },
    { hosts: { xs1: '?', xs2: '' } },
    {},
    'mended HOST_VERIFIES xs1',
  ],
  ['a clock was not told', { clockOffsetsMs: { xs1: 90_000 } }, { clockOffsetsMs: {} }, {}, 'mended CLOCK xs1'],
]

it.each(kept)('between two looks %s', (_, before, between, after, said) => {
  const looks = [before, between, after].map((change) => ({ ...WELL, ...change }))
  const remembered = looks.slice(0, 2).reduce<Snapshot | undefined>(keepKnown, undefined)
  const { events } = compareSnapshots(remembered, { ...WELL, ...after }, [], NOW)
  expect(events.map(({ kind, code, subject }) => `${kind} ${code} ${subject}`).join('; ')).toBe(said)
})

test('an appliance that was down for a while announces no end twice', () => {
  const before = compareSnapshots(WELL, { ...WELL, ...ending(20) }, [], NOW)
  const down = compareSnapshots(WELL, { ...WELL, served: '', expiries: [] }, before.announced, NOW)
  expect(compareSnapshots(WELL, { ...WELL, ...ending(20) }, down.announced, NOW).events).toEqual([])
  expect(compareSnapshots(WELL, { ...WELL, ...ending(14) }, down.announced, NOW).events).toHaveLength(1)
})

const folder = mkdtempSync(join(tmpdir(), 'openwlb-watch-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Nobody is there. */
async function members() {
  const target = {
    address: readHostAddress('127.0.0.1', 'a pool'),
    port: 1,
    userName: 'root',
    password: 'geheim',
    timeoutMs: 5_000,
  }
  const access = async () => ({ ...target, trust: { kind: 'none' } as const })
  return [{ name: 'lab', access, appliance: undefined }]
}

test('what could not be delivered waits, and is delivered with the next round', async () => {
  const received: string[][] = []
  let isWilling = false
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    if (isWilling) received.push(JSON.parse(body).events.map(({ code }: DatedEvent) => code))
    response.writeHead(isWilling ? 204 : 503).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const undelivered: string[] = []
  const round = () =>
    watchOnce({
      pools: members,
      folder: join(folder, 'webhook'),
      channels: [webhook(`http://127.0.0.1:${port}/hook?token=secret`)],
      now: () => NOW,
      onEvent: () => {},
      onUndelivered: (channel, count, why) => void undelivered.push(`${channel.includes('secret')} ${count} ${why}`),
    })
  expect(await round()).toMatchObject({ exitCode: 2, events: [{ code: 'POOL_UNREACHABLE' }] })
  expect(undelivered).toEqual(['false 1 it answered 503'])
  isWilling = true
  expect(await round(), 'nothing new').toMatchObject({ exitCode: 2, events: [] })
  expect(received).toEqual([['POOL_UNREACHABLE']])
  server.close()
})

test('those who are told together share a memory, others do not', () => {
  const [one, other] = [webhook('https://a.example.com/?token=1'), webhook('https://a.example.com/?token=2')]
  const sets = [[], [one], [other], [one, other], [other, one]].map(audienceOf)
  expect(new Set(sets).size).toBe(4)
  expect(sets[3]).toBe(sets[4])
  expect([one.name, one.key, other.key].join()).not.toContain('token')
})

test('two looks at once wait for each other, and say everything once', async () => {
  const options = {
    pools: members,
    folder: join(folder, 'twice'),
    channels: [],
    now: () => NOW,
    onEvent: () => {},
    onUndelivered: () => {},
  }
  const rounds = await Promise.all([watchOnce(options), watchOnce(options)])
  expect(rounds.flatMap(({ events }) => events)).toHaveLength(1)
})

test('a letter says what happened', async () => {
  const said: string[] = []
  const server = createTcpServer((socket) => {
    let isLetter = false
    socket.write('220 test\r\n')
    socket.on('data', (piece) => {
      said.push(piece.toString())
      if (isLetter) {
        isLetter = !piece.toString().includes('\r\n.\r\n')
        if (!isLetter) socket.write('250 ok\r\n')
        return
      }
      isLetter = /^DATA/i.test(piece.toString())
      socket.write(isLetter ? '354 go on\r\n' : /^QUIT/i.test(piece.toString()) ? '221 bye\r\n' : '250 ok\r\n')
    })
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const smtp = { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 }
  const event = {
    code: 'VERIFICATION',
    kind: 'problem',
    pool: 'lab',
    subject: '',
    text: 'Verification is off.',
    at: inDays(0),
  } as const
  const notice = { ...event, code: 'STORE_CHANGED', kind: 'notice', text: 'A file was added.' } as const
  const expiry = { ...event, code: 'EXPIRY', kind: 'notice', text: 'The leaf expires in 7 days.' } as const
  const box = letterbox({ to: 'ops@example.com', from: 'wlb@example.com', smtp })
  await box.deliver([event])
  await box.deliver([notice, expiry])
  expect(said.join('')).toContain('Subject: OpenWLB: lab: The leaf expires in 7 days. (and 1 more)')
  expect(await deliverTest([box], NOW)).toEqual([{ channel: 'mail ops@example.com', failure: undefined }])
  expect(said.join('')).toContain('Subject: OpenWLB: test: This is a test message of wlb watch')
  server.close()
  expect(await deliverTest([webhook('http://127.0.0.1:9/x')], NOW)).toMatchObject([{ failure: expect.any(String) }])
  expect(said.join('')).toMatch(/RCPT TO:<ops@example\.com>[\s\S]*Subject: OpenWLB: lab: Verification is off\./)
})

const addresses: [url: string, outcome: string][] = [
  ['https://chat.example.com/hooks/1', 'ok'],
  ['http://127.0.0.1:9/x', 'ok'],
  ['http://[::1]:9/x', 'ok'],
  ['http://chat.example.com/hooks/1', 'USAGE_WEBHOOK'],
  ['http://127.example.com/', 'USAGE_WEBHOOK'],
  ['ftp://127.0.0.1/', 'USAGE_WEBHOOK'],
  ['https://name:geheim@chat.example.com/', 'USAGE_WEBHOOK'],
  ['nonsense', 'USAGE_WEBHOOK'],
]

it.each(addresses)('webhook %s: %s', (url, outcome) => {
  const told = () => {
    try {
      webhook(url)
      return 'ok'
    } catch (error) {
      return Object(error).code
    }
  }
  expect(told()).toBe(outcome)
})

test('the appliance announces the end of its own certificate, once for each threshold, restarts included', async () => {
  const root = join(folder, 'own')
  await configureOnly(root)
  const { certificateFolder, certificate, key } = paths(root)
  mkdirSync(certificateFolder, { recursive: true })
  const place = { hostname: HOSTNAME, addresses: ['127.0.0.1'], now: NOW, lifetimeDays: 60 }
  const pair = await createSelfSigned(place)
  writeFileSync(certificate, pair.certificatePem)
  writeFileSync(key, pair.privateKeyPem, { mode: 0o600 })
  const end = new Date(new X509Certificate(pair.certificatePem).validTo).getTime()
  const said: number[] = []
  for (const days of [40, 30, 29, 14, 13, 7, 1, 0.5, 0, -3])
    await announceOwnEnd(root, join(folder, 'said'), new Date(end - days * 86_400_000), () => void said.push(days))
  expect(said).toEqual([30, 14, 7, 1, 0])
})

const wrong: [what: string, args: readonly string[], code: string][] = [
  ['nobody to watch', ['--once'], 'USAGE_NOTHING_TO_WATCH'],
  ['more often than a pool likes', ['--every', '9'], 'USAGE_WATCH_INTERVAL'],
  ['a webhook in the clear', ['--webhook', 'http://chat.example.com/'], 'USAGE_WEBHOOK'],
]

it.each(wrong)('wlb watch: %s', async (_, args, code) => {
  const ended = await run('wlb', ['watch', ...args], { XDG_CONFIG_HOME: join(folder, 'nobody') })
  expect(ended).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(code) })
})
