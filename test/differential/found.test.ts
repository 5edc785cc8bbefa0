/** What random sets and wrong bytes have taught us about OpenSSL's rules, each as the smallest set that shows it. */

import { describe, expect, it } from 'vitest'
import { requirePart } from '../real-parts.js'
import { hasDeltaList, readsDeltaLists } from './delta-lists.js'
import { nothing, sequence, wrapped } from './der-writer.js'
import { type Draft, draftPlain, leafOf, planCrl, planStranger, SERVER_AUTH } from './draft.js'
import { OID } from './extension-writer.js'
import { describeAnswer } from './judge.js'
import { askOpenssl } from './judge-openssl.js'
import { askOurs } from './judge-ours.js'
import { createKeyPool } from './key-pool.js'
import { commonName, writeGeneralName } from './name-writer.js'
import type { CrlPlan } from './plan.js'
import { finishSet } from './random-set.js'
import { createRareKeys, extensionOf, makePath, NAME, type RarePath } from './rare/rare-path.js'
import { on } from './twist.js'

const raw = (oid: string, value: Buffer) => ({ raw: [{ oid, value }] })
const unreadable = sequence(nothing())
const NO_ISSUER = '!unable to get local issuer certificate'

const facts: readonly (readonly [what: string, answer: string, depth: number, change: (draft: Draft) => unknown])[] = [
  [
    'a self-signed leaf with an extension that cannot be read is not self-signed',
    NO_ISSUER,
    1,
    (draft) => on(leafOf(draft), { altNames: undefined, ...raw(OID.altNames, unreadable) }),
  ],
  [
    'an authority key identifier with a field nobody knows cannot be read',
    NO_ISSUER,
    2,
    (draft) => on(leafOf(draft), raw(OID.authorityKeyId, unreadable)),
  ],
  [
    'name constraints with a field nobody knows cannot be read',
    NO_ISSUER,
    2,
    (draft) => on(draft.chain[1]!, raw(OID.nameConstraints, unreadable)),
  ],
  [
    'a distribution point that says nothing cannot be read',
    NO_ISSUER,
    2,
    (draft) => on(leafOf(draft), { distributionPoint: {} }),
  ],
  [
    'the digest counts that stands beside the signature, not the one inside',
    '!certificate signature failure',
    2,
    (draft) => on(leafOf(draft), { innerSignature: { digest: 'sha1' } }),
  ],
  [
    'an explicit curve has a text that begins with a capital',
    '!Certificate public key has explicit ECC parameters',
    2,
    (draft) => on(draft.chain[1]!, { key: 'p256explicit' }),
  ],
  [
    'a CRL signed with RSA-PSS counts',
    '!certificate revoked',
    2,
    (draft) => on(draft.chain[1]!, { key: 'rsapss' }) && revoke(draft),
  ],
  [
    'a CRL may be signed with RSA-PSS over MD5',
    '!certificate revoked',
    2,
    (draft) => on(draft.chain[1]!, { key: 'rsapss' }) && revoke(draft, { signature: { digest: 'md5' } }),
  ],
  [
    'what a TRUSTED CERTIFICATE block allows counts for a self-signed leaf too, against its own extensions',
    'accepted',
    1,
    (draft) => {
      draft.bundle.trusted.push(planStranger(draft))
      draft.bundle.settings.set(leafOf(draft), { trust: [SERVER_AUTH] })
      return on(leafOf(draft), { netscapeType: [0] })
    },
  ],
  ['an entry of another issuer is not about the leaf', 'accepted', 2, (draft) => revoke(draft, {}, 'someone else')],
  [
    'an issuer said once holds for the entries after it',
    'accepted',
    2,
    (draft) => {
      const other = { certificate: draft.chain[1]!, otherIssuer: commonName('someone else') }
      return crl(draft, { revoked: [other, { certificate: leafOf(draft) }] })
    },
  ],
  [
    'a CRL scope that cannot be read is none',
    '!certificate revoked',
    2,
    (draft) => revoke(draft, { raw: [{ oid: OID.issuingPoint, critical: true, value: unreadable }] }),
  ],
  [
    'a delta CRL alone is no list at all',
    '!unable to get certificate CRL',
    2,
    (draft) => revoke(draft, { deltaOf: 1, crlNumber: 2 }),
  ],
  [
    'a delta CRL does not stand in for its base',
    'accepted',
    2,
    (draft) => crl(draft, { crlNumber: 1 }) && revoke(draft, { deltaOf: 1, crlNumber: 2 }),
  ],
]

