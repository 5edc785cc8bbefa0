/** Twists of revocation lists. Each one switches revocation on for the leaf. */
import { integer, nothing, sequence } from './der-writer.js'
import { authoritiesOf, type Draft, leafOf, planCrl, planStranger, rootOf, UNKNOWN_OID } from './draft.js'
import { commonName, type GeneralName } from './name-writer.js'
import { type CertificatePlan, type CrlPlan, inDays } from './plan.js'
import { on, type Twist } from './twist.js'

const POINTS: readonly (readonly GeneralName[])[] = [
  [{ kind: 'uri', text: 'http://crl.example.lab/a.crl' }],
  [{ kind: 'uri', text: 'http://crl.example.lab/b.crl' }],
  [
    { kind: 'uri', text: 'http://crl.example.lab/a.crl' },
    { kind: 'uri', text: 'http://crl.example.lab/c.crl' },
  ],
]
const REASONS = [[1], [2, 3], [1, 2, 3, 4, 5, 6, 7, 8]]

/** The leaf's issuer; a self-signed leaf is its own. */
const issuerOf = (draft: Draft): CertificatePlan => leafOf(draft).issuer ?? leafOf(draft)

export const REVOCATION_TWISTS: readonly Twist[] = [
  [4, 'CRL of the issuer', (draft) => add(draft, {})],
  [4, 'leaf revoked', (draft) => add(draft, { revoked: [{ certificate: leafOf(draft) }] })],
  [
    2,
    'leaf revoked for a reason',
    (draft) => add(draft, { revoked: [{ certificate: leafOf(draft), reason: draft.random.pick([0, 1, 4, 6, 8, 9]) }] }),
  ],
  [
    2,
    'others revoked',
    (draft) => add(draft, { revoked: authoritiesOf(draft).map((certificate) => ({ certificate })) }),
  ],
  [2, 'CRL expired', (draft) => add(draft, { nextUpdate: { seconds: -5, form: 'utc' } })],
  [2, 'CRL of the future', (draft) => add(draft, { thisUpdate: inDays(3) })],
  [1, 'CRL in GeneralizedTime', (draft) => add(draft, { thisUpdate: { seconds: -800, form: 'generalized' } })],
  [
    1,
    'CRL date in a form nobody may use',
    (draft) => add(draft, { nextUpdate: { seconds: 99_999, form: 'utc without seconds' } }),
  ],
  [1, 'CRL without an end', (draft) => add(draft, { nextUpdate: undefined })],
  [2, 'CRL signed with another key', (draft) => add(draft, { signedWith: draft.random.pick(['rsa2048-1', 'p256']) })],
  [
    1,
    'CRL with a weak digest',
    (draft) => add(draft, { signature: { digest: draft.random.pick(['sha1', 'md5'] as const) } }),
  ],
  [2, 'CRL of another authority', (draft) => add(draft, { issuer: planStranger(draft) })],
  [2, 'CRL of the root', (draft) => add(draft, { issuer: rootOf(draft), revoked: [{ certificate: leafOf(draft) }] })],
  [
    1,
    'CRL issuer spelled in another way',
    (draft) => {
      const issuerName = issuerOf(draft).subject.map((all) =>
        all.map(({ type, text }) => ({ type, text: text.toUpperCase() })),
      )
      return add(draft, { issuerName, revoked: [{ certificate: leafOf(draft) }] })
    },
  ],
  [2, 'delta CRL', (draft) => add(draft, { deltaOf: 1, crlNumber: 2, revoked: maybeRevoked(draft) })],
  [
    1,
    'delta CRL beside its base',
    (draft) => add(draft, { crlNumber: 1 }) && add(draft, { deltaOf: 1, crlNumber: 2, revoked: maybeRevoked(draft) }),
  ],
  [2, 'indirect CRL', (draft) => add(draft, { scope: { indirect: true }, revoked: maybeRevoked(draft) })],
  [
    1,
    'entry of another issuer',
    (draft) => add(draft, { revoked: [{ certificate: leafOf(draft), otherIssuer: commonName('someone else') }] }),
  ],
  [
    3,
    'CRL for some certificates only',
    (draft) => {
      const only = draft.random.pick(['user', 'user', 'authority', 'attribute'] as const)
      return add(draft, { scope: { only }, revoked: maybeRevoked(draft) })
    },
  ],
  [
    2,
    'CRL for some reasons',
    (draft) => add(draft, { scope: { reasons: draft.random.pick(REASONS) }, revoked: maybeRevoked(draft) }),
  ],
  [1, 'CRL of an empty scope', (draft) => add(draft, { scope: {}, revoked: maybeRevoked(draft) })],
  [
    4,
    'CRL of a distribution point',
    (draft) => {
      const { random } = draft
      if (random.chance(0.7)) {
        on(leafOf(draft), {
          distributionPoint: {
            ...(random.chance(0.9) && { fullName: random.pick(POINTS) }),
            ...(random.chance(0.2) && { reasons: random.pick(REASONS) }),
            ...(random.chance(0.2) && { crlIssuer: random.pick([issuerOf(draft).subject, commonName('CRL issuer')]) }),
          },
        })
      }
      return add(draft, {
        ...(random.chance(0.8) && { scope: { point: { fullName: random.pick(POINTS) } } }),
        revoked: maybeRevoked(draft),
      })
    },
  ],
  [
    2,
    'CRL with a critical extension',
    (draft) =>
      add(draft, { raw: [{ oid: UNKNOWN_OID, critical: true, value: nothing() }], revoked: maybeRevoked(draft) }),
  ],
  [
    1,
    'CRL entry with a critical extension',
    (draft) =>
      add(draft, {
        entryRaw: [{ oid: UNKNOWN_OID, critical: true, value: nothing() }],
        revoked: [{ certificate: draft.random.pick(draft.chain) }],
      }),
  ],
  [
    1,
    'CRL scope unreadable',
    (draft) =>
      add(draft, {
        raw: [{ oid: '2.5.29.28', critical: true, value: draft.random.pick([sequence(nothing()), integer(1)]) }],
      }),
  ],
  [
    2,
    'CRL key identifier',
    (draft) =>
      add(draft, { authorityKeyId: draft.random.pick(['match', 'mismatch'] as const), revoked: maybeRevoked(draft) }),
  ],
  [
    2,
    'issuer may not sign CRLs',
    (draft) => {
      const issuer = issuerOf(draft)
      return issuer !== leafOf(draft) && on(issuer, { keyUsage: [5] }) && add(draft, {})
    },
  ],
  [
    3,
    'two CRLs',
    (draft) => {
      const changes: Partial<CrlPlan>[] = [
        { revoked: [{ certificate: leafOf(draft) }] },
        { nextUpdate: { seconds: -5, form: 'utc' } },
        { issuer: planStranger(draft) },
        { signedWith: 'rsa2048-2' },
        { scope: { only: 'authority' } },
        { thisUpdate: inDays(2) },
        { deltaOf: 1, crlNumber: 3 },
        {},
      ]
      return add(draft, draft.random.pick(changes)) && add(draft, draft.random.pick(changes))
    },
  ],
  [
    1,
    'CRL in another kind of file',
    (draft) =>
      add(draft, { file: draft.random.pick(['der', 'junk before', 'CRLF', 'byte order mark', 'blank line'] as const) }),
  ],
  [1, 'CRL in the bundle', (draft) => add(draft, { file: 'in the bundle', revoked: maybeRevoked(draft) })],
  [
    1,
    'root among the CRL files',
    (draft) => {
      draft.filed.push(rootOf(draft))
      if (draft.random.chance(0.5)) draft.bundle.trusted = [planStranger(draft)]
      return draft.random.chance(0.5) ? add(draft, {}) : true
    },
  ],
  [
    1,
    'no CRL among the CRL files',
    (draft) => {
      draft.otherFiles = { 'notes.pem': 'nothing here\n' }
      return true
    },
  ],
]

function add(draft: Draft, change: Partial<CrlPlan>): true {
  // a self-signed leaf is asked for its own list, and its usual key usage would end most of these sets at once
  if (draft.chain.length === 1 && draft.random.chance(0.7)) on(leafOf(draft), { keyUsage: [0, 2, 6] })
  draft.crls.push(planCrl(draft, change.issuer ?? issuerOf(draft), change))
  return true
}

const maybeRevoked = (draft: Draft): CrlPlan['revoked'] =>
  draft.random.chance(0.4) ? [{ certificate: leafOf(draft) }] : []
