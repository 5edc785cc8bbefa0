/** Certificates made to be slow: an answer or a refusal comes all the same, and OpenSSL's own limits are kept. */
import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { validate } from '../../src/x509/index.js'
import { createWriter } from '../differential/certificate-writer.js'
import { type Draft, draftPlain, leafOf, NAME, planAuthority, rootOf } from '../differential/draft.js'
import { createKeyPool } from '../differential/key-pool.js'
import type { CertificatePlan } from '../differential/plan.js'
import { TEST_NOW } from './test-authority.js'

const writer = createWriter(createKeyPool(), TEST_NOW)

const dns = (count: number, text = (index: number) => `n${index}.example.lab`) =>
  Array.from({ length: count }, (_, index) => ({ kind: 'dns' as const, text: text(index) }))

/** A leaf with many names under authorities with many constraints that all fit. */
function constrained(depth: number, names: number, constraints: number): Draft {
  const draft = draftPlain(depth)
  leafOf(draft).altNames = [{ kind: 'dns', text: NAME }, ...dns(names)]
  const permitted = [...dns(constraints - 1, (index) => `other${index}.lab`), ...dns(1, () => 'example.lab')]
  for (const authority of draft.chain.slice(1)) {
    authority.nameConstraints = { permitted: permitted.map((base) => ({ base })) }
  }
  return draft
}

/** `count` authorities of one name and one key that end on different days, all of them sent. */
function namesakes(count: number): Draft {
  const draft = draftPlain(3)
  const issuer = draft.chain[1]!
  const copies = Array.from({ length: count }, (_, index): CertificatePlan => ({ ...issuer, serial: 5000 + index }))
  draft.sent = [leafOf(draft), ...copies, issuer]
  return draft
}

/** Two installed authorities that signed each other: a path without end. */
function circle(): Draft {
  const draft = draftPlain(2)
  const other = planAuthority(draft, 'other', rootOf(draft), false)
  rootOf(draft).issuer = other
  draft.bundle.trusted = [rootOf(draft), other]
  return draft
}

const cases: [what: string, outcome: string, draft: () => Draft][] = [
  ['2,000 names, 100 constraints', 'accepted', () => constrained(2, 2000, 100)],
  ["3,000 names, 1,000 constraints: OpenSSL's own limit", 'UNSPECIFIED', () => constrained(2, 3000, 1000)],
  [
    '3,000 names, 300 constraints in each of three authorities',
    'VALIDATION_TOO_COSTLY',
    () => constrained(4, 3000, 300),
  ],
  ['1,000 candidates of one name', 'accepted', () => namesakes(1000)],
  ['two anchors that signed each other', 'CHAIN_TOO_LONG', circle],
]

it.each(cases)('%s: %s', (_what, outcome, make) => {
  const draft = make()
  const certificate = (plan: CertificatePlan) => new X509Certificate(writer.certificate(plan))
  const ask = () =>
    validate({
      presented: draft.sent.map(certificate),
      anchors: draft.bundle.trusted.map((plan) => ({ certificate: certificate(plan) })),
      crls: undefined,
      name: draft.name,
      now: TEST_NOW,
    })
  expect(describe(ask)).toBe(outcome)
})

function describe(ask: () => ReturnType<typeof validate>): string {
  try {
    const { accepted, defects } = ask()
    return accepted ? 'accepted' : (defects[0]?.code ?? '')
  } catch (error) {
    if (error instanceof WlbError) return error.code
    throw error
  }
}
