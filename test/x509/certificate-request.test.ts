/** Requests as openssl reads them, field by field. */
import { afterAll, describe, expect, it, test } from 'vitest'
import {
  type CertificateRequest,
  checkChallengePassword,
  checkSubjectPart,
  createCertificateRequest,
  createRsaKey,
  type RequestSubject,
} from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { makeOpensslFolder } from './container-files.js'

const SUBJECT: RequestSubject = {
  country: 'CA',
  state: 'Alberta',
  locality: 'Calgary',
  organization: 'Example Inc.',
  commonName: 'wlb.example.com',
  email: 'admin@example.com',
}
const REQUEST: CertificateRequest = { subject: SUBJECT, dnsNames: ['wlb.example.com'], ipAddresses: [] }

describe.skipIf(!requirePart('openssl'))('a request', async () => {
  const files = makeOpensslFolder()
  afterAll(() => files.remove())
  const key = await createRsaKey(2048)
  const print = async (request: CertificateRequest, flags: string) => {
    files.write('csr', await createCertificateRequest(request, key))
    return files.openssl(`req -in csr -noout ${flags}`).toString()
  }

  test('openssl req -verify agrees with the signature', async () => {
    files.write('csr', await createCertificateRequest(REQUEST, key))
    expect(() => files.openssl('req -verify -noout -in csr')).not.toThrow()
    expect(await print(REQUEST, '-text')).toContain('Signature Algorithm: sha256WithRSAEncryption')
  })

  test('country, state, locality, organization, unit, common name, e-mail, in this order and in the right string types', async () => {
    const subject = { ...SUBJECT, organization: 'Exämple, "Inc." #1+2=3', organizationalUnit: '#IT' }
    const shown = await print({ ...REQUEST, subject }, '-subject -nameopt multiline,utf8,show_type,-esc_msb')
    expect(shown.split('\n').map((line) => line.trim().replace(/ +=/, ' ='))).toEqual([
      'subject=',
      'countryName = PRINTABLESTRING:CA',
      'stateOrProvinceName = UTF8STRING:Alberta',
      'localityName = UTF8STRING:Calgary',
      'organizationName = UTF8STRING:Exämple, "Inc." #1+2=3',
      'organizationalUnitName = UTF8STRING:#IT',
      'commonName = UTF8STRING:wlb.example.com',
      'emailAddress = IA5STRING:admin@example.com',
      '',
    ])
  })

  test('names and addresses, and what the certificate is for', async () => {
    const text = await print(
      { ...REQUEST, dnsNames: ['wlb.example.com', 'wlb'], ipAddresses: ['192.0.2.10', '2001:db8::1'] },
      '-text',
    )
    expect(text).toContain('DNS:wlb.example.com, DNS:wlb, IP Address:192.0.2.10, IP Address:2001:DB8:0:0:0:0:0:1')
    expect(text).toMatch(/Key Usage: critical\n\s+Digital Signature, Key Encipherment/)
    expect(text).toContain('TLS Web Server Authentication')
  })

  test.each([
    [{}, []],
    [{ challengePassword: 'geheim' }, ['challengePassword        :geheim']],
    [{ companyName: 'Example Inc.' }, ['unstructuredName         :Example Inc.']],
    [
      { challengePassword: 'ge_heim', companyName: 'Exämple' },
      ['unstructuredName         :Ex', 'challengePassword        :ge_heim'],
    ],
  ])('the optional attributes %j', async (given, lines) => {
    const text = await print({ ...REQUEST, ...given }, '-text')
    for (const line of lines) expect(text).toContain(line)
    expect(/challengePassword|unstructuredName/.test(text)).toBe(lines.length > 0)
  })

  test('the same request with the same key is the same text', async () => {
    expect(await createCertificateRequest(REQUEST, key)).toBe(await createCertificateRequest(REQUEST, key))
  })
})

const parts: [part: keyof RequestSubject, value: string, verdict: string][] = [
  ['country', 'CA', 'fine'],
  ['country', 'ca', 'must be two capital letters'],
  ['country', 'CAN', 'must be two capital letters'],
  ['country', 'C1', 'must be two capital letters'],
  ['country', '', 'must be two capital letters'],
  ['state', 'Nordrhein-Westfalen', 'fine'],
  ['state', '', 'must have a character'],
  ['locality', ' Calgary', 'must have a character, and no blank'],
  ['organization', 'Ö'.repeat(64), 'fine'],
  ['organization', 'O'.repeat(65), 'must have 64 characters at most'],
  ['organization', 'a\nb', 'must have no control characters'],
  ['organizationalUnit', 'U'.repeat(65), 'must have 64 characters at most'],
  ['email', 'admin@example.com', 'fine'],
  ['email', 'admin', 'must be an address'],
  ['email', 'ädmin@example.com', 'must be an address'],
]
it.each(parts)('%s %j: %s', (part, value, verdict) => {
  expect(checkSubjectPart(part, value) ?? 'fine').toMatch(new RegExp(`^${verdict}`))
})

it.each([
  ['geheim', 'fine'],
  ['abc', 'must have 4 to 20'],
  ['a'.repeat(21), 'must have 4 to 20'],
])('the challenge password %j: %s', (value, verdict) => {
  expect(checkChallengePassword(value) ?? 'fine').toMatch(new RegExp(`^${verdict}`))
})
