/** Twists of what a certificate may be used for, and of extensions in general. */

import { boolean, integer, nothing, objectIdentifier, octetString, sequence, utf8 } from './der-writer.js'
import { authoritiesOf, leafOf, nextKey, rootOf, SERVER_AUTH, UNKNOWN_OID } from './draft.js'
import { OID } from './extension-writer.js'
import type { RawExtension } from './plan.js'
import { anyOf, on, onAuthority, type Twist } from './twist.js'

const PURPOSES = {
  serverAuth: SERVER_AUTH,
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
  any: '2.5.29.37.0',
  microsoftGated: '1.3.6.1.4.1.311.10.3.3',
  netscapeGated: '2.16.840.1.113730.4.1',
} as const
const PURPOSE_SETS = [
  [PURPOSES.serverAuth, PURPOSES.clientAuth],
  [PURPOSES.clientAuth],
  [PURPOSES.any],
  [PURPOSES.any, PURPOSES.clientAuth],
  [PURPOSES.codeSigning],
  [PURPOSES.microsoftGated],
  [PURPOSES.netscapeGated],
  [PURPOSES.ocspSigning],
  [],
]
const USAGE_SETS = [[], [0], [1], [2], [3], [4], [5], [6], [0, 5], [2, 5, 6], [0, 2, 5, 6], [8], [4, 7]]

export const USAGE_TWISTS: readonly Twist[] = [
  [4, 'authority without basic constraints', (draft) => onAuthority(draft, { basicConstraints: undefined })],
  [
    1,
    'authority with neither basic constraints nor key usage',
    (draft) => onAuthority(draft, { basicConstraints: undefined, keyUsage: undefined }),
  ],
  [3, 'authority with CA:FALSE', (draft) => onAuthority(draft, { basicConstraints: { ca: false } })],
  [1, 'basic constraints not critical', (draft) => onAuthority(draft, { basicConstraints: { ca: true } })],
  [1, 'leaf with CA:TRUE', (draft) => on(leafOf(draft), { basicConstraints: { ca: true, critical: true } })],
  [
    1,
    'leaf with CA:FALSE and a path length',
    (draft) => on(leafOf(draft), { basicConstraints: { ca: false, pathLength: 0 } }),
  ],
  [
    5,
    'path length',
    (draft) =>
      onAuthority(draft, {
        basicConstraints: { ca: true, pathLength: draft.random.pick([0, 0, 1, 2, -1]), critical: true },
      }),
  ],
  [
    3,
    'self-issued authority in between',
    (draft) => {
      const above = authoritiesOf(draft)[0]
      if (!above) return false
      const between = {
        ...above,
        label: 'self-issued',
        issuer: above,
        key: nextKey(draft),
        serial: draft.serial++,
        authorityKeyId: above.subjectKeyId === 'own' ? ('match' as const) : ('none' as const),
        basicConstraints: { ca: true, critical: true },
      }
      leafOf(draft).issuer = between
      draft.chain.splice(1, 0, between)
      draft.sent.splice(1, 0, between)
      if (draft.random.chance(0.5)) on(above, { basicConstraints: { ca: true, pathLength: 0, critical: true } })
      return true
    },
  ],
  [3, 'authority key usage', (draft) => onAuthority(draft, { keyUsage: draft.random.pick(USAGE_SETS) })],
  [1, 'authority without key usage', (draft) => onAuthority(draft, { keyUsage: undefined })],
  [3, 'leaf key usage', (draft) => on(leafOf(draft), { keyUsage: draft.random.pick(USAGE_SETS) })],
  [4, 'leaf purposes', (draft) => on(leafOf(draft), { extendedKeyUsage: { oids: draft.random.pick(PURPOSE_SETS) } })],
  [
    1,
    'leaf purposes critical',
    (draft) => on(leafOf(draft), { extendedKeyUsage: { oids: draft.random.pick(PURPOSE_SETS), critical: true } }),
  ],
  [
    3,
    'authority purposes',
    (draft) => onAuthority(draft, { extendedKeyUsage: { oids: draft.random.pick(PURPOSE_SETS) } }),
  ],
  [
    2,
    'Netscape type',
    (draft) => on(anyOf(draft), { netscapeType: draft.random.pick([[0], [1], [0, 1], [5], [1, 5], [2]]) }),
  ],
  [
    1,
    'authority of a Netscape type only',
    (draft) =>
      onAuthority(draft, {
        netscapeType: draft.random.pick([[5], [1], [6]]),
        basicConstraints: undefined,
        keyUsage: undefined,
      }),
  ],
  [2, 'version 1', (draft) => on(anyOf(draft), { version: 1 })],
  [
    1,
    'version 1 with extensions',
    (draft) => on(anyOf(draft), { version: 1, raw: [{ oid: UNKNOWN_OID, value: nothing() }] }),
  ],
  [1, 'version 1 root', (draft) => on(rootOf(draft), { version: 1 })],
  [1, 'version 2', (draft) => on(anyOf(draft), { version: 2 })],
]

