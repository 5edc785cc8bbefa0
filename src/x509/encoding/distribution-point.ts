/** Where revocation lists are said to be (RFC 5280, 4.2.1.13 and 5.2.5), which decides whether a list is about a certificate. */
import { type DerElement, readElements, readFields, TAG } from './der.js'
import { isSameName } from './distinguished-name.js'
import { type GeneralName, isSameGeneralName, readGeneralNames } from './general-name.js'

/** Bits of ReasonFlags, all of them: what a list without a limit covers. */
export const ALL_REASONS = 0x807f

export type PointName =
  | { readonly kind: 'full'; readonly names: readonly GeneralName[] }
  /** Relative to the issuer; compared by its bytes, which is right where both sides have the same issuer. */
  | { readonly kind: 'relative'; readonly bytes: Buffer }

export interface DistributionPoint {
  readonly point?: PointName
  readonly reasons: number
  readonly crlIssuer?: readonly GeneralName[]
}

/** CRLDistributionPoints ::= SEQUENCE OF DistributionPoint. */
export function readDistributionPoints({ tag, content }: DerElement): DistributionPoint[] | undefined {
  const points = tag === TAG.sequence ? readElements(content)?.map(readPoint) : undefined
  return points?.every((point) => point !== undefined) ? points : undefined
}

function readPoint({ tag, content }: DerElement): DistributionPoint | undefined {
  const fields = tag === TAG.sequence ? readFields(content, [0xa0, 0x81, 0xa2]) : undefined
  if (!fields) return undefined
  const place = fields.get(0xa0)
  const reasons = fields.get(0x81)
  const issuers = fields.get(0xa2)
  const point = place && readPointName(place.content)
  const crlIssuer = issuers && readGeneralNames(issuers.content)
  if ((place && !point) || (issuers && !crlIssuer)) return undefined
  if (!place && !crlIssuer?.length) return undefined // setup_dp: a point that says nothing
  return {
    ...(point && { point }),
    reasons: reasons ? readReasons(reasons.content) : ALL_REASONS,
    ...(crlIssuer && { crlIssuer }),
  }
}

/** DistributionPointName ::= CHOICE { fullName [0], nameRelativeToCRLIssuer [1] }. */
export function readPointName(content: Buffer): PointName | undefined {
  const [choice] = readElements(content) ?? []
  if (choice?.tag === 0xa1) return { kind: 'relative', bytes: choice.content }
  const names = choice?.tag === 0xa0 ? readGeneralNames(choice.content) : undefined
  return names && { kind: 'full', names }
}

/** The content of a BIT STRING. */
export function readReasons(content: Buffer): number {
  return ((content[1] ?? 0) | ((content[2] ?? 0) << 8)) & ALL_REASONS
}

/** Tells whether two points can be the same one; a point without a name can be any. */
export function overlaps(a: PointName | undefined, b: PointName | undefined): boolean {
  if (!a || !b) return true
  if (a.kind === 'relative' || b.kind === 'relative') return a.kind === b.kind && isSameRelative(a, b)
  return a.names.some((one) => b.names.some((other) => isSameGeneralName(one, other) || isSameDirectory(one, other)))
}

function isSameRelative(a: PointName, b: PointName): boolean {
  return a.kind === 'relative' && b.kind === 'relative' && a.bytes.equals(b.bytes)
}

function isSameDirectory(a: GeneralName, b: GeneralName): boolean {
  return a.kind === 'directory' && b.kind === 'directory' && isSameName(a.name, b.name)
}
