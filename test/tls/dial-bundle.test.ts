/** The bundle and the CRLs of a host: what is read out of these files, and what a fault in them does. */

import { daysFromNow, issueCrl } from '../x509/test-authority.js'
import {
  describeDials,
  expired,
  joined,
  leafOf,
  otherRoot,
  root,
  selfSigned,
  simple,
  three,
  withCrls,
} from './dial-case.js'

const GARBAGE_BLOCK = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const CUT_BLOCK = (pem: string) => pem.slice(0, 400)

describeDials('bundle and CRLs', [
  // the bundle
  ['no bundle', 'stunnel: Configuration failed', () => simple({}, { bundle: undefined })],
  ['empty bundle', 'stunnel: Configuration failed', () => simple({}, { bundle: '' })],
  ['garbage for a bundle', 'stunnel: Configuration failed', () => simple({}, { bundle: 'no certificate here\n' })],
  [
    'bundle in DER',
    'stunnel: Configuration failed',
    async () => simple({}, { bundle: (await root()).certificate.raw }),
  ],
  [
    'bundle of TRUSTED CERTIFICATE',
    'stunnel: Configuration failed',
    async () =>
      simple({}, { bundle: (await root()).certificatePem.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE') }),
  ],
  [
    'bundle of X509 CERTIFICATE',
    'accepted',
    async () => simple({}, { bundle: (await root()).certificatePem.replaceAll(' CERTIFICATE', ' X509 CERTIFICATE') }),
  ],
  [
    'joined without a newline',
    'stunnel: Configuration failed',
    async () => simple({}, { bundle: `${(await root()).certificatePem.trim()}${(await otherRoot()).certificatePem}` }),
  ],
  [
    'undecodable block first',
    'stunnel: Configuration failed',
    async () => simple({}, { bundle: GARBAGE_BLOCK + (await root()).certificatePem }),
  ],
  [
    'cut block first',
    'stunnel: Configuration failed',
    async () =>
      simple({}, { bundle: `${CUT_BLOCK((await otherRoot()).certificatePem)}\n${(await root()).certificatePem}` }),
  ],
  [
    'undecodable block after a good one',
    '!unable to get local issuer certificate',
    async () => simple({}, { bundle: (await root()).certificatePem + GARBAGE_BLOCK }),
  ],
  [
    'cut block after a good one',
    '!unable to get local issuer certificate',
    async () => simple({}, { bundle: (await root()).certificatePem + CUT_BLOCK((await otherRoot()).certificatePem) }),
  ],
  [
    'self-signed, installed, undecodable block after it',
    '!self-signed certificate',
    async () => {
      const given = await selfSigned()
      return { ...given, bundle: `${given.bundle}${GARBAGE_BLOCK}` }
    },
  ],
  [
    'BOM, CRLF, blanks, text and a key around it',
    'accepted',
    async () => {
      const top = await root()
      const text = `\uFEFF# ours\n\n${top.privateKeyPem}hello\n${top.certificatePem.replaceAll('-----\n', '-----  \n')}`
      return simple({}, { bundle: text.replaceAll('\n', '\r\n') })
    },
  ],
  [
    'BOM right before the block',
    'accepted',
    async () => simple({}, { bundle: `\uFEFF${(await root()).certificatePem}` }),
  ],
  [
    'headers in the block',
    'stunnel: Configuration failed',
    async () => simple({}, { bundle: (await root()).certificatePem.replace('-----\n', '-----\nComment: x\n\n') }),
  ],
  [
    'a blank line after the BEGIN line',
    'accepted',
    async () => simple({}, { bundle: (await root()).certificatePem.replace('-----\n', '-----\n\n') }),
  ],
  ['the root twice', 'accepted', async () => simple({}, { bundle: joined(await root(), await root()) })],
  // revocation
  ['CRL of the issuer', 'accepted', () => withCrls(async (top) => ({ 'a.pem': await issueCrl(top) }))],
  [
    'CRL of another authority',
    '!unable to get certificate CRL',
    () => withCrls(async () => ({ 'a.pem': await issueCrl(await otherRoot()) })),
  ],
  ['junk among the CRLs', '!unable to get certificate CRL', () => withCrls(async () => ({ 'a.pem': 'junk\n' }))],
  [
    'CRL expired',
    '!CRL has expired',
    () =>
      withCrls(async (top) => ({
        'a.pem': await issueCrl(top, { thisUpdate: daysFromNow(-9), nextUpdate: daysFromNow(-2) }),
      })),
  ],
  [
    'CRL not valid yet',
    '!CRL is not yet valid',
    () => withCrls(async (top) => ({ 'a.pem': await issueCrl(top, { thisUpdate: daysFromNow(2) }) })),
  ],
  [
    'CRL signed with another key',
    '!CRL signature failure',
    () => withCrls(async (top) => ({ 'a.pem': await issueCrl(top, { signedBy: await otherRoot() }) })),
  ],
  [
    'leaf revoked',
    '!certificate revoked',
    () => withCrls(async (top, leaf) => ({ 'a.pem': await issueCrl(top, { revoked: [leaf] }) })),
  ],
  [
    'another certificate revoked',
    'accepted',
    () => withCrls(async (top) => ({ 'a.pem': await issueCrl(top, { revoked: [await leafOf(top)] }) })),
  ],
  [
    'an expired CRL beside a current one',
    'accepted',
    () =>
      withCrls(async (top) => ({
        'a.pem': await issueCrl(top, { thisUpdate: daysFromNow(-9), nextUpdate: daysFromNow(-2) }),
        'b.pem': await issueCrl(top),
      })),
  ],
  [
    'CRL not hashed',
    '!unable to get certificate CRL',
    async () => ({
      ...(await withCrls(async (top) => ({ 'a.pem': await issueCrl(top) }))),
      leaveUnhashed: true,
    }),
  ],
  [
    'revoked, and expired too',
    '!certificate revoked',
    async () => {
      const top = await root()
      const leaf = await leafOf(top, expired)
      return { chain: [leaf], bundle: top.certificatePem, crls: { 'a.pem': await issueCrl(top, { revoked: [leaf] }) } }
    },
  ],
  [
    'self-signed, installed, CRL of another authority',
    '!unable to get certificate CRL',
    async () => ({
      ...(await selfSigned()),
      crls: { 'a.pem': await issueCrl(await otherRoot()) },
    }),
  ],
  [
    'intermediate revoked by the root, CRLs of both',
    'accepted',
    async () => {
      const given = await three({})
      const [, middle] = given.chain!
      const crls = { 'a.pem': await issueCrl(await root(), { revoked: [middle!] }), 'b.pem': await issueCrl(middle!) }
      return { ...given, crls }
    },
  ],
  [
    'intermediate, CRL of the root only',
    '!unable to get certificate CRL',
    async () => ({
      ...(await three({})),
      crls: { 'a.pem': await issueCrl(await root()) },
    }),
  ],
])
