/** Where revocation lists are found (RFC 5280, 4.2.1.13 and 5.2.5), as OpenSSL 3.0 reads and compares the places (v3_crld.c). */
import {
  type Bits,
  bitString,
  choice,
  decode,
  explicit,
  implicit,
  map,
  sequence,
  sequenceOf,
} from '../encoding/asn1-types.js'
import { type DistinguishedName, extendName, isSameName, relativeName } from '../encoding/distinguished-name.js'
import { type GeneralName, generalNames, isSameGeneralName } from '../encoding/general-name.js'

/** Bits of ReasonFlags, all of them: what a list without a limit covers. */
export const ALL_REASONS = 0x807f

export type PointName =
  | { readonly kind: 'full'; readonly names: readonly GeneralName[] }
  /** Relative to the issuer; undefined where a string in it is none. */
  | { readonly kind: 'relative'; readonly name: DistinguishedName | undefined }

/** Before it is known what a relative name is relative to. */
export type PointNameFrom = (issuer: DistinguishedName) => PointName

export interface DistributionPoint {
  readonly point?: PointName
  readonly reasons: number
  readonly crlIssuer?: readonly GeneralName[]
}

/** DistributionPointName ::= CHOICE { fullName [0], nameRelativeToCRLIssuer [1] }. */
export const pointName = choice<PointNameFrom>(
  map(implicit(0, generalNames), (names) => () => ({ kind: 'full', names })),
  map(implicit(1, relativeName), (entries) => (issuer) => ({ kind: 'relative', name: extendName(issuer, entries) })),
)

const pointType = explicit(0, pointName)
const reasonsType = implicit(1, bitString)
const crlIssuerType = implicit(2, generalNames)
const points = sequenceOf(
  sequence(({ optional }) => ({
    point: optional(pointType),
    reasons: optional(reasonsType),
    crlIssuer: optional(crlIssuerType),
  })),
)

/** Reads CRLDistributionPoints of a certificate; undefined when it cannot be read, or one of them says nothing (setup_dp). */
export function readDistributionPoints(value: Buffer, issuer: DistinguishedName): DistributionPoint[] | undefined {
  const given = decode(points, value)
  if (!given || given.some(({ point, crlIssuer }) => !point && !crlIssuer?.length)) return undefined
  return given.map(({ point, reasons, crlIssuer }) => {
    const directory = crlIssuer?.find((name) => name.kind === 'directory')
    const base = directory?.kind === 'directory' ? directory.name : issuer
    return { point: point?.(base), reasons: readReasons(reasons), crlIssuer }
  })
}

/** Reasons by bit, first byte lowest; all of them where none are given. */
export function readReasons(bits: Bits | undefined): number {
  if (!bits) return ALL_REASONS
  const [first = 0, second = 0] = bits.bytes
  return (first | (second << 8)) & ALL_REASONS
}

/** Tells whether two points can be the same one (idp_check_dp); a point without a name can be any. */
export function overlaps(a: PointName | undefined, b: PointName | undefined): boolean {
  if (!a || !b) return true
  if (a.kind === 'full' && b.kind === 'full') {
    return a.names.some((one) => b.names.some((other) => isSameGeneralName(one, other)))
  }
  const [one, other] = [listNames(a), listNames(b)]
  return one.some((name) => other.some((another) => isSameName(name, another)))
}

function listNames(point: PointName): readonly DistinguishedName[] {
  if (point.kind === 'relative') return point.name ? [point.name] : []
  return point.names.flatMap((name) => (name.kind === 'directory' ? [name.name] : []))
}
