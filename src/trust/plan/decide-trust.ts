/**
 * Decides which certificates may be installed, and who vouches for them: a file, a fingerprint, the appliance asked over
 * another channel, or a person. A certificate that was only seen on the network is never trusted by itself; what the pool has
 * installed already needs no voucher.
 */
import type { X509Certificate } from 'node:crypto'
import { isSelfSigned } from '../../x509/index.js'
import type { Connection } from '../connection/connection.js'
import { indexByFingerprint } from '../connection/observe.js'
import { knownAnchors, servedBy } from '../connection/predict.js'
import { fail } from '../errors.js'
import type { Material } from './material.js'

export type GoalKind = 'self-signed' | 'ca'

export interface Vouchers {
  readonly goal: GoalKind
  readonly given: Material
  /** Certificates in the file of an appliance on this machine; empty where there is none. */
  readonly local: readonly X509Certificate[]
  /** Of the self-signed certificate, or of the root, as the operator knows it. */
  readonly fingerprintSha256: string | undefined
  /** SHA-256 of its certificate, as the appliance states it locally or over SSH. */
  readonly statedFingerprint: string | undefined
}

export type Decision =
  | {
      readonly kind: 'trusted'
      readonly by: 'files' | 'fingerprint' | 'pool' | 'appliance' | 'person' | 'journal'
      /** Whatever of these the way up from the leaf needs may be installed. */
      readonly candidates: readonly X509Certificate[]
      /** SHA-256 of the certificate, as the appliance states it over another channel. */
      readonly stated?: string
    }
  /** Without a voucher a person compares the fingerprint seen with the one the appliance shows. */
  | { readonly kind: 'question'; readonly leaf: X509Certificate; readonly seen: string }

export type Trusted = Extract<Decision, { readonly kind: 'trusted' }>

/**
 * @throws APPLIANCE_NOT_SEEN, GOAL_IS_ANOTHER, SERVED_CERTIFICATE_DIFFERS, FINGERPRINT_DIFFERS, APPLIANCE_STATES_ANOTHER,
 * ROOT_NEEDED.
 */
export function decideTrust(connection: Connection, vouchers: Vouchers): Decision {
  const served = servedBy(connection.appliance)
  const [leaf] = served
  if (!leaf) throw fail('APPLIANCE_NOT_SEEN', notSeen(connection))
  if (isSelfSigned(leaf) !== (vouchers.goal === 'self-signed'))
    throw fail('GOAL_IS_ANOTHER', { subject: onOneLine(leaf.subject), issuer: onOneLine(leaf.issuer) })
  return vouchers.goal === 'self-signed'
    ? decideSelfSigned(connection, leaf, vouchers)
    : decideAuthority(connection, served, leaf, vouchers)
}

function decideSelfSigned(connection: Connection, leaf: X509Certificate, vouchers: Vouchers): Decision {
  const { given, fingerprintSha256, statedFingerprint } = vouchers
  const seen = leaf.fingerprint256
  const trusted = (by: 'files' | 'fingerprint' | 'pool' | 'appliance') =>
    ({ kind: 'trusted', by, candidates: [leaf] }) as const
  if (fingerprintSha256 !== undefined && fingerprintSha256 !== seen)
    throw fail('FINGERPRINT_DIFFERS', { given: fingerprintSha256, seen })
  if (given.certificates.length > 0) {
    if (!given.certificates.some(({ certificate }) => certificate.fingerprint256 === seen))
      throw servedDiffers(given, seen)
    return trusted('files')
  }
  if (fingerprintSha256 !== undefined) return trusted('fingerprint')
  if (connection.installed.some((one) => one.fingerprintSha256 === seen)) return trusted('pool')
  if (statedFingerprint === undefined) return { kind: 'question', leaf, seen }
  if (statedFingerprint !== seen) throw fail('APPLIANCE_STATES_ANOTHER', { stated: statedFingerprint, seen })
  return { ...trusted('appliance'), stated: statedFingerprint }
}

function decideAuthority(
  connection: Connection,
  served: readonly X509Certificate[],
  leaf: X509Certificate,
  { given, local, fingerprintSha256 }: Vouchers,
): Decision {
  const handed = given.certificates.map(({ certificate }) => certificate)
  const isLeaf = (certificate: X509Certificate) => !certificate.ca && !isSelfSigned(certificate)
  const handedLeaves = handed.filter(isLeaf)
  if (handedLeaves.length > 0 && !handedLeaves.some((one) => one.fingerprint256 === leaf.fingerprint256)) {
    throw servedDiffers(given, leaf.fingerprint256)
  }
  const named = [...handed, ...served].filter((one) => one.fingerprint256 === fingerprintSha256 && isSelfSigned(one))
  if (fingerprintSha256 !== undefined && named.length === 0) {
    const roots = [...handed, ...served].filter(isSelfSigned).map((one) => one.fingerprint256)
    throw fail('FINGERPRINT_DIFFERS', { given: fingerprintSha256, seen: roots.join(' ') || 'no root at all' })
  }
  const isHere = local.some((one) => one.fingerprint256 === leaf.fingerprint256)
  const candidates = [
    ...indexByFingerprint([...handed, ...named, ...(isHere ? local : []), ...knownAnchors(connection)]).values(),
  ]
  if (!candidates.some(isSelfSigned)) throw fail('ROOT_NEEDED', { root: describeIssuer(served.at(-1)) })
  const by = handed.length > 0 ? 'files' : named.length > 0 ? 'fingerprint' : isHere ? 'appliance' : 'pool'
  return { kind: 'trusted', by, candidates }
}

function notSeen({ appliance: { host, port, endpoint } }: Connection) {
  return { appliance: `${host}:${port}`, why: endpoint.state === 'unreachable' ? endpoint.why : endpoint.state }
}

function servedDiffers({ certificates }: Material, served: string) {
  const files = certificates.map(({ certificate, place }) => `${place} ${certificate.fingerprint256}`).join('; ')
  return fail('SERVED_CERTIFICATE_DIFFERS', { files, served })
}

function onOneLine(name: string): string {
  return name.replaceAll('\n', ', ')
}

function describeIssuer(certificate: X509Certificate | undefined): string {
  return (certificate?.issuer ?? '').split('\n').reverse().join(', ')
}
