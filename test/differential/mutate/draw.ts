/** Names and extensions of every kind that OpenSSL decodes, right ones, for mutations to spoil (RFC 5280, 4.2 and 5.2; RFC 3779). */
import {
  bitString,
  boolean,
  element,
  enumerated,
  integer,
  namedBits,
  nothing,
  objectIdentifier,
  octetString,
  sequence,
  tagged,
  time,
  utf8,
  wrapped,
} from '../der-writer.js'
import { OID } from '../extension-writer.js'
import { type DistinguishedName, type GeneralName, writeGeneralName } from '../name-writer.js'
import type { RawExtension } from '../plan.js'
import type { Random } from '../random.js'

export const NAME = 'wlb.example.lab'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const UNKNOWN = '1.3.6.1.4.1.55555.9'
const ADDRESSES = '1.3.6.1.5.5.7.1.7'
const NUMBERS = '1.3.6.1.5.5.7.1.8'
const PROXY_LANGUAGE = '1.3.6.1.5.5.7.21.1'

/** A name that no other case has. */
export function drawName(random: Random, unique: string): DistinguishedName {
  const string = random.pick(['utf8', 'printable', 'bmp', 'universal', 't61'] as const)
  const own = [{ type: 'CN', text: unique, string }] as const
  const more = random.pick<DistinguishedName>([
    [],
    [[{ type: 'C', text: 'DE' }], [{ type: 'O', text: 'Example  Lab' }]],
    [
      [
        { type: 'O', text: 'Example' },
        { type: 'OU', text: 'lab', string: 'bmp' },
      ],
    ],
    [[{ type: 'DC', text: 'lab' }], [{ type: 'email', text: 'a@example.lab' }]],
  ])
  return random.chance(0.3) ? [own, ...more] : [...more, own]
}

const directory = (text: string): GeneralName => ({ kind: 'directory', name: [[{ type: 'O', text }]] })
const NAMES: readonly GeneralName[] = [
  { kind: 'dns', text: NAME },
  { kind: 'dns', text: 'other.example.lab' },
  { kind: 'ip', hex: '0a000001' },
  { kind: 'ip', hex: '20010db8000000000000000000000001' },
  { kind: 'email', text: 'a@example.lab' },
  { kind: 'uri', text: 'http://www.example.lab/x' },
  { kind: 'registeredId' },
  { kind: 'other' },
  { kind: 'utf8 email', text: 'a@example.lab' },
  { kind: 'utf8 email', text: 'a@exämple.lab' },
  directory('Example'),
]
const CONSTRAINTS: readonly GeneralName[] = [
  { kind: 'dns', text: 'example.lab' },
  { kind: 'dns', text: '' },
  { kind: 'ip', hex: '0a000000ff000000' },
  { kind: 'ip', hex: `20010db8${'0'.repeat(24)}ffffffff${'0'.repeat(24)}` },
  { kind: 'email', text: 'example.lab' },
  { kind: 'email', text: '.lab' },
  { kind: 'email', text: 'xn--exmple-cua.lab' },
  { kind: 'email', text: 'a@example.lab' },
  { kind: 'uri', text: '.example.lab' },
  { kind: 'registeredId' },
  { kind: 'other' },
  { kind: 'directory', name: [] },
  directory('Example'),
]
const EDI_PARTY = wrapped(5, wrapped(0, element(0x13, Buffer.from('a'))), wrapped(1, utf8('b')))
const X400 = wrapped(3, sequence(nothing()))

function drawNames(random: Random): Buffer[] {
  const written = random
    .shuffle(NAMES)
    .slice(0, 1 + random.below(5))
    .map(writeGeneralName)
  return random.chance(0.3) ? [...written, random.pick([EDI_PARTY, X400])] : written
}

function drawSubtrees(random: Random): Buffer[] {
  return random
    .shuffle(CONSTRAINTS)
    .slice(0, 1 + random.below(3))
    .map((base) =>
      sequence(writeGeneralName(base), ...(random.chance(0.2) ? [tagged(0, Buffer.from([random.below(2)]))] : [])),
    )
}

const full = (text: string) =>
  wrapped(0, writeGeneralName({ kind: 'uri', text }), writeGeneralName(directory('points')))
const relative = wrapped(1, sequence(objectIdentifier('2.5.4.3'), utf8('points')))

function drawPoint(random: Random): Buffer {
  return sequence(
    wrapped(0, random.pick([full('http://example.lab/a.crl'), relative])),
    ...(random.chance(0.2) ? [tagged(1, namedBits([1, 2, 8]).subarray(2))] : []),
    ...(random.chance(0.2) ? [wrapped(2, writeGeneralName(directory('issuer of lists')))] : []),
  )
}

const address = (hex: string, unused = 0) => bitString(Buffer.from(hex, 'hex'), unused)
const block = (family: string, ...held: readonly Buffer[]) => sequence(octetString(Buffer.from(family, 'hex')), ...held)

/** The larger, the higher up: `level` 0 is the leaf's. */
function drawAddresses(random: Random, level: number): Buffer {
  const inherits = level < 2 && random.chance(0.2)
  const v4 = [
    address('0a00', level > 0 ? 1 : 0),
    sequence(address('0b000001'), address(level > 1 ? '0b0000ff' : '0b000005')),
  ]
  const v6 = [address('20010db8', level)]
  return sequence(
    block('0001', inherits ? nothing() : sequence(...v4)),
    ...(level > 0 || random.chance(0.7) ? [block('0002', random.chance(0.2) ? nothing() : sequence(...v6))] : []),
  )
}

