/** Requests as people send them: read, and refused for a reason when they are no such thing. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { renderNameFields } from '../../src/x509/encoding/distinguished-name.js'
import { encodePem } from '../../src/x509/index.js'
import { readRequest } from '../../src/x509/issue/certificate-request.js'
import { requirePart } from '../real-parts.js'
import { keyFor, makeRequest } from './test-request.js'

let der: Buffer
let pem: string
beforeAll(async () => {
  der = await makeRequest({ subject: 'C=CA, O=Example, CN=wlb.example.com', names: 'DNS:wlb.example.com IP:192.0.2.1' })
  pem = encodePem('CERTIFICATE REQUEST', der)
})

/** What was read, or the code and what was found. */
function outcome(bytes: Buffer | string): string {
  try {
    const { subject, alternativeNames } = readRequest(Buffer.from(bytes))
    return [renderNameFields(subject), ...alternativeNames.map(({ kind, value }) => `${kind}:${value}`)].join(' ')
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    return [error.code, error.facts.found].filter(Boolean).join(': ')
  }
}

const READ = 'CN=wlb.example.com, O=Example, C=CA dns:wlb.example.com ip:192.0.2.1'
const body = () => encodePem('X', der).split('\n').slice(1, -2).join('\n')

const wrappings: [what: string, given: () => Buffer | string, outcome: string][] = [
  ['PEM', () => pem, READ],
  ['DER', () => der, READ],
  ['the label of old tools', () => pem.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'), READ],
  ['CRLF', () => pem.replaceAll('\n', '\r\n'), READ],
  ['a byte order mark', () => `\uFEFF${pem}`, READ],
  ['UTF-16', () => Buffer.from(`\uFEFF${pem}`, 'utf16le'), READ],
  ['text before and after', () => `Dear authority,\n${pem}\nthank you\n`, READ],
  ['a key in the same file', () => `${encodePem('PRIVATE KEY', Buffer.of(0x30, 0))}${pem}`, READ],
  ['nothing', () => '', 'REQUEST_MALFORMED: no request: neither PEM nor DER'],
  ['text', () => 'csr', 'REQUEST_MALFORMED: no request: neither PEM nor DER'],
  ['a certificate', () => encodePem('CERTIFICATE', der), 'REQUEST_MALFORMED: no request, but: CERTIFICATE'],
  ['two requests', () => pem + pem, 'REQUEST_MALFORMED: more than one request'],
  [
    'no end',
    () => pem.slice(0, -30),
    'REQUEST_MALFORMED: line 1: the CERTIFICATE REQUEST block does not end: the file is over',
  ],
  ['half of it', () => der.subarray(0, 200), 'REQUEST_MALFORMED: it is not one ASN.1 sequence'],
  ['something behind it', () => Buffer.concat([der, Buffer.of(0)]), 'REQUEST_MALFORMED: it is not one ASN.1 sequence'],
  [
    'another sequence',
    () => Buffer.of(0x30, 0),
    'REQUEST_MALFORMED: it is not made of a request, an algorithm and a signature',
  ],
  ['a megabyte', () => Buffer.alloc(1_000_000, 0x30), 'REQUEST_MALFORMED: more than 200000 bytes'],
  [
    'no base64',
    () => pem.replace(body(), '!!'),
    'REQUEST_MALFORMED: line 1: the CERTIFICATE REQUEST block holds something that is not base64',
  ],
  [
    'another subject',
    () => Buffer.from(der.toString('latin1').replace('wlb.example', 'wlb.examplf'), 'latin1'),
    'REQUEST_SIGNATURE_WRONG',
  ],
  [
    'another signature',
    () => Buffer.concat([der.subarray(0, -1), Buffer.of((der.at(-1) ?? 0) ^ 1)]),
    'REQUEST_SIGNATURE_WRONG',
  ],
]
it.each(wrappings)('%s', (_what, given, expected) => {
  expect(outcome(given())).toBe(expected)
})

const contents: [subject: string, names: string, outcome: string][] = [
  ['', 'DNS:a.example', ' dns:a.example'],
  ['CN=a', '', 'CN=a'],
  ['ST=Ü, CN=a', 'IP:2001:db8::1 email:a@b.c URI:https://c/', 'CN=a, ST=Ü ip:2001:db8::1 email:a@b.c uri:https://c/'],
  ['CN=a\u0007b', '', 'CN=a\\u{07}b'], // a bell would ring on every terminal
]
it.each(contents)('%s with %s', async (subject, names, expected) => {
  expect(outcome(await makeRequest({ subject, names }))).toBe(expected)
})

it.each(['rsa1024', 'ec', 'ed25519'] as const)(
  'reads a request for a key of kind %s, and gives that key',
  async (key) => {
    const { publicKey } = readRequest(await makeRequest({ subject: 'CN=a', key }))
    expect(publicKey.equals(keyFor(key).publicKey)).toBe(true)
  },
)

const openssl = requirePart('openssl')
describe.skipIf(!openssl)('requests made by openssl', () => {
  const folder = mkdtempSync(join(tmpdir(), 'request-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const made = (...more: string[]) => {
    const out = join(folder, 'csr')
    const fixed = ['req', '-new', '-newkey', 'rsa:2048', '-noenc', '-keyout', join(folder, 'key'), '-out', out]
    execFileSync('openssl', [...fixed, '-subj', '/C=CA/ST=S/L=L/O=O/OU=U/CN=wlb.lab/emailAddress=a@b.c', ...more], {
      stdio: 'ignore',
    })
    return readFileSync(out)
  }
  const SUBJECT = 'emailAddress=a@b.c, CN=wlb.lab, OU=U, O=O, L=L, ST=S, C=CA'
  const requests: [what: string, options: string[], outcome: string][] = [
    ['as the procedure makes it', [], SUBJECT],
    ['with names', ['-addext', 'subjectAltName=DNS:wlb.lab,IP:::1'], `${SUBJECT} dns:wlb.lab ip:::1`],
    ['in DER', ['-outform', 'DER'], SUBJECT],
    ['with the old label', ['-newhdr'], SUBJECT],
    ['printed as text too', ['-text'], SUBJECT],
    ['signed with PSS', ['-sigopt', 'rsa_padding_mode:pss', '-sha384'], SUBJECT],
    ['signed with SHA-1', ['-sha1'], SUBJECT],
  ]
  it.each(requests)('%s', (_what, options, expected) => {
    expect(outcome(made(...options))).toBe(expected)
  })
})

describe('garbage gives an error with a code, never a crash', () => {
  test('any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => void outcome(Buffer.from(bytes))))
  })

  test('a request with some bytes changed is read as it was, or refused', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(der)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        const said = outcome(bytes)
        if (said !== READ) expect(said).toMatch(/^REQUEST_(MALFORMED|SIGNATURE_WRONG)/)
      }),
      { numRuns: 2000 },
    )
  })

  test('PEM with some characters changed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string({ maxLength: 5 }), (at, text) => {
        const place = at % pem.length
        outcome(pem.slice(0, place) + text + pem.slice(place + text.length))
      }),
      { numRuns: 1000 },
    )
  })
})
