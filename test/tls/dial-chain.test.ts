/** Which chains and which names a pool accepts. */
import { createSelfSigned } from '../../src/x509/index.js'
import { issue, issueAuthority, TEST_NOW } from '../x509/test-authority.js'
import {
  describeDials,
  joined,
  leafSpec,
  NAME,
  named,
  otherRoot,
  root,
  selfSigned,
  simple,
  three,
} from './dial-case.js'

describeDials('chains and names', [
  // chains
  ['leaf under the root in the bundle', 'accepted', () => simple()],
  ['leaf and intermediate sent', 'accepted', () => three({})],
  [
    'leaf, root, intermediate sent in that order',
    'accepted',
    async () => {
      const given = await three({})
      const [leaf, middle] = given.chain ?? []
      return { ...given, chain: [leaf!, await root(), middle!] }
    },
  ],
  [
    'intermediate not sent',
    '!unable to get local issuer certificate',
    async () => {
      const given = await three({})
      return { ...given, chain: given.chain!.slice(0, 1) }
    },
  ],
  [
    'intermediate not sent, but in the bundle',
    'accepted',
    async () => {
      const given = await three({})
      return { chain: given.chain!.slice(0, 1), bundle: joined(await root(), given.chain![1]!) }
    },
  ],
  [
    'intermediate alone in the bundle',
    '!unable to get issuer certificate',
    async () => {
      const given = await three({})
      return { ...given, bundle: given.chain![1]!.certificatePem }
    },
  ],
  [
    'leaf alone in the bundle',
    '!unable to get local issuer certificate',
    async () => {
      const given = await simple()
      return { ...given, bundle: given.chain![0]!.certificatePem }
    },
  ],
  [
    'another root in the bundle',
    '!unable to get local issuer certificate',
    async () => simple({}, { bundle: (await otherRoot()).certificatePem }),
  ],
  [
    'another root in the bundle, the right one sent',
    '!self-signed certificate in certificate chain',
    async () => {
      const given = await simple()
      return { chain: [...given.chain!, await root()], bundle: (await otherRoot()).certificatePem }
    },
  ],
  [
    'root renewed with another key under the same name',
    '!certificate signature failure',
    async () =>
      simple({}, { bundle: (await issueAuthority({ subject: 'Example Root', keyLabel: 'another' })).certificatePem }),
  ],
  // self-signed
  [
    'made by createSelfSigned',
    'accepted',
    async () => {
      const identity = await createSelfSigned({ hostname: NAME, addresses: ['127.0.0.1'], now: TEST_NOW })
      return { identity, bundle: identity.certificatePem }
    },
  ],
  ['self-signed, installed, CA:TRUE', 'accepted', () => selfSigned({ ca: true })],
  [
    'self-signed, installed, CA:FALSE without keyCertSign',
    'accepted',
    () => selfSigned({ ca: false, keyUsage: ['digitalSignature', 'keyEncipherment'] }),
  ],
  [
    'self-signed, installed, no extension at all',
    'accepted',
    async () => {
      const own = await issue({ subject: NAME })
      return { chain: [own], bundle: own.certificatePem }
    },
  ],
  ['self-signed with SHA-1, installed', 'accepted', () => selfSigned({ digest: 'SHA-1' })],
  [
    'self-signed, another root in the bundle',
    '!self-signed certificate',
    async () => selfSigned({}, (await otherRoot()).certificatePem),
  ],
  [
    'self-signed, made again since it was installed',
    '!self-signed certificate',
    async () => selfSigned({}, (await issue({ ...leafSpec, keyLabel: 'before' })).certificatePem),
  ],
  // names
  ['name not in the certificate', 'Subject checks failed', () => simple({}, { name: 'other.example.lab' })],
  ['CN another, no SAN', 'Subject checks failed', () => named({ subject: 'x.lab' }, NAME)],
  ['CN right, SAN another', 'Subject checks failed', () => named({ dnsNames: ['other.example.lab'] }, NAME)],
  ['CN right, no SAN, other letter case', 'accepted', () => named({}, NAME.toUpperCase())],
  ['short name', 'Subject checks failed', () => simple({}, { name: 'wlb' })],
  ['dot at the end', 'Subject checks failed', () => simple({}, { name: `${NAME}.` })],
  [
    'IP address, as iPAddress SAN',
    'Subject checks failed',
    () => named({ dnsNames: [NAME], ipAddresses: ['127.0.0.1'] }, '127.0.0.1'),
  ],
  [
    'IP address, as CN, iPAddress SAN beside it',
    'accepted',
    () => named({ subject: '127.0.0.1', ipAddresses: ['127.0.0.1'] }, '127.0.0.1'),
  ],
  [
    'IP address, as CN, dNSName beside it',
    'Subject checks failed',
    () => named({ subject: '127.0.0.1', dnsNames: [NAME] }, '127.0.0.1'),
  ],
  ['IP address, as dNSName', 'accepted', () => named({ dnsNames: ['127.0.0.1'] }, '127.0.0.1')],
  ['wildcard', 'accepted', () => named({ dnsNames: ['*.example.lab'] }, NAME)],
  ['wildcard two labels above', 'Subject checks failed', () => named({ dnsNames: ['*.example.lab'] }, `a.${NAME}`)],
  ['wildcard under the top', 'Subject checks failed', () => named({ dnsNames: ['*.lab'] }, 'wlb.lab')],
])