function revoke(draft: Draft, more: Partial<CrlPlan> = {}, otherIssuer?: string): true {
  const entry = {
    certificate: leafOf(draft),
    ...(otherIssuer !== undefined && { otherIssuer: commonName(otherIssuer) }),
  }
  return crl(draft, { revoked: [entry], ...more })
}

function crl(draft: Draft, more: Partial<CrlPlan>): true {
  draft.crls.push(planCrl(draft, draft.chain[1] ?? leafOf(draft), more))
  return true
}

describe.skipIf(requirePart('openssl') === undefined)('found by random sets (needs openssl)', () => {
  const keys = createKeyPool()

  it.each(facts)('%s: %s', async (_what, answer, depth, change) => {
    const draft = draftPlain(depth)
    change(draft)
    const set = finishSet(draft, keys, new Date())
    if (!set) throw new Error('a certificate of this row cannot be parsed')
    const judge = readsDeltaLists() && hasDeltaList(set) ? undefined : await askOpenssl(set)
    if (judge) expect(describeAnswer(judge)).toBe(answer)
    expect(describeAnswer(askOurs(set))).toBe(answer)
  })
})

const below = (base: string, mailbox: string): RarePath => {
  const names = [{ kind: 'utf8 email', text: mailbox } as const, { kind: 'dns', text: NAME } as const]
  const permitted = wrapped(0, sequence(writeGeneralName({ kind: 'email', text: base })))
  return {
    leaf: { extensions: [{ oid: OID.altNames, value: sequence(...names.map(writeGeneralName)) }] },
    issuer: { extensions: [{ oid: OID.nameConstraints, value: sequence(permitted) }] },
  }
}
const constraintsOf = (hex: string): RarePath => ({ leaf: { extensions: [extensionOf(OID.basicConstraints, hex)] } })

const ofBytes: readonly (readonly [what: string, answer: string, path: RarePath])[] = [
  [
    'a constraint that begins with a dot is not about a mailbox one label below',
    '!permitted subtree violation',
    below('.lab', 'a@example.lab'),
  ],
  ['but about one below an empty label', 'accepted', below('.lab', 'a@example..lab')],
  ['an xn-- label of nothing is an empty label', 'accepted', below('xn--.lab', 'a@.lab')],
  [
    'an xn-- label that is malformed is no host',
    '!unspecified certificate verification error',
    below('xn--a_.lab', 'a@example.lab'),
  ],
  [
    'a length of zero in the long form may be followed by bytes that do not count',
    'accepted',
    constraintsOf('308100 ff'),
  ],
]

describe.skipIf(requirePart('openssl') === undefined)('found by wrong bytes (needs openssl)', () => {
  const keys = createRareKeys()

  async function check(answer: string, path: RarePath, isAsked = true): Promise<void> {
    const set = makePath(path, keys, new Date())
    expect(describeAnswer(askOurs(set))).toBe(answer)
    const judge = isAsked ? await askOpenssl(set) : undefined
    if (isAsked) expect(judge && describeAnswer(judge)).toBe(answer)
  }

  it.each(ofBytes)('%s: %s', (_what, answer, path) => check(answer, path))

  // this rule went with the one about delta lists, in 3.0.20
  it('a length of zero in the long form may not be the last byte', () =>
    check(NO_ISSUER, constraintsOf('308100'), readsDeltaLists()))
})