function drawNumbers(random: Random, level: number): Buffer {
  const list = sequence(integer(5), sequence(integer(64_512), integer(64_520 + level)))
  return sequence(
    ...(random.chance(0.9) ? [wrapped(0, level < 2 && random.chance(0.2) ? nothing() : list)] : []),
    ...(random.chance(0.3) ? [wrapped(1, sequence(integer(7)))] : []),
  )
}

/** May be critical without being the reason for a refusal. */
const SUPPORTED: readonly string[] = [
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.altNames,
  OID.nameConstraints,
  OID.distributionPoints,
  ADDRESSES,
  NUMBERS,
]

export type Level = 0 | 1 | 2

/** The extensions of a certificate: 0 the leaf, 1 its issuer, 2 the root. */
export function drawExtensions(random: Random, level: Level): RawExtension[] {
  const isAuthority = level > 0
  const keyId = (number: number) => Buffer.from([number, 1, 2, 3, 4])
  const add = (chance: number, oid: string, value: () => Buffer): RawExtension[] =>
    random.chance(chance) ? [{ oid, critical: SUPPORTED.includes(oid) && random.chance(0.2), value: value() }] : []
  const constraints = sequence(
    ...(isAuthority ? [boolean(true)] : []),
    ...(isAuthority && random.chance(0.5) ? [integer(level - 1 + random.below(3))] : []),
  )
  const authority = [
    ...(random.chance(0.7) ? [tagged(0, keyId(Math.min(level + 1, 2)))] : []),
    ...(random.chance(0.1) ? [wrapped(1, writeGeneralName(directory('unknown'))), tagged(2, Buffer.from([1]))] : []),
  ]
  return random.shuffle([
    ...add(isAuthority ? 1 : 0.5, OID.basicConstraints, () => constraints),
    ...add(0.5, OID.keyUsage, () => namedBits(isAuthority ? [5, 6] : [0, 2])),
    ...add(isAuthority ? 0.1 : 0.5, OID.extendedKeyUsage, () =>
      sequence(objectIdentifier(SERVER_AUTH), objectIdentifier(UNKNOWN)),
    ),
    ...add(0.1, OID.netscapeType, () => namedBits(isAuthority ? [5] : [1])),
    ...add(0.4, OID.subjectKeyId, () => octetString(keyId(level))),
    ...add(0.4, OID.authorityKeyId, () => sequence(...authority)),
    ...add(isAuthority ? 0.1 : 0.6, OID.altNames, () => sequence(...drawNames(random))),
    ...add(0.05, OID.issuerAltNames, () => sequence(...drawNames(random))),
    ...add(isAuthority ? 0.3 : 0.05, OID.nameConstraints, () => drawConstraints(random)),
    ...add(0.2, OID.distributionPoints, () => sequence(drawPoint(random))),
    ...add(0.1, OID.policies, () => sequence(sequence(objectIdentifier(UNKNOWN)))),
    ...add(0.03, OID.policyConstraints, () => sequence(tagged(0, Buffer.from([0])))),
    ...add(isAuthority ? 0 : 0.03, OID.proxy, () => sequence(sequence(objectIdentifier(PROXY_LANGUAGE)))),
    ...add(0.25, ADDRESSES, () => drawAddresses(random, level)),
    ...add(0.25, NUMBERS, () => drawNumbers(random, level)),
    ...add(0.05, UNKNOWN, () => nothing()),
    ...(random.chance(0.02) ? [{ oid: UNKNOWN, critical: true, value: nothing() }] : []),
  ])
}

function drawConstraints(random: Random): Buffer {
  const isExcluding = random.chance(0.3)
  return sequence(
    ...(isExcluding && random.chance(0.5) ? [] : [wrapped(0, ...drawSubtrees(random))]),
    ...(isExcluding ? [wrapped(1, ...drawSubtrees(random))] : []),
  )
}

export function drawListExtensions(random: Random): RawExtension[] {
  const add = (chance: number, oid: string, value: () => Buffer): RawExtension[] =>
    random.chance(chance) ? [{ oid, critical: random.chance(0.3), value: value() }] : []
  const scope = () =>
    sequence(
      ...(random.chance(0.7) ? [wrapped(0, random.pick([full('http://example.lab/a.crl'), relative]))] : []),
      ...random.pick([[], [], [tagged(1, Buffer.from([0xff]))], [tagged(2, Buffer.from([0xff]))]]),
      ...(random.chance(0.1) ? [tagged(4, Buffer.from([random.pick([0, 0xff])]))] : []),
    )
  return random.shuffle([
    ...add(0.5, OID.crlNumber, () => integer(5)),
    ...add(0.3, OID.authorityKeyId, () => sequence(tagged(0, Buffer.from([1, 1, 2, 3, 4])))),
    ...add(0.5, OID.issuingPoint, scope),
  ])
}

export function drawEntryExtensions(random: Random): RawExtension[] {
  const add = (chance: number, oid: string, value: () => Buffer): RawExtension[] =>
    random.chance(chance) ? [{ oid, critical: random.chance(0.1), value: value() }] : []
  return [
    ...add(0.5, OID.reason, () => enumerated(random.pick([1, 4, 8]))),
    ...add(0.2, OID.certificateIssuer, () => sequence(writeGeneralName(directory('someone else')))),
    ...add(0.1, '2.5.29.24', () => time(new Date(Date.UTC(2024, 1, 1)), 'generalized')),
  ]
}
