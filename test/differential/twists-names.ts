/** Twists of names: the one asked for, the ones a certificate speaks for, and how issuers are spelled. */
import { authoritiesOf, type Draft, leafOf, NAME, rootOf } from './draft.js'
import { type Attribute, commonName, type DistinguishedName, type GeneralName, type StringType } from './name-writer.js'
import { anyOf, on, type Twist } from './twist.js'

const dns = (...texts: readonly string[]): GeneralName[] => texts.map((text) => ({ kind: 'dns', text }))
const ip4 = { kind: 'ip', hex: '0a000007' } as const

/** What is asked for, the common name, the alternative names (none at all: undefined). */
const HOSTS: readonly (readonly [asked: string, cn: string, names: readonly GeneralName[] | undefined])[] = [
  [NAME, NAME, undefined],
  [NAME, NAME, dns('other.example.lab')],
  [NAME, 'other.example.lab', undefined],
  [NAME, 'other.example.lab', dns('other.example.lab', NAME)],
  [NAME, 'x', dns('*.example.lab')],
  [NAME, 'x', dns('*.lab')],
  [NAME, 'x', dns('w*.example.lab')],
  [NAME, 'x', dns('*b.example.lab')],
  [NAME, 'x', dns('w*b.example.lab')],
  [NAME, 'x', dns('**.example.lab')],
  [NAME, 'x', dns('wlb.*.lab')],
  [NAME, 'x', dns('*')],
  [NAME, '*.example.lab', undefined],
  [NAME, 'w*.example.lab', undefined],
  [NAME, 'WLB.Example.LAB', undefined],
  ['WLB.EXAMPLE.lab', NAME, dns(NAME)],
  [`${NAME}.`, NAME, dns(NAME)],
  [NAME, 'x', dns(`${NAME}.`)],
  [`${NAME}.`, 'x', dns(`${NAME}.`)],
  ['wlb', NAME, dns(NAME)],
  ['wlb', 'wlb', undefined],
  ['a.b.example.lab', 'x', dns('*.example.lab')],
  ['example.lab', 'x', dns('*.example.lab')],
  ['.example.lab', 'x', dns(NAME)],
  [NAME, 'x', dns('.example.lab')],
  ['10.0.0.7', '10.0.0.7', undefined],
  ['10.0.0.7', 'x', [ip4]],
  ['10.0.0.7', '10.0.0.7', [ip4]],
  ['10.0.0.7', '10.0.0.7', [ip4, ...dns(NAME)]],
  ['10.0.0.7', 'x', dns('10.0.0.7')],
  ['10.0.0.7', 'x', dns('*.0.0.7')],
  ['::1', '::1', undefined],
  [NAME, NAME, [ip4]],
  [NAME, NAME, [{ kind: 'email', text: 'admin@example.lab' }]],
  [NAME, NAME, [{ kind: 'uri', text: `https://${NAME}/` }]],
  [NAME, NAME, [{ kind: 'directory', name: commonName(NAME) }]],
  [NAME, NAME, []],
  [NAME, 'x', [...dns(''), ...dns(NAME)]],
  [NAME, 'x', dns(`${NAME}\0.evil`)],
  [NAME, `${NAME}\0.evil`, undefined],
  ['xn--bcher-kva.example.lab', 'x', dns('xn--bcher-kva.example.lab')],
  ['xn--bcher-kva.example.lab', 'x', dns('*.example.lab')],
  ['xn--bcher-kva.example.lab', 'x', dns('xn--*.example.lab')],
  ['xn--bcher-kva.example.lab', 'x', dns('x*.example.lab')],
  ['wlb_1.example.lab', 'x', dns('*.example.lab')],
  ['-wlb.example.lab', 'x', dns('*.example.lab')],
  ['wlb_1.example.lab', 'x', dns('wlb_1.example.lab')],
  [NAME, ` ${NAME}`, undefined],
  [NAME, `${NAME} `, undefined],
]

const SPELLINGS: readonly ((text: string) => string)[] = [
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text) => `  ${text} `,
  (text) => text.replaceAll(' ', '   '),
  (text) => text.replaceAll(' ', '\t'),
  (text) => text.replaceAll(' ', ''),
  (text) => `${text}x`,
]
const STRINGS: readonly StringType[] = ['printable', 'utf8', 't61', 'ia5', 'bmp', 'universal']

export const NAME_TWISTS: readonly Twist[] = [
  [
    8,
    'host name',
    (draft) => {
      const [asked, cn, names] = draft.random.pick(HOSTS)
      draft.name = asked
      return on(leafOf(draft), { subject: commonName(cn), altNames: names })
    },
  ],
  [1, 'another host asked for', (draft) => ask(draft, 'other.example.lab')],
  [1, 'alternative names critical', (draft) => on(leafOf(draft), { altNamesCritical: true })],
  [
    1,
    'two common names',
    (draft) => {
      const names: Attribute[][] = [[{ type: 'CN', text: 'first.lab' }], [{ type: 'CN', text: NAME }]]
      return on(leafOf(draft), { altNames: undefined, subject: draft.random.shuffle(names) })
    },
  ],
  [
    1,
    'common name of another string type',
    (draft) =>
      on(leafOf(draft), {
        altNames: undefined,
        subject: [[{ type: 'CN', text: NAME, string: draft.random.pick(STRINGS) }]],
      }),
  ],
  [
    4,
    'issuer spelled in another way',
    (draft) => {
      const plan = draft.random.pick([leafOf(draft), anyOf(draft)])
      const spell = draft.random.pick(SPELLINGS)
      const string = draft.random.pick(STRINGS)
      return on(plan, { issuerName: spelled((plan.issuer ?? plan).subject, spell, string) })
    },
  ],
  [
    1,
    'names with letters beyond ASCII',
    (draft) => {
      const authority = authoritiesOf(draft)[0]
      if (!authority) return false
      authority.subject = [[{ type: 'CN', text: 'Büro CA' }]]
      const [text, string] = draft.random.pick([
        ['BÜRO CA', 'utf8'],
        ['büro ca', 'bmp'],
        ['Büro CA', 't61'],
      ] as const)
      return on(leafOf(draft), { issuerName: [[{ type: 'CN', text, string }]] })
    },
  ],
  [
    1,
    'attributes in another order',
    (draft) => {
      const plan = anyOf(draft)
      return on(plan, { issuerName: [...(plan.issuer ?? plan).subject].reverse() })
    },
  ],
  [
    1,
    'several attributes in one relative name',
    (draft) => {
      const issuer = rootOf(draft)
      issuer.subject = [
        [
          { type: 'CN', text: 'Two' },
          { type: 'OU', text: 'In One' },
        ],
      ]
      return true
    },
  ],
  [1, 'empty subject', (draft) => on(anyOf(draft), { subject: [] })],
  [1, 'leaf named as its issuer', (draft) => sameNames(draft, leafOf(draft))],
  [1, 'authority named as its issuer', (draft) => sameNames(draft, anyOf(draft))],
  [1, 'leaf named as the root', (draft) => on(leafOf(draft), { subject: rootOf(draft).subject })],
]

function ask(draft: Draft, name: string): true {
  draft.name = name
  return true
}

function sameNames(draft: Draft, plan: ReturnType<typeof leafOf>): boolean {
  return plan.issuer !== undefined && draft.chain.includes(plan) && on(plan, { subject: plan.issuer.subject })
}

function spelled(name: DistinguishedName, spell: (text: string) => string, string: StringType): DistinguishedName {
  return name.map((attributes) => attributes.map(({ type, text }) => ({ type, text: spell(text), string })))
}
