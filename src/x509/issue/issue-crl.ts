/** Revocation lists a small authority signs (RFC 5280, 5): version 2, numbered, whole. */

import { encodePem } from '../encoding/pem.js'
import {
  BACKDATE_MS,
  DAY_MS,
  importPublicKey,
  importSigningKey,
  loadLibrary,
  nextSecond,
  SIGNATURE,
} from '../encoding/signing.js'
import type { Signer } from './authority.js'

/** Why a certificate is revoked (RFC 5280, 5.3.1); a hold is not offered, because pools cannot be told of its end in time. */
export const REVOCATION_REASONS = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
] as const
export type RevocationReason = (typeof REVOCATION_REASONS)[number]

export interface CrlOrder {
  readonly issuer: Signer
  readonly revoked: readonly {
    readonly serialNumber: string
    readonly revokedAt: Date
    readonly reason: RevocationReason
  }[]
  /** Greater than that of the list before. */
  readonly number: number
  readonly now: Date
  readonly lifetimeDays: number
}

export interface IssuedCrl {
  /** Labelled `X509 CRL`: OpenSSL knows no other. */
  readonly pem: string
  readonly thisUpdate: Date
  readonly nextUpdate: Date
}

/** Signs a list. It is dated back a day: a host whose clock runs late would refuse every leaf of this issuer. */
export async function issueCrl({ issuer, revoked, number, now, lifetimeDays }: CrlOrder): Promise<IssuedCrl> {
  const x509 = await loadLibrary()
  const thisUpdate = nextSecond(now.getTime() - BACKDATE_MS)
  const nextUpdate = nextSecond(now.getTime() + lifetimeDays * DAY_MS)
  const made = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(issuer.certificate.raw).subjectName,
    thisUpdate,
    nextUpdate,
    entries: revoked.map(({ serialNumber, revokedAt, reason }) => ({
      serialNumber,
      revocationDate: revokedAt,
      ...(reason !== 'unspecified' && { reason: x509.X509CrlReason[reason] }), // RFC 5280 wants it left out then
    })),
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(await importPublicKey(issuer.privateKey)),
      new x509.Extension('2.5.29.20', false, encodeInteger(number)),
    ],
    signingKey: await importSigningKey(issuer.privateKey),
    signingAlgorithm: SIGNATURE,
  })
  return { pem: encodePem('X509 CRL', Buffer.from(made.rawData)), thisUpdate, nextUpdate }
}

/** INTEGER: a leading zero where the first bit would make it negative. */
function encodeInteger(value: number): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16)
  const plain = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  const content = (plain[0] ?? 0) >= 0x80 ? [0, ...plain] : [...plain]
  return new Uint8Array([0x02, content.length, ...content])
}
