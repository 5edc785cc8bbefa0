/** What a certificate or a CRL is to be, before it is written: twists change plans, the writers make bytes of them. */
import type { TimeForm } from './der-writer.js'
import type { DistinguishedName, GeneralName } from './name-writer.js'
import type { SignatureKind } from './signature-writer.js'

export interface Moment {
  /** Seconds from the time the set is made. */
  readonly seconds: number
  readonly form: TimeForm
}

export interface RawExtension {
  readonly oid: string
  readonly critical?: boolean
  readonly value: Buffer
}

export interface Subtree {
  readonly base: GeneralName
  readonly minimum?: number
  readonly maximum?: number
}

export interface CertificatePlan {
  /** What the set's description calls it. */
  readonly label: string
  serial: number
  version: 1 | 2 | 3
  subject: DistinguishedName
  /** Whose name and key are used; undefined where it signs itself. */
  issuer: CertificatePlan | undefined
  /** Instead of the issuer's own spelling. */
  issuerName?: DistinguishedName
  key: string
  /** Instead of the issuer's key. */
  signedWith?: string
  signature: SignatureKind
  /** The algorithm inside the signed part, where it is another one. */
  innerSignature?: SignatureKind
  notBefore: Moment
  notAfter: Moment
  basicConstraints?: { readonly ca: boolean; readonly pathLength?: number; readonly critical?: boolean } | undefined
  keyUsage?: readonly number[] | undefined
  extendedKeyUsage?: { readonly oids: readonly string[]; readonly critical?: boolean } | undefined
  netscapeType?: readonly number[]
  subjectKeyId: 'own' | 'other' | 'none'
  authorityKeyId: 'match' | 'mismatch' | 'none'
  /** Issuer and serial number inside the authority key identifier. */
  authorityKeySerial?: 'match' | 'mismatch'
  altNames?: readonly GeneralName[] | undefined
  altNamesCritical?: boolean
  nameConstraints?: { readonly permitted?: readonly Subtree[]; readonly excluded?: readonly Subtree[] }
  distributionPoint?: DistributionPoint
  /** Written as they are, after the others. */
  raw: RawExtension[]
  /** A bit of the signature or of the signed part is turned over. */
  tampered?: 'signature' | 'signed part'
}

export interface DistributionPoint {
  readonly fullName?: readonly GeneralName[]
  /** Reason flags by number; 1 is keyCompromise. */
  readonly reasons?: readonly number[]
  readonly crlIssuer?: DistinguishedName
}

export interface CrlPlan {
  readonly label: string
  issuer: CertificatePlan
  issuerName?: DistinguishedName
  signedWith?: string
  signature: SignatureKind
  thisUpdate: Moment
  nextUpdate: Moment | undefined
  revoked: {
    readonly certificate: CertificatePlan
    readonly reason?: number
    readonly otherIssuer?: DistinguishedName
  }[]
  authorityKeyId: 'match' | 'mismatch' | 'none'
  crlNumber?: number
  deltaOf?: number
  scope?: {
    readonly point?: DistributionPoint
    readonly only?: 'user' | 'authority' | 'attribute'
    readonly indirect?: boolean
    readonly reasons?: readonly number[]
  }
  raw: RawExtension[]
  entryRaw: RawExtension[]
  /** How it lies in the folder. */
  file: 'pem' | 'der' | 'junk before' | 'CRLF' | 'byte order mark' | 'blank line' | 'in the bundle'
}

export const DAY = 86_400
export const inDays = (days: number): Moment => ({ seconds: days * DAY, form: 'utc' })
