/** What works on a pool and is warned of, and what strict clients refuse (catalogue C, rows 9, 13, 16; S33, S35, S57). */
import type { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { judgeAsBrowser, lint, validate } from '../../src/x509/index.js'
import {
  type CertificateSpec,
  daysFromNow,
  type Issued,
  issue,
  issueAuthority,
  issueCrl,
  TEST_NOW,
} from './test-authority.js'

const NAME = 'wlb.example.lab'
const leafSpec = {
  subject: NAME,
  dnsNames: [NAME],
  extendedKeyUsage: ['serverAuth'],
  notAfter: daysFromNow(300),
} as const
const root = await issueAuthority({ subject: 'Example Root' })
const middle = await issueAuthority({ subject: 'Example Issuing', issuer: root })
const other = await issueAuthority({ subject: 'Other Root' })
const leafOf = (more: Partial<CertificateSpec> = {}) => issue({ ...leafSpec, issuer: middle, ...more })
const leaf = await leafOf()

interface Given {
  readonly sent?: readonly Issued[]
  readonly installed?: readonly Issued[]
  readonly crls?: readonly string[]
  readonly name?: string
}

const question = ({ sent = [leaf, middle], installed = [root], crls, name = NAME }: Given) => ({
  presented: sent.map(({ certificate }): X509Certificate => certificate),
  anchors: installed.map(({ certificate }) => ({ certificate })),
  crls,
  name,
  now: TEST_NOW,
})
const leafWith = async (more: Partial<CertificateSpec>): Promise<Given> => ({ sent: [await leafOf(more), middle] })
const list = async (days: number): Promise<Given> => ({
  crls: [await issueCrl(middle, { nextUpdate: daysFromNow(days) })],
})
/** The server sends a certificate of its authority that leads nowhere, before the one that leads to the root. */
const crossSigned = async (): Promise<Given> => {
  const gone = await issueAuthority({ subject: 'Gone Root' })
  return { sent: [leaf, await issueAuthority({ subject: 'Example Issuing', issuer: gone }), middle] }
}

describe('a pool accepts it, and we warn', () => {
  const rows: [what: string, warnings: string, given: () => Promise<Given> | Given][] = [
    ['nothing special', '', () => ({})],
    ['the root sent along, as the seed does', '', () => ({ sent: [leaf, middle, root] })],
    ['leaf, root, intermediate', 'ORDER_UNUSUAL', () => ({ sent: [leaf, root, middle] })],
    ['an unrelated certificate', 'UNRELATED', () => ({ sent: [leaf, other, middle] })],
    ['a certificate sent twice', 'SENT_TWICE', () => ({ sent: [leaf, middle, middle] })],
    ['no SAN, only a CN', 'NO_ALTERNATIVE_NAME', () => leafWith({ dnsNames: [] })],
    ['an address as dNSName', 'ADDRESS_AS_DNS_NAME', () => leafWith({ dnsNames: [NAME, '192.0.2.7'] })],
    ['an address as it should be', '', () => leafWith({ ipAddresses: ['192.0.2.7'] })],
    ['the CN is not among the SANs', 'COMMON_NAME_UNLISTED', () => leafWith({ subject: 'wlb' })],
    ['the CN in other letters', '', () => leafWith({ subject: NAME.toUpperCase() })],
    ['a wildcard', 'COMMON_NAME_UNLISTED WILDCARD', () => leafWith({ dnsNames: ['*.example.lab'] })],
    ['a leaf that is an authority', 'LEAF_IS_AUTHORITY', () => leafWith({ ca: true })],
    [
      'no extended key usage',
      'PURPOSE_MISSING',
      async () => ({
        sent: [await issue({ subject: NAME, dnsNames: [NAME], issuer: middle, notAfter: daysFromNow(300) }), middle],
      }),
    ],
    ['valid for 399 days', 'LIFETIME_LONG', () => leafWith({ notAfter: daysFromNow(398.5) })],
    ['valid for 398 days', '', () => leafWith({ notAfter: daysFromNow(397) })],
    [
      'self-signed for ten years, as ours are',
      '',
      async () => {
        const own = await issue({ ...leafSpec, notAfter: daysFromNow(3650) })
        return { sent: [own], installed: [own] }
      },
    ],
    ['ends in 29 days', 'EXPIRES_SOON', () => leafWith({ notAfter: daysFromNow(29) })],
    ['ends in 31 days', '', () => leafWith({ notAfter: daysFromNow(31) })],
    ['valid since a minute', 'JUST_BEGUN', () => leafWith({ notBefore: daysFromNow(-1 / 1440) })],
    ['a revocation list that ends in 6 days', 'CRL_EXPIRES_SOON', () => list(6)],
    ['a revocation list that ends in 8 days', '', () => list(8)],
    [
      'an old list beside a new one',
      '',
      async () => ({ crls: [...((await list(3)).crls ?? []), ...((await list(20)).crls ?? [])] }),
    ],
  ]
  it.each(rows)('%s: %s', async (_what, warnings, given) => {
    const asked = question(await given())
    const verdict = validate(asked)
    expect(verdict.reason).toBe('')
    expect(
      lint(asked, verdict)
        .map(({ code }) => code)
        .join(' '),
    ).toBe(warnings)
  })
})

it('a path that browsers find and a pool does not is told beside the refusal', async () => {
  const asked = question(await crossSigned())
  const verdict = validate(asked)
  expect(verdict.accepted).toBe(false)
  const found = lint(asked, verdict).find(({ code }) => code === 'OTHER_PATH')
  expect(found?.message).toContain('CN=Example Issuing > CN=Example Root')
})

it('authorities that have signed each other in every way are given up in time', async () => {
  const names = ['A', 'B', 'C', 'D', 'E', 'F']
  const makers = await Promise.all(names.map((subject) => issueAuthority({ subject })))
  const crossed = await Promise.all(
    makers.flatMap((issuer) => names.map((subject) => issueAuthority({ subject, issuer, keyLabel: subject }))),
  )
  const [first] = makers
  const asked = question({
    sent: [await issue({ ...leafSpec, ...(first && { issuer: first }) }), ...crossed],
    installed: [other],
  })
  const before = performance.now()
  lint(asked, validate(asked))
  expect(performance.now() - before).toBeLessThan(1_000)
})

describe('a strict client', () => {
  const rows: [what: string, defects: string, given: () => Promise<Given> | Given][] = [
    ['an ordinary certificate', '', () => ({})],
    [
      'by its address, which is a SAN',
      '',
      async () => ({ ...(await leafWith({ ipAddresses: ['192.0.2.7'] })), name: '192.0.2.7' }),
    ],
    [
      'an IPv6 address',
      '',
      async () => ({ ...(await leafWith({ ipAddresses: ['2001:db8::1'] })), name: '2001:db8::1' }),
    ],
    [
      'an address as dNSName',
      'BROWSER_NAME_MISMATCH',
      async () => ({ ...(await leafWith({ dnsNames: ['192.0.2.7'] })), name: '192.0.2.7' }),
    ],
    ['no SAN', 'BROWSER_NAME_MISMATCH', () => leafWith({ dnsNames: [] })],
    ['another name', 'BROWSER_NAME_MISMATCH', () => ({ name: 'x.example.lab' })],
    ['a trailing dot', '', () => ({ name: `${NAME}.` })],
    ['a wildcard', '', () => leafWith({ dnsNames: ['*.example.lab'] })],
    ['a wildcard for part of a label', 'BROWSER_NAME_MISMATCH', () => leafWith({ dnsNames: ['w*.example.lab'] })],
    [
      'a wildcard for two labels',
      'BROWSER_NAME_MISMATCH',
      async () => ({ ...(await leafWith({ dnsNames: ['*.example.lab'] })), name: 'a.b.example.lab' }),
    ],
    [
      'a wildcard below a top-level domain',
      'BROWSER_NAME_MISMATCH',
      async () => ({ ...(await leafWith({ dnsNames: ['*.lab'] })), name: 'example.lab' }),
    ],
    ['an authority as leaf', 'BROWSER_LEAF_IS_AUTHORITY', () => leafWith({ ca: true })],
    ['valid for 900 days', 'BROWSER_LIFETIME', () => leafWith({ notAfter: daysFromNow(899) })],
    ['not installed', 'ROOT_UNTRUSTED', () => ({ sent: [leaf, middle, root], installed: [other] })],
    ['expired', 'EXPIRED', () => leafWith({ notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) })],
    ['goes back where a pool is stuck', '', crossSigned],
    [
      'does not look at the revocation lists of pools',
      '',
      async () => ({ crls: [await issueCrl(middle, { revoked: [leaf] })] }),
    ],
  ]
  it.each(rows)('%s: %s', async (_what, defects, given) => {
    const { verdict, browserDefects } = judgeAsBrowser(question(await given()))
    expect([...verdict.defects, ...browserDefects].map(({ code }) => code).join(' ')).toBe(defects)
  })
})
