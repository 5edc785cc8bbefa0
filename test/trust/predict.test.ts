/** What may be hidden behind a fingerprint: which refusals another installed certificate could cure, and which it could not. */
import { expect, it, test } from 'vitest'
import { readHostAddress } from '../../src/base/names/host-address.js'
import { checkAsPool } from '../../src/tls/index.js'
import type { Connection } from '../../src/trust/connection/connection.js'
import { predict } from '../../src/trust/connection/predict.js'
import { type Issued, issue, issueAuthority, TEST_NOW } from '../x509/test-authority.js'

const NAME = 'wlb.example.com'
const leafOf = (issuer: Issued) => issue({ subject: NAME, issuer, dnsNames: [NAME], keyLabel: 'leaf' })
const root = await issueAuthority({ subject: 'Root', keyLabel: 'root' })
const mid = await issueAuthority({ subject: 'Mid', issuer: root, keyLabel: 'mid' })
const cast: Readonly<Record<string, Issued>> = {
  root,
  mid,
  leaf: await leafOf(mid),
  'leaf of root': await leafOf(root),
  self: await issue({ subject: NAME, dnsNames: [NAME], keyLabel: 'self' }),
  'self again': await issueAuthority({ subject: NAME, keyLabel: 'self' }), // the same name and key
  'renewed root': await issueAuthority({ subject: 'Root', keyLabel: 'root' }), // the same name and key
  'rekeyed root': await issueAuthority({ subject: 'Root', keyLabel: 'rekeyed' }),
  other: await issueAuthority({ subject: 'Other', keyLabel: 'other' }),
}
const certificates = (names: string) =>
  names.split(', ').flatMap((name) => (name === '' ? [] : (cast[name]?.certificate ?? [])))

/** Measured with OpenSSL 3.0.19 and stunnel 5.68, in this order of the bundle. */
const cures: [number: number, served: string, installed: string, hidden: string, outcome: string][] = [
  [2, 'leaf', 'mid', 'root', 'accepted'],
  [7, 'leaf of root', 'rekeyed root', 'root', 'accepted'],
  [18, 'self', 'other', 'self again', 'self-signed certificate'],
  [19, 'leaf, mid, root', 'other', 'renewed root', 'accepted'],
  [20, 'leaf of root', 'other', 'root', 'accepted'],
]

it.each(cures)(
  'error %i: serving %s with %s installed, and %s too: %s',
  (number, served, installed, hidden, outcome) => {
    const question = { presented: certificates(served), crls: undefined, name: NAME, now: TEST_NOW, port: 8012 }
    const judge = (anchors: string) =>
      checkAsPool({ ...question, bundle: Buffer.from(certificates(anchors).map(String).join('\n')) })
    expect(judge(installed).opensslNumber).toBe(number)
    expect(judge(`${hidden}, ${installed}`).reason.replace(/^.*: /, '') || 'accepted').toBe(outcome)

    const kind = predict(connectionOf(served, installed, hidden), undefined).kind
    expect(kind).toBe(outcome === 'accepted' ? 'unknown' : 'refused')
  },
)

test('what no anchor cures is refused, whatever else is installed', () => {
  const connection = connectionOf('leaf of root', 'other', 'root')
  const prediction = predict(connection, undefined, { name: 'another.example.com' })
  expect(prediction).toEqual({ kind: 'refused', error: ['SSL_VERIFY_ERROR', 'Subject checks failed'] })
})

/** `hidden` is installed as well, and known by its fingerprint only. */
function connectionOf(served: string, installed: string, hidden: string): Connection {
  const known = [...certificates(served), ...certificates(installed)]
  return {
    pool: {
      uuid: 'pool',
      ref: 'pool',
      name: 'pool',
      wlbUserName: 'wlbuser',
      wlbEnabled: true,
      tlsVerification: false,
      wlbUrl: `${NAME}:8012`,
      verifies: true,
      licensed: true,
      otherConfig: {},
    },
    hosts: [],
    installed: certificates(`${installed}, ${hidden}`).map(({ fingerprint256: fingerprintSha256 }, index) => ({
      uuid: `${index}`,
      name: `${index}.pem`,
      fingerprintSha256,
      lacksFingerprints: false,
      notBefore: undefined,
      notAfter: undefined,
    })),
    crls: [],
    appliance: {
      host: readHostAddress('192.0.2.9', 'the appliance'),
      port: 8012,
      name: NAME,
      resolved: [],
      clockOffsetMs: 0,
      local: undefined,
      endpoint: {
        state: 'agreed',
        cipher: '',
        curve: '',
        clientCertificate: 'not asked',
        certificates: certificates(served),
      },
    },
    known: new Map(known.map((certificate) => [certificate.fingerprint256, certificate])),
    observedAt: TEST_NOW,
  }
}
