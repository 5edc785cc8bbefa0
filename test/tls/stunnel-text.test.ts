/** What we tell stunnel, and what we read out of its log, line by line. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { scanStunnelLog, stunnelConfiguration, type TlsFailure } from '../../src/tls/index.js'
import { keepNotices } from '../../src/tls/stunnel.js'

describe('stunnelConfiguration', () => {
  const common = [
    'client=yes',
    'foreground=yes',
    'socket = r:TCP_NODELAY=1',
    'socket = r:SO_KEEPALIVE=1',
    'socket = a:SO_KEEPALIVE=1',
    '',
    'fips=no',
    'debug=authpriv.5',
    'connect=192.0.2.7:8012',
    'sslVersion = TLSv1.2',
    'ciphers = ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256',
    'curve = secp384r1',
  ]
  const verified = (sni: string, crlPath: string) => [
    ...common,
    'verifyChain=yes',
    'checkHost=wlb.example.com',
    '',
    '# use SNI to request a specific cert. CAfile contains',
    '# public certs of all hosts in the pool and must contain',
    '# the cert of the server we connect to',
    sni,
    'CAfile=/root/bundle.pem',
    crlPath,
  ]
  const target = { connectHost: '192.0.2.7', port: 8012 }
  const verify = { checkHost: 'wlb.example.com', bundlePath: '/root/bundle.pem' }

  const cases: [what: string, settings: Parameters<typeof stunnelConfiguration>[0], lines: string[]][] = [
    ['unverified', target, common],
    ['verified, no CRLs', { ...target, verify }, verified('', '')],
    [
      'verified, CRLs',
      { ...target, verify: { ...verify, crlDirectory: '/root/crls' } },
      verified('', 'CRLpath=/root/crls'),
    ],
    ['verified, server name', { ...target, verify, sni: 'wlb.example.com' }, verified('sni = wlb.example.com', '')],
    ['debugging', { ...target, debugLevel: 7 }, common.with(7, 'debug=authpriv.7')],
    ['idle timeout', { ...target, idleTimeoutSeconds: 30 }, common.with(5, 'TIMEOUTidle = 30')],
  ]
  it.each(cases)('%s', (_what, settings, lines) => {
    expect(stunnelConfiguration(settings)).toBe(`${lines.join('\n')}\n`)
  })
})

const verify = (reason: string): TlsFailure => ({ kind: 'verify', reason })
const stunnel = (indicator: Extract<TlsFailure, { kind: 'stunnel' }>['indicator']): TlsFailure => ({
  kind: 'stunnel',
  indicator,
})
const REFUSED =
  'LOG3[0]: SSL_connect: ssl/statem/statem_clnt.c:1889: error:0A000086:SSL routines::certificate verify failed'

describe('scanStunnelLog', () => {
  const cases: [what: string, lines: string[], failure: TlsFailure][] = [
    ['nothing', [], { kind: 'reset' }],
    ['a start and no more', ['LOG5[ui]: stunnel 5.60 on x86_64-koji-linux-gnu platform'], { kind: 'reset' }],
    [
      'expired',
      [
        '2026.01.09 06:01:28 LOG4[0]: CERT: Pre-verification error: certificate has expired',
        '2026.01.09 06:01:28 LOG4[0]: Rejected by CERT at depth=0: C=US, CN=wlb',
        `2026.01.09 06:01:28 ${REFUSED}`,
      ],
      verify('Pre-verification error: certificate has expired'),
    ],
    ['wrong name', ['LOG4[0]: CERT: Subject checks failed', REFUSED], verify('Subject checks failed')],
    ['several texts, newest first', ['LOG4[0]: CERT: one', 'LOG4[0]: CERT: two', REFUSED], verify('two;one')],
    ['the last CERT of a line', ['LOG4[0]: CERT: one CERT: two', REFUSED], verify('two')],
    ['refused without a text', [REFUSED], verify('')],
    ['a text and no refusal', ['LOG4[0]: CERT: Subject checks failed'], { kind: 'reset' }],
    ['a text after the refusal', [REFUSED, 'LOG4[0]: CERT: late'], verify('')],
    ['text and refusal on one line', ['CERT: certificate verify failed'], verify('certificate verify failed')],
    [
      'no trusted certificates',
      ['[!] No trusted certificates found', '[!] Configuration failed'],
      stunnel('Configuration failed'),
    ],
    [
      'port closed',
      ['LOG3[0]: s_connect: connect 192.168.1.100:443: Connection refused (111)'],
      stunnel('Connection refused'),
    ],
    ['name unknown, 5.60', ['LOG3[0]: s_connect: No host resolved'], stunnel('No host resolved')],
    ['name unknown, 5.68', ['LOG3[0]: No remote host resolved'], { kind: 'reset' }],
    ['no route', ['LOG3[0]: s_connect: connect 192.0.2.1:8012: No route to host (113)'], stunnel('No route to host')],
    ['bad address', ['LOG3[0]: s_connect: connect 0.0.0.0:0: Invalid argument (22)'], stunnel('Invalid argument')],
    ['port taken', ['LOG3[0]: bind: Address already in use (98)'], stunnel('Address already in use')],
    [
      'handshake failure',
      ['LOG3[0]: SSL_connect: error:0A000410:SSL routines::sslv3 alert handshake failure'],
      { kind: 'reset' },
    ],
    ['the first line decides', ['Connection refused', 'LOG4[0]: CERT: x', REFUSED], stunnel('Connection refused')],
    ['letter case counts', ['connection refused', 'configuration failed'], { kind: 'reset' }],
  ]
  it.each(cases)('%s', (_what, lines, failure) => {
    expect(scanStunnelLog(lines.join('\n'))).toEqual(failure)
  })
})

describe('keepNotices', () => {
  test('what a pool would not see changes nothing', () => {
    const noise = fc.constantFrom(
      '2026.11.24 02:20:54 LOG7[0]: CERT: Pre-verification succeeded',
      '2026.11.24 02:20:54 LOG6[0]: CERT: Host name "a" matched with "a"',
    )
    const seen = ['2026.11.24 02:20:54 LOG4[0]: CERT: Subject checks failed', `2026.11.24 02:20:54 ${REFUSED}`]
    fc.assert(
      fc.property(fc.array(noise), fc.array(noise), (before, between) => {
        const log = [...before, seen[0], ...between, seen[1]].join('\n')
        expect(keepNotices(log)).toBe(seen.join('\n'))
      }),
    )
  })
})
