/** The failure catalogue's rows that certificates, names, bundle and revocation lists decide, each as the smallest set that has the failure. */
import {
  authoritiesOf,
  type Draft,
  draftPlain,
  leafOf,
  NAME,
  nextKey,
  planCrl,
  planStranger,
  rootOf,
  SERVER_AUTH,
} from './draft.js'
import { commonName } from './name-writer.js'
import { type CertificatePlan, type CrlPlan, inDays } from './plan.js'

export type CatalogueRow = readonly [row: number, what: string, answer: string, draft: () => Draft]

const EXPIRED = { notBefore: inDays(-99), notAfter: inDays(-2) }
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const NO_LOCAL_ISSUER = '!unable to get local issuer certificate'
const WRONG_NAME = 'Subject checks failed'
const NOT_CONFIGURED = 'Configuration failed'
const ip = { kind: 'ip', hex: '0a000007' } as const

/** A chain of this depth, and what is different about it. */
const chain = (depth: number, change: (draft: Draft) => unknown) => () => {
  const draft = draftPlain(depth)
  change(draft)
  return draft
}
const leaf = (change: Partial<CertificatePlan>) => chain(2, (draft) => Object.assign(leafOf(draft), change))
const authority = (change: Partial<CertificatePlan>) =>
  chain(3, (draft) => Object.assign(authoritiesOf(draft)[0]!, change))
const top = (change: Partial<CertificatePlan>) => chain(3, (draft) => Object.assign(rootOf(draft), change))
/** The name asked for, the common name, the dNSNames. */
const names = (asked: string, cn: string, ...dns: readonly string[]) =>
  chain(2, (draft) => {
    draft.name = asked
    const altNames = dns.length > 0 ? dns.map((text) => ({ kind: 'dns' as const, text })) : undefined
    Object.assign(leafOf(draft), { subject: commonName(cn), altNames })
  })
const bundle = (rewrite: (text: string) => string | undefined) =>
  chain(2, (draft) => draft.bundle.rewrite.push(rewrite))
const crl = (depth: number, plan: (draft: Draft) => CrlPlan) => chain(depth, (draft) => draft.crls.push(plan(draft)))
const issuersCrl = (change: (draft: Draft) => Partial<CrlPlan>) =>
  crl(2, (draft) => planCrl(draft, rootOf(draft), change(draft)))
const install = (draft: Draft, ...plans: CertificatePlan[]) => {
  draft.bundle.trusted = plans
}
/** The same name and another key. */
const rekeyed = (draft: Draft, plan: CertificatePlan): CertificatePlan => ({ ...plan, key: nextKey(draft), serial: 1 })

