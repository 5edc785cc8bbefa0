/** Twists of which certificates there are: missing, in another order, several of one name, signed by two. */
import { authoritiesOf, type Draft, leafOf, nextKey, planAuthority, planStranger, rootOf } from './draft.js'
import { type CertificatePlan, inDays } from './plan.js'
import { on, type Twist } from './twist.js'

export const PATH_TWISTS: readonly Twist[] = [
  [3, 'an intermediate is not sent', (draft) => leaveOut(draft, 'sent', pickAuthority(draft))],
  [1, 'only the leaf is sent', (draft) => keepFirst(draft)],
  [3, 'the root is not installed', (draft) => leaveOut(draft, 'trusted', rootOf(draft))],
  [
    3,
    'an intermediate is installed',
    (draft) => {
      const authority = pickAuthority(draft)
      if (!authority) return false
      if (draft.random.chance(0.3)) leaveOut(draft, 'trusted', rootOf(draft))
      if (draft.random.chance(0.3)) leaveOut(draft, 'sent', authority)
      return install(draft, authority)
    },
  ],
  [
    2,
    'the leaf is installed',
    (draft) => {
      if (draft.random.chance(0.5)) leaveOut(draft, 'trusted', rootOf(draft))
      return install(draft, leafOf(draft))
    },
  ],
  [2, 'the root is sent', (draft) => send(draft, rootOf(draft))],
  [2, 'others are sent too', (draft) => send(draft, planStranger(draft), planStranger(draft))],
  [2, 'sent in any order', (draft) => shuffleSent(draft)],
  [1, 'sent twice', (draft) => send(draft, ...draft.sent)],
  [1, 'installed twice', (draft) => install(draft, ...draft.bundle.trusted)],
  [
    5,
    'authority of another key and the same name',
    (draft) => {
      const authority = pickAuthority(draft)
      if (!authority) return false
      const other = copyOf(draft, authority, { key: nextKey(draft), label: `${authority.label} re-keyed` })
      if (draft.random.chance(0.3)) spoilDates(draft, other)
      if (draft.random.chance(0.4)) on(other, { subjectKeyId: draft.random.pick(['own', 'none'] as const) })
      return place(draft, other, authority)
    },
  ],
  [
    4,
    'authority twice, with other dates',
    (draft) => {
      const authority = pickAuthority(draft)
      if (!authority) return false
      const other = copyOf(draft, authority, { label: `${authority.label} again` })
      spoilDates(draft, draft.random.pick([other, authority]))
      return place(draft, other, authority)
    },
  ],
  [
    3,
    'authority twice, one of them unfit',
    (draft) => {
      const authority = pickAuthority(draft)
      if (!authority) return false
      const other = copyOf(draft, authority, { label: `${authority.label} again` })
      on(
        draft.random.pick([other, authority]),
        draft.random.pick([
          { basicConstraints: undefined },
          { basicConstraints: { ca: false } },
          { keyUsage: [6] },
          { version: 1 },
          { signature: { digest: 'sha1' } },
          { subjectKeyId: 'other' },
        ] as const),
      )
      return place(draft, other, authority)
    },
  ],
  [
    4,
    'root signed by another root too',
    (draft) => {
      const root = rootOf(draft)
      if (root.issuer !== undefined || draft.chain.length < 2) return false
      const upper = planStranger(draft)
      const cross = copyOf(draft, root, { label: 'root cross-signed', issuer: upper })
      send(draft, cross)
      if (draft.random.chance(0.3)) send(draft, upper)
      const choice = draft.random.below(4)
      if (choice > 0) install(draft, upper)
      if (choice > 1) leaveOut(draft, 'trusted', root)
      if (choice > 2) install(draft, cross)
      return true
    },
  ],
  [
    1,
    'authorities that signed each other',
    (draft) => {
      const authority = authoritiesOf(draft)[0]
      if (!authority) return false
      const other = planAuthority(draft, 'the other', authority, draft.random.chance(0.5))
      const back = copyOf(draft, authority, { label: `${authority.label} by the other`, issuer: other })
      send(draft, other, back)
      if (draft.random.chance(0.5)) leaveOut(draft, 'trusted', rootOf(draft))
      draft.sent = [leafOf(draft), ...draft.random.shuffle(draft.sent.slice(1))]
      return true
    },
  ],
  [3, 'key identifier does not match', (draft) => on(draft.random.pick(draft.chain), { authorityKeyId: 'mismatch' })],
  [
    2,
    'key identifier of its own is another',
    (draft) => on(draft.random.pick(draft.chain), { subjectKeyId: 'other', authorityKeyId: 'match' }),
  ],
  [
    2,
    'key identifier with issuer and serial',
    (draft) =>
      on(draft.random.pick(draft.chain), { authorityKeySerial: draft.random.pick(['match', 'mismatch'] as const) }),
  ],
  [
    1,
    'no key identifiers',
    (draft) => draft.chain.every((plan) => on(plan, { subjectKeyId: 'none', authorityKeyId: 'none' })),
  ],
]

function pickAuthority(draft: Draft): CertificatePlan | undefined {
  const authorities = authoritiesOf(draft)
  return authorities.length > 0 ? draft.random.pick(authorities) : undefined
}

function copyOf(draft: Draft, plan: CertificatePlan, change: Partial<CertificatePlan>): CertificatePlan {
  return { ...plan, serial: draft.serial++, raw: [...plan.raw], ...change }
}

function spoilDates(draft: Draft, plan: CertificatePlan): void {
  const days = draft.random.pick([-60, -10, 200, 400, 1500])
  on(plan, draft.random.chance(0.2) ? { notBefore: inDays(20) } : { notAfter: inDays(days) })
}

/** Where its twin is, before or after it, or in its place. */
function place(draft: Draft, other: CertificatePlan, twin: CertificatePlan): true {
  const { random } = draft
  for (const [list, first] of [
    [draft.sent, 1],
    [draft.bundle.trusted, 0],
  ] as const) {
    const at = list.indexOf(twin)
    if (at < first && !random.chance(0.2)) continue
    const index = at < first ? list.length : at + random.below(2)
    list.splice(index, at >= first && random.chance(0.15) ? 1 : 0, other)
  }
  return true
}

function send(draft: Draft, ...plans: readonly CertificatePlan[]): true {
  for (const plan of plans) draft.sent.splice(1 + draft.random.below(draft.sent.length), 0, plan)
  return true
}

function install(draft: Draft, ...plans: readonly CertificatePlan[]): true {
  const { trusted } = draft.bundle
  for (const plan of plans) trusted.splice(draft.random.below(trusted.length + 1), 0, plan)
  return true
}

function leaveOut(draft: Draft, where: 'sent' | 'trusted', plan: CertificatePlan | undefined): boolean {
  const list = where === 'sent' ? draft.sent : draft.bundle.trusted
  const at = plan ? list.indexOf(plan) : -1
  if (at < (where === 'sent' ? 1 : 0)) return false
  list.splice(at, 1)
  if (draft.bundle.trusted.length === 0) draft.bundle.trusted.push(planStranger(draft))
  return true
}

function keepFirst(draft: Draft): boolean {
  return draft.sent.length > 1 && draft.sent.splice(1).length > 0
}

function shuffleSent(draft: Draft): boolean {
  draft.sent = [leafOf(draft), ...draft.random.shuffle(draft.sent.slice(1))]
  return draft.sent.length > 2
}
