import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  type DistributionCommand,
  type DistributionResult,
  decodeCommand,
  decodeResult,
  encodeCommand,
  encodeResult,
  PURPOSES,
  type StoreKind,
} from '../../src/lab/certificates/distribution-command.js'
import { parseSexp, printSexp, type Sexp } from '../../src/lab/certificates/sexp.js'

const printed: [what: string, expression: Sexp, text: string][] = [
  ['a bare atom', 'GenBundle', 'GenBundle'],
  ['an empty atom', '', '""'],
  ['an empty list', [], '()'],
  ['two bare atoms have a blank between them', ['CRL', 'a.pem'], '(CRL a.pem)'],
  ['a list needs none', ['Write', ['CRL', []]], '(Write(CRL()))'],
  ['a quoted atom needs none', ['content', 'a b'], '(content"a b")'],
  ['nor does one behind a list', [['RootCert', []], 'Erase_old', []], '((RootCert())Erase_old())'],
  ['newline, quote, backslash', 'a\n"\\', '"a\\n\\"\\\\"'],
  ['tab and carriage return', '\t\r', '"\\t\\r"'],
  ['parentheses', 'a(b)', '"a(b)"'],
  ['a semicolon', 'a;b', '"a;b"'],
  ['bytes beyond ASCII, three digits each', 'é', '"\\195\\169"'],
]

it.each(printed)('prints %s', (_what, expression, text) => {
  expect(printSexp(expression)).toBe(text)
  expect(parseSexp(text)).toEqual(expression)
})

const read: [what: string, text: string, expression: Sexp | 'refused'][] = [
  ['any blanks', ' ( a\n\t b )  ', ['a', 'b']],
  ['comments to the end of the line', '(a ; b\n c)', ['a', 'c']],
  ['hexadecimal escapes', '"\\x41"', 'A'],
  ['a line folded by a backslash', '"a\\\n   b"', 'ab'],
  ['nothing', '', 'refused'],
  ['a list that does not end', '(a', 'refused'],
  ['one parenthesis too many', '(a))', 'refused'],
  ['an atom that does not end', '"a', 'refused'],
  ['two expressions', 'a b', 'refused'],
  ['no such byte', '"\\300"', 'refused'],
  ['depth without end', '('.repeat(10_000), 'refused'],
]

it.each(read)('reads %s', (_what, text, expression) => {
  if (expression === 'refused') expect(() => parseSexp(text)).toThrow(/INTERNAL_ERROR/)
  else expect(parseSexp(text)).toEqual(expression)
})

const sexps = fc.letrec<{ sexp: Sexp }>((tie) => ({
  sexp: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
    fc.array(tie('sexp'), { maxLength: 5 }),
  ),
})).sexp

test('what is printed is read back', () => {
  fc.assert(
    fc.property(sexps, (expression) => {
      expect(parseSexp(printSexp(expression))).toEqual(expression)
    }),
  )
})

test('garbage is refused, never a crash', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('(', ')', '"', '\\', 'a', ' ', ';', '\n', '1') }), (text) => {
      try {
        parseSexp(text)
      } catch (error) {
        expect(error).toHaveProperty('code', 'INTERNAL_ERROR')
      }
    }),
  )
})

describe('commands between hosts', () => {
  const wire: [text: string, command: DistributionCommand][] = [
    ['GenBundle', { kind: 'GenBundle' }],
    [
      '(Write(LegacyRootCert Erase_old(((filename wlb.pem)(content"-----BEGIN CERTIFICATE-----\\nMII")))))',
      {
        kind: 'Write',
        into: { store: 'LegacyRootCert' },
        strategy: 'Erase_old',
        files: [{ filename: 'wlb.pem', content: '-----BEGIN CERTIFICATE-----\nMII' }],
      },
    ],
    [
      '(Write((RootCert())Erase_old()))',
      { kind: 'Write', into: { store: 'RootCert', purposes: [] }, strategy: 'Erase_old', files: [] },
    ],
    [
      '(Write((PinnedCert(ldaps))Merge()))',
      { kind: 'Write', into: { store: 'PinnedCert', purposes: ['ldaps'] }, strategy: 'Merge', files: [] },
    ],
    ['(CollectOne HostPoolCert 1234)', { kind: 'CollectOne', from: { store: 'HostPoolCert' }, name: '1234' }],
    ['(CollectMany CRL(a.pem b.pem))', { kind: 'CollectMany', from: { store: 'CRL' }, names: ['a.pem', 'b.pem'] }],
  ]
  it.each(wire)('%s', (text, command) => {
    expect(encodeCommand(command)).toBe(text)
    expect(decodeCommand(text)).toEqual(command)
  })

  const results: [text: string, result: DistributionResult][] = [
    ['WriteResult', { kind: 'WriteResult' }],
    ['GenBundleResult', { kind: 'GenBundleResult' }],
    [
      '(CollectOneResult((filename x.pem)(content"a b")))',
      { kind: 'CollectOneResult', file: { filename: 'x.pem', content: 'a b' } },
    ],
    [
      '(CollectManyResult(((filename x.pem)(content""))((filename y.pem)(content z))))',
      {
        kind: 'CollectManyResult',
        files: [
          { filename: 'x.pem', content: '' },
          { filename: 'y.pem', content: 'z' },
        ],
      },
    ],
  ]
  it.each(results)('%s', (text, result) => {
    expect(encodeResult(result)).toBe(text)
    expect(decodeResult(text)).toEqual(result)
  })

  it.each(['Nothing', '(Write)', '(Write(LegacyRootCert Erase_all()))', '(CollectOne Elsewhere x)', '(GenBundle x)'])(
    '%s is no command',
    (text) => {
      expect(() => decodeCommand(text)).toThrow(/INTERNAL_ERROR/)
    },
  )

  const kinds: fc.Arbitrary<StoreKind> = fc.oneof(
    fc.constantFrom('HostPoolCert', 'LegacyRootCert', 'CRL').map((store): StoreKind => ({ store })),
    fc
      .tuple(fc.constantFrom('RootCert', 'PinnedCert'), fc.subarray([...PURPOSES]))
      .map(([store, purposes]): StoreKind => ({ store, purposes })),
  )
  const files = fc.array(fc.record({ filename: fc.string(), content: fc.string({ unit: 'grapheme' }) }), {
    maxLength: 4,
  })

  test('what one host says the other understands', () => {
    fc.assert(
      fc.property(kinds, files, fc.constantFrom('Erase_old', 'Merge'), (into, written, strategy) => {
        const command: DistributionCommand = { kind: 'Write', into, strategy, files: written }
        expect(decodeCommand(encodeCommand(command))).toEqual(command)
      }),
    )
  })
})