export const CATALOGUE: readonly CatalogueRow[] = [
  [1, 'the leaf has expired', '!certificate has expired', leaf(EXPIRED)],
  [2, 'an intermediate has expired', '!certificate has expired', authority(EXPIRED)],
  [3, 'the installed root has expired', '!certificate has expired', top(EXPIRED)],
  [4, 'the leaf is not valid yet', '!certificate is not yet valid', leaf({ notBefore: inDays(2) })],
  [6, 'the common name is another, and there is no other name', WRONG_NAME, names(NAME, 'other.example.lab')],
  [7, 'the common name fits, the dNSName does not', WRONG_NAME, names(NAME, NAME, 'other.example.lab')],
  [
    8,
    'connected by address, which is an iPAddress name',
    WRONG_NAME,
    chain(2, (draft) => {
      draft.name = '10.0.0.7'
      Object.assign(leafOf(draft), { altNames: [ip, { kind: 'dns', text: NAME }] })
    }),
  ],
  [9, 'connected by address, which is the common name', 'accepted', names('10.0.0.7', '10.0.0.7')],
  [9, 'connected by address, which is written as a dNSName', 'accepted', names('10.0.0.7', NAME, '10.0.0.7')],
  [10, 'a short name', WRONG_NAME, names('wlb', NAME, NAME)],
  [11, 'a dot at the end', WRONG_NAME, names(`${NAME}.`, NAME, NAME)],
  [12, 'another letter case', 'accepted', names('WLB.Example.Lab', NAME, NAME)],
  [13, 'a wildcard for one label', 'accepted', names(NAME, 'x', '*.example.lab')],
  [14, 'a wildcard one level too high', WRONG_NAME, names(NAME, 'x', '*.lab')],
  [14, 'a wildcard for two labels', WRONG_NAME, names('a.b.example.lab', 'x', '*.example.lab')],
  [15, 'the intermediate is not sent', NO_LOCAL_ISSUER, chain(3, (draft) => draft.sent.splice(1))],
  [
    15,
    'the intermediate is not sent, but installed',
    'accepted',
    chain(3, (draft) => draft.bundle.trusted.push(...draft.sent.splice(1))),
  ],
  [
    16,
    'sent in the order leaf, root, intermediate',
    'accepted',
    chain(3, (draft) => draft.sent.splice(1, 0, rootOf(draft))),
  ],
  [
    19,
    'another root is installed, the right one is sent',
    '!self-signed certificate in certificate chain',
    chain(3, (draft) => {
      draft.sent = draft.chain
      install(draft, planStranger(draft))
    }),
  ],
  [
    19,
    'another root is installed, none is sent',
    NO_LOCAL_ISSUER,
    chain(2, (draft) => install(draft, planStranger(draft))),
  ],
  [
    20,
    'a root of the same name with another key is installed',
    '!certificate signature failure',
    chain(2, (draft) => install(draft, rekeyed(draft, rootOf(draft)))),
  ],
  [
    21,
    'only the intermediate is installed',
    '!unable to get issuer certificate',
    chain(3, (draft) => install(draft, authoritiesOf(draft)[0]!)),
  ],
  [22, 'nothing is installed', NOT_CONFIGURED, bundle(() => undefined)],
  [23, 'the leaf is installed', NO_LOCAL_ISSUER, chain(2, (draft) => install(draft, leafOf(draft)))],
  [
    24,
    'self-signed and not installed',
    '!self-signed certificate',
    chain(1, (draft) => install(draft, planStranger(draft))),
  ],
  [
    25,
    'self-signed, made again, the old one is installed',
    '!self-signed certificate',
    chain(1, (draft) => install(draft, rekeyed(draft, leafOf(draft)))),
  ],
  [26, 'self-signed, no authority, installed', 'accepted', chain(1, () => {})],
  [
    26,
    'self-signed with CA:FALSE, installed',
    'accepted',
    chain(1, (draft) => Object.assign(leafOf(draft), { basicConstraints: { ca: false } })),
  ],
  [34, 'a bundle in another format', NOT_CONFIGURED, bundle((text) => text.replaceAll('CERTIFICATE', 'PKCS7'))],
  [
    35,
    'a bundle of TRUSTED CERTIFICATE',
    NOT_CONFIGURED,
    bundle((text) => text.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE')),
  ],
  [36, 'CRLF, a byte order mark, blanks', 'accepted', bundle((text) => `\uFEFF${text.replaceAll('\n', '  \r\n')}`)],
  [37, 'a cut block first', NOT_CONFIGURED, bundle((text) => `-----BEGIN CERTIFICATE-----\nMIID\n${text}`)],
  [38, 'a cut block later', NO_LOCAL_ISSUER, bundle((text) => `${text}-----BEGIN CERTIFICATE-----\nMIID\n`)],
  [43, 'the leaf has RSA 1024', '!EE certificate key too weak', leaf({ key: 'rsa1024' })],
  [44, 'an authority has RSA 1024', '!CA certificate key too weak', authority({ key: 'rsa1024' })],
  [
    45,
    'the leaf is signed with SHA-1',
    '!CA signature digest algorithm too weak',
    leaf({ signature: { digest: 'sha1' } }),
  ],
  [
    45,
    'the intermediate is signed with MD5',
    '!CA signature digest algorithm too weak',
    authority({ signature: { digest: 'md5' } }),
  ],
  [45, 'the root is signed with SHA-1', 'accepted', top({ signature: { digest: 'sha1' } })],
  [52, 'not for servers', '!unsuitable certificate purpose', leaf({ extendedKeyUsage: { oids: [CLIENT_AUTH] } })],
  [52, 'for servers and clients', 'accepted', leaf({ extendedKeyUsage: { oids: [CLIENT_AUTH, SERVER_AUTH] } })],
  [53, 'a leaf that may sign certificates only', '!unsuitable certificate purpose', leaf({ keyUsage: [5] })],
  [54, 'an authority that may not sign certificates', '!invalid CA certificate', authority({ keyUsage: [6] })],
  [
    55,
    'an intermediate that is no authority',
    '!invalid CA certificate',
    authority({ basicConstraints: { ca: false } }),
  ],
  [
    56,
    'the path is longer than the root allows',
    '!path length constraint exceeded',
    top({ basicConstraints: { ca: true, pathLength: 0, critical: true } }),
  ],
  [
    57,
    'a name outside of the permitted domain',
    '!permitted subtree violation',
    authority({ nameConstraints: { permitted: [{ base: { kind: 'dns', text: 'other.lab' } }] } }),
  ],
  [58, 'revoked', '!certificate revoked', issuersCrl((draft) => ({ revoked: [{ certificate: leafOf(draft) }] }))],
  [59, 'the CRL has expired', '!CRL has expired', issuersCrl(() => ({ nextUpdate: inDays(-0.5) }))],
  [60, 'the CRL is not valid yet', '!CRL is not yet valid', issuersCrl(() => ({ thisUpdate: inDays(2) }))],
  [
    61,
    'the CRL of another authority',
    '!unable to get certificate CRL',
    crl(2, (draft) => planCrl(draft, planStranger(draft))),
  ],
  [62, 'the CRL of the root alone', '!unable to get certificate CRL', crl(3, (draft) => planCrl(draft, rootOf(draft)))],
  [63, 'a CRL signed with another key', '!CRL signature failure', issuersCrl(() => ({ signedWith: 'rsa3072' }))],
  [69, 'another machine answers', '!self-signed certificate', chain(1, (draft) => install(draft, planStranger(draft)))],
  [
    74,
    'a middlebox signs again',
    '!self-signed certificate in certificate chain',
    chain(2, (draft) => {
      draft.sent = draft.chain
      install(draft, planStranger(draft))
    }),
  ],
]
