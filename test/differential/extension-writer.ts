/** The extensions of certificates and CRLs (RFC 5280, 4.2 and 5.2) from a plan. */
import { createHash } from 'node:crypto'
import {
  boolean,
  enumerated,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  tagged,
  wrapped,
} from './der-writer.js'
import { writeGeneralName, writeName } from './name-writer.js'
import type { CertificatePlan, CrlPlan, DistributionPoint, RawExtension, Subtree } from './plan.js'

export const OID = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  altNames: '2.5.29.17',
  issuerAltNames: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reason: '2.5.29.21',
  deltaIndicator: '2.5.29.27',
  issuingPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  nameConstraints: '2.5.29.30',
  distributionPoints: '2.5.29.31',
  policies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyId: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
  proxy: '1.3.6.1.5.5.7.1.14',
  netscapeType: '2.16.840.1.113730.1.1',
} as const

export function writeExtension({ oid, critical, value }: RawExtension): Buffer {
  return sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value))
}

/** What OpenSSL writes by default: the digest of the key's bits. */
export function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha1').update(spki).digest()
}

export interface IssuerOf {
  readonly keyId: Buffer
  /** The issuer's own issuer and serial, as an authority key identifier may give them. */
  readonly issuerName: Buffer
  readonly serial: number
}

export function certificateExtensions(plan: CertificatePlan, ownKeyId: Buffer, issuer: IssuerOf): RawExtension[] {
  const { basicConstraints, keyUsage, extendedKeyUsage, netscapeType, altNames, nameConstraints } = plan
  const extensions: RawExtension[] = []
  const add = (oid: string, critical: boolean | undefined, value: Buffer) =>
    extensions.push({ oid, critical: critical ?? false, value })
  if (basicConstraints) {
    const { ca, pathLength, critical } = basicConstraints
    const parts = [...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])]
    add(OID.basicConstraints, critical, sequence(...parts))
  }
  if (keyUsage) add(OID.keyUsage, true, namedBits(keyUsage))
  if (extendedKeyUsage) {
    add(OID.extendedKeyUsage, extendedKeyUsage.critical, sequence(...extendedKeyUsage.oids.map(objectIdentifier)))
  }
  if (netscapeType) add(OID.netscapeType, false, namedBits(netscapeType))
  if (plan.subjectKeyId !== 'none') {
    add(OID.subjectKeyId, false, octetString(plan.subjectKeyId === 'own' ? ownKeyId : otherKeyId(ownKeyId)))
  }
  const authority = authorityKeyId(plan.authorityKeyId, plan.authorityKeySerial, issuer)
  if (authority) add(OID.authorityKeyId, false, authority)
  if (altNames) add(OID.altNames, plan.altNamesCritical, sequence(...altNames.map(writeGeneralName)))
  if (nameConstraints) {
    const { permitted, excluded } = nameConstraints
    const subtrees = (number: number, trees: readonly Subtree[] | undefined) =>
      trees ? [wrapped(number, ...trees.map(writeSubtree))] : []
    add(OID.nameConstraints, true, sequence(...subtrees(0, permitted), ...subtrees(1, excluded)))
  }
  if (plan.distributionPoint) add(OID.distributionPoints, false, sequence(writePoint(plan.distributionPoint)))
  return [...extensions, ...plan.raw]
}

export function crlExtensions(plan: CrlPlan, issuer: IssuerOf): RawExtension[] {
  const { crlNumber, deltaOf, scope } = plan
  const extensions: RawExtension[] = []
  const authority = authorityKeyId(plan.authorityKeyId, undefined, issuer)
  if (authority) extensions.push({ oid: OID.authorityKeyId, value: authority })
  if (crlNumber !== undefined) extensions.push({ oid: OID.crlNumber, value: integer(crlNumber) })
  if (deltaOf !== undefined) extensions.push({ oid: OID.deltaIndicator, critical: true, value: integer(deltaOf) })
  if (scope) {
    const yes = (number: number, said: boolean | undefined) => (said ? [tagged(number, Buffer.from([0xff]))] : [])
    const value = sequence(
      ...(scope.point?.fullName ? [wrapped(0, wrapped(0, ...scope.point.fullName.map(writeGeneralName)))] : []),
      ...yes(1, scope.only === 'user'),
      ...yes(2, scope.only === 'authority'),
      ...(scope.reasons ? [tagged(3, namedBits(scope.reasons).subarray(2))] : []),
      ...yes(4, scope.indirect),
      ...yes(5, scope.only === 'attribute'),
    )
    extensions.push({ oid: OID.issuingPoint, critical: true, value })
  }
  return [...extensions, ...plan.raw]
}

export const reasonExtension = (reason: number): RawExtension => ({ oid: OID.reason, value: enumerated(reason) })

function authorityKeyId(
  keyId: CertificatePlan['authorityKeyId'],
  serial: CertificatePlan['authorityKeySerial'],
  issuer: IssuerOf,
): Buffer | undefined {
  const parts: Buffer[] = []
  if (keyId !== 'none') parts.push(tagged(0, keyId === 'match' ? issuer.keyId : otherKeyId(issuer.keyId)))
  if (serial !== undefined) {
    parts.push(wrapped(1, wrapped(4, issuer.issuerName)))
    parts.push(tagged(2, integer(issuer.serial + (serial === 'match' ? 0 : 1)).subarray(2)))
  }
  return parts.length > 0 ? sequence(...parts) : undefined
}

function otherKeyId(keyId: Buffer): Buffer {
  return Buffer.from(keyId.map((byte) => byte ^ 0x55))
}

function writeSubtree({ base, minimum, maximum }: Subtree): Buffer {
  return sequence(
    writeGeneralName(base),
    ...(minimum === undefined ? [] : [tagged(0, integer(minimum).subarray(2))]),
    ...(maximum === undefined ? [] : [tagged(1, integer(maximum).subarray(2))]),
  )
}

function writePoint({ fullName, reasons, crlIssuer }: DistributionPoint): Buffer {
  return sequence(
    ...(fullName ? [wrapped(0, wrapped(0, ...fullName.map(writeGeneralName)))] : []),
    ...(reasons ? [tagged(1, namedBits(reasons).subarray(2))] : []),
    ...(crlIssuer ? [wrapped(2, wrapped(4, writeName(crlIssuer)))] : []),
  )
}
