/** Twists of name constraints (RFC 5280, 4.2.1.10), the ones that hold and the ones that do not. */
import { authoritiesOf, leafOf, NAME } from './draft.js'
import { commonName, type GeneralName } from './name-writer.js'
import type { Subtree } from './plan.js'
import { on, onAuthority, type Twist } from './twist.js'

const texts = (kind: 'dns' | 'email' | 'uri', ...all: readonly string[]): GeneralName[] =>
  all.map((text) => ({ kind, text }))

/** Constraints of every kind; most are about names the leafs below may have. */
const BASES: readonly GeneralName[] = [
  ...texts(
    'dns',
    'example.lab',
    'example.lab',
    'lab',
    NAME,
    '.example.lab',
    'EXAMPLE.LAB',
    'other.lab',
    '',
    'b.example.lab',
  ),
  ...texts('dns', 'ample.lab', '*.example.lab', 'example.lab.'),
  ...texts(
    'email',
    'example.lab',
    '.example.lab',
    'admin@example.lab',
    'ADMIN@example.lab',
    '',
    'other.lab',
    '@example.lab',
  ),
  ...texts('uri', 'example.lab', '.example.lab', NAME, '', 'other.lab'),
  { kind: 'ip', hex: '0a000000ff000000' },
  { kind: 'ip', hex: '0a00000700000000' },
  { kind: 'ip', hex: 'c0a80000ffff0000' },
  { kind: 'ip', hex: '0a0000' },
  { kind: 'ip', hex: `${'20010db8'.padEnd(32, '0')}${'ffffffff'.padEnd(32, '0')}` },
  { kind: 'directory', name: [[{ type: 'O', text: 'Example' }]] },
  { kind: 'directory', name: [[{ type: 'O', text: 'EXAMPLE ', string: 'printable' }]] },
  { kind: 'directory', name: [[{ type: 'O', text: 'Other' }]] },
  { kind: 'directory', name: commonName(NAME) },
  { kind: 'directory', name: [] },
  { kind: 'registeredId' },
  { kind: 'other' },
  { kind: 'utf8 email', text: 'example.lab' },
]

/** Names a leaf gets beside the one it is asked about. */
const NAMES: readonly GeneralName[] = [
  ...texts('dns', 'a.example.lab', 'x.other.lab', '*.example.lab', 'lab'),
  ...texts(
    'email',
    'admin@example.lab',
    'Admin@Example.lab',
    'x@sub.example.lab',
    'no-at-sign',
    '"a b"@example.lab',
    'x@other.lab',
  ),
  ...texts(
    'uri',
    `https://${NAME}/x`,
    `https://user@${NAME}:8012/`,
    'https://10.0.0.7/',
    'urn:x:y',
    'ldap:///',
    'https://sub.example.lab',
  ),
  { kind: 'ip', hex: '0a000007' },
  { kind: 'ip', hex: 'c0a80001' },
  { kind: 'ip', hex: '20010db8'.padEnd(32, '1') },
  { kind: 'ip', hex: '0a00' },
  { kind: 'directory', name: commonName('someone') },
  { kind: 'directory', name: [[{ type: 'O', text: 'Other' }]] },
  { kind: 'registeredId' },
  { kind: 'other' },
  { kind: 'utf8 email', text: 'admin@example.lab' },
]

export const CONSTRAINT_TWISTS: readonly Twist[] = [
  [
    7,
    'name constraints',
    (draft) => {
      const { random } = draft
      const subtrees = (): Subtree[] => [
        { base: random.pick(BASES), ...(random.chance(0.05) && { minimum: random.pick([0, 1]) }) },
        ...(random.chance(0.4) ? [{ base: random.pick(BASES), ...(random.chance(0.1) && { maximum: 5 }) }] : []),
      ]
      const kind = random.below(3)
      return onAuthority(draft, {
        nameConstraints: { ...(kind !== 1 && { permitted: subtrees() }), ...(kind !== 0 && { excluded: subtrees() }) },
      })
    },
  ],
  [
    4,
    'name constraints and more names',
    (draft) => {
      const { random } = draft
      const name = random.pick(NAMES)
      const base = random.pick(BASES.filter(({ kind }) => kind === name.kind))
      const subtrees = [{ base }]
      const leaf = leafOf(draft)
      leaf.altNames = [...(random.chance(0.8) ? (leaf.altNames ?? []) : []), name]
      return onAuthority(draft, {
        nameConstraints: random.chance(0.5) ? { permitted: subtrees } : { excluded: subtrees },
      })
    },
  ],
  [
    2,
    'name constraints and a common name only',
    (draft) => {
      on(leafOf(draft), {
        altNames: draft.random.pick([undefined, texts('email', 'admin@example.lab')]),
        subject: draft.random.pick([
          commonName(NAME),
          commonName('x.other.lab'),
          commonName('not a host name'),
          [[{ type: 'CN', text: NAME }], [{ type: 'email', text: 'admin@example.lab' }]],
          [[{ type: 'CN', text: '*.example.lab' }]],
          [[{ type: 'CN', text: NAME, string: 'bmp' }]],
          [[{ type: 'CN', text: 'under_score.example.lab' }]],
          [[{ type: 'CN', text: '10.0.0.7' }]],
        ]),
      })
      const base = draft.random.pick(BASES)
      return onAuthority(draft, {
        nameConstraints: draft.random.chance(0.5) ? { permitted: [{ base }] } : { excluded: [{ base }] },
      })
    },
  ],
  [
    1,
    'name constraints against an authority',
    (draft) => {
      const [lower, upper] = authoritiesOf(draft)
      if (!lower || !upper) return false
      lower.altNames = [draft.random.pick(NAMES)]
      return on(upper, { nameConstraints: { permitted: [{ base: draft.random.pick(BASES) }] } })
    },
  ],
  [
    1,
    'name constraints of a leaf',
    (draft) => on(leafOf(draft), { nameConstraints: { permitted: [{ base: draft.random.pick(BASES) }] } }),
  ],
  [1, 'empty name constraints', (draft) => onAuthority(draft, { nameConstraints: {} })],
]
