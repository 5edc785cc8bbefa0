/**
 * What may be installed, and on whose word. What comes over the wire is never taken blindly: a file, a fingerprint, the
 * appliance itself asked another way, or a person vouches for it; what the pool has installed already needs nobody.
 */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { isSelfSigned } from '../../x509/index.js'
import type { Connection } from '../connection/connection.js'
import { indexByFingerprint } from '../connection/observe.js'
import { knownAnchors, servedBy } from '../connection/predict.js'
import type { Material } from './material.js'

export type GoalKind = 'self-signed' | 'ca'

export interface Vouchers {
  readonly goal: GoalKind
  readonly given: Material
  /** Certificates in the file of an appliance on this machine; empty where there is none. */
  readonly local: readonly X509Certificate[]
  /** Of the self-signed certificate, or of the root, as the operator knows it. */
  readonly fingerprintSha256: string | undefined
  /** Of its certificate, as the appliance says itself when it is asked locally or over SSH. */
  readonly statedFingerprint: string | undefined
}

export type Decision =
  | {
      readonly kind: 'trusted'
      readonly by: 'files' | 'fingerprint' | 'pool' | 'appliance' | 'person' | 'journal'
      /** Whatever of these the way up from the leaf needs may be installed. */
      readonly candidates: readonly X509Certificate[]
      /** SHA-256 of the certificate, as the appliance says it over another way than the one it is seen by. */
      readonly stated?: string
    }
  /** Nobody has vouched yet: a person compares what is seen with what the appliance shows. */
  | { readonly kind: 'question'; readonly leaf: X509Certificate; readonly seen: string }

export type Trusted = Extract<Decision, { readonly kind: 'trusted' }>

/**
 * @throws APPLIANCE_NOT_SEEN, GOAL_IS_ANOTHER, SERVED_CERTIFICATE_DIFFERS, FINGERPRINT_DIFFERS, APPLIANCE_STATES_ANOTHER,
 * ROOT_NEEDED.
 */
export function decideTrust(connection: Connection, vouchers: Vouchers): Decision {
  const served = servedBy(connection.appliance)
  const [leaf] = served
  if (!leaf) throw applianceNotSeen(connection)
  if (isSelfSigned(leaf) !== (vouchers.goal === 'self-signed')) throw goalIsAnother(vouchers.goal, leaf)
  return vouchers.goal === 'self-signed'
    ? decideSelfSigned(connection, leaf, vouchers)
    : decideAuthority(connection, served, leaf, vouchers)
}

function decideSelfSigned(connection: Connection, leaf: X509Certificate, vouchers: Vouchers): Decision {
  const { given, fingerprintSha256, statedFingerprint } = vouchers
  const seen = leaf.fingerprint256
  const trusted = (by: 'files' | 'fingerprint' | 'pool' | 'appliance') =>
    ({ kind: 'trusted', by, candidates: [leaf] }) as const
  if (fingerprintSha256 !== undefined && fingerprintSha256 !== seen) throw fingerprintDiffers(fingerprintSha256, seen)
  if (given.certificates.length > 0) {
    if (!given.certificates.some(({ certificate }) => certificate.fingerprint256 === seen))
      throw servedDiffers(given, seen)
    return trusted('files')
  }
  if (fingerprintSha256 !== undefined) return trusted('fingerprint')
  if (connection.installed.some((one) => one.fingerprintSha256 === seen)) return trusted('pool')
  if (statedFingerprint === undefined) return { kind: 'question', leaf, seen }
  if (statedFingerprint !== seen) throw statesAnother(statedFingerprint, seen)
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
    throw fingerprintDiffers(fingerprintSha256, roots.join(' ') || 'no root at all')
  }
  const isHere = local.some((one) => one.fingerprint256 === leaf.fingerprint256)
  const candidates = [
    ...indexByFingerprint([...handed, ...named, ...(isHere ? local : []), ...knownAnchors(connection)]).values(),
  ]
  if (!candidates.some(isSelfSigned)) throw rootNeeded(served)
  const by = handed.length > 0 ? 'files' : named.length > 0 ? 'fingerprint' : isHere ? 'appliance' : 'pool'
  return { kind: 'trusted', by, candidates }
}

function applianceNotSeen({ appliance }: Connection): WlbError {
  const { host, port, endpoint } = appliance
  const why = endpoint.state === 'unreachable' ? endpoint.why : endpoint.state
  return new WlbError(
    'APPLIANCE_NOT_SEEN',
    'The appliance shows no certificate here, so nothing can be said of it.',
    { appliance: `${host}:${port}`, why },
    `wlb cert check --connect ${host}:${port}`,
  )
}

function goalIsAnother(goal: GoalKind, { subject, issuer }: X509Certificate): WlbError {
  const isSelf = goal === 'ca'
  return new WlbError(
    'GOAL_IS_ANOTHER',
    isSelf
      ? 'The appliance serves a self-signed certificate, not one of an authority.'
      : 'The appliance serves a certificate of an authority, not a self-signed one.',
    { subject: subject.replaceAll('\n', ', '), issuer: issuer.replaceAll('\n', ', ') },
    `wlb trust plan --goal ${isSelf ? 'self-signed' : 'ca'}`,
  )
}

function servedDiffers({ certificates }: Material, served: string): WlbError {
  return new WlbError(
    'SERVED_CERTIFICATE_DIFFERS',
    'The appliance serves another certificate than the one in the files: it was replaced, or not yet taken into service.',
    {
      files: certificates.map(({ certificate, place }) => `${place} ${certificate.fingerprint256}`).join('; '),
      served,
    },
    'wlb cert show',
  )
}

function fingerprintDiffers(given: string, seen: string): WlbError {
  return new WlbError(
    'FINGERPRINT_DIFFERS',
    'The certificate has another fingerprint than the one given; nothing was installed.',
    { given, seen },
    'wlb cert show',
  )
}

function statesAnother(stated: string, seen: string): WlbError {
  return new WlbError(
    'APPLIANCE_STATES_ANOTHER',
    'The appliance says of itself that it has another certificate than the one seen from here: somebody may stand between.',
    { stated, seen },
    'wlb cert show',
  )
}

function rootNeeded(served: readonly X509Certificate[]): WlbError {
  const issuer = (served.at(-1)?.issuer ?? '').split('\n').reverse().join(', ')
  return new WlbError(
    'ROOT_NEEDED',
    'The root certificate of the authority is needed, as a file or by its fingerprint: what the appliance sends is not taken on trust.',
    { root: issuer },
    'wlb trust plan --goal ca root_ca.pem',
  )
}