/** Extensions OpenSSL reads in the first place: broken, they make a certificate unfit for anything. */
const READ = [
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.netscapeType,
  OID.altNames,
  OID.nameConstraints,
  OID.subjectKeyId,
  OID.authorityKeyId,
  OID.distributionPoints,
  OID.policies,
]

const CRITICAL: readonly RawExtension[] = [
  { oid: UNKNOWN_OID, critical: true, value: nothing() },
  { oid: OID.policyConstraints, critical: true, value: sequence(Buffer.from([0x80, 1, 0])) },
  { oid: OID.inhibitAnyPolicy, critical: true, value: integer(0) },
  { oid: OID.policies, critical: true, value: sequence(sequence(objectIdentifier('1.3.6.1.4.1.55555.7'))) },
  { oid: OID.subjectKeyId, critical: true, value: octetString(Buffer.from('key')) },
  { oid: OID.issuerAltNames, critical: true, value: sequence(Buffer.from([0x82, 1, 0x61])) },
  { oid: OID.proxy, critical: true, value: sequence(sequence(objectIdentifier('1.3.6.1.5.5.7.21.1'))) },
  { oid: OID.extendedKeyUsage, critical: true, value: sequence(objectIdentifier(SERVER_AUTH)) },
  { oid: '1.3.6.1.5.5.7.48.1.5', critical: true, value: nothing() },
  { oid: '1.3.6.1.5.5.7.1.1', critical: true, value: sequence() },
]

export const EXTENSION_TWISTS: readonly Twist[] = [
  [3, 'critical extension', (draft) => addRaw(anyOf(draft), draft.random.pick(CRITICAL))],
  [1, 'unknown extension', (draft) => addRaw(anyOf(draft), { oid: UNKNOWN_OID, value: utf8('x') })],
  [
    2,
    'unreadable extension',
    (draft) => {
      const plan = anyOf(draft)
      const oid = draft.random.pick(READ)
      leaveOut(plan, oid)
      return addRaw(plan, {
        oid,
        value: draft.random.pick([nothing(), Buffer.from('ff', 'hex'), sequence(nothing()), Buffer.alloc(0)]),
      })
    },
  ],
  [
    2,
    'the same extension twice',
    (draft) => {
      const twice = draft.random.pick([
        { oid: OID.basicConstraints, value: sequence(boolean(true)) },
        { oid: OID.keyUsage, value: Buffer.from('030205a0', 'hex') },
        { oid: OID.extendedKeyUsage, value: sequence(objectIdentifier(SERVER_AUTH)) },
        { oid: OID.altNames, value: sequence(Buffer.from([0x82, 1, 0x61])) },
        { oid: OID.subjectKeyId, value: octetString(Buffer.from('key')) },
        { oid: OID.authorityKeyId, value: sequence() },
        { oid: UNKNOWN_OID, value: nothing() },
      ])
      const plan = anyOf(draft)
      return addRaw(plan, twice) && addRaw(plan, twice)
    },
  ],
]

function addRaw(plan: { raw: RawExtension[] }, extension: RawExtension): true {
  plan.raw.push(extension)
  return true
}

function leaveOut(plan: Parameters<typeof on>[0], oid: string): void {
  if (oid === OID.basicConstraints) plan.basicConstraints = undefined
  if (oid === OID.keyUsage) plan.keyUsage = undefined
  if (oid === OID.extendedKeyUsage) plan.extendedKeyUsage = undefined
  if (oid === OID.altNames) plan.altNames = undefined
  if (oid === OID.subjectKeyId) plan.subjectKeyId = 'none'
  if (oid === OID.authorityKeyId) plan.authorityKeyId = 'none'
}
