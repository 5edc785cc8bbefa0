/** Certificates and CRLs from their plans (RFC 5280, 4.1 and 5.1). */
import { bitString, integer, sequence, time, wrapped } from './der-writer.js'
import {
  certificateExtensions,
  crlExtensions,
  type IssuerOf,
  keyIdentifier,
  OID,
  reasonExtension,
  writeExtension,
} from './extension-writer.js'
import type { KeyPool } from './key-pool.js'
import { writeName } from './name-writer.js'
import type { CertificatePlan, CrlPlan, Moment, RawExtension } from './plan.js'
import { signatureAlgorithm, signBytes } from './signature-writer.js'

export interface Writer {
  certificate(plan: CertificatePlan): Buffer
  crl(plan: CrlPlan): Buffer
}

/** `now` is what the moments of a plan count from. */
export function createWriter(keys: KeyPool, now: Date): Writer {
  const moment = ({ seconds, form }: Moment) => time(new Date(now.getTime() + seconds * 1000), form)
  const made = new Map<CertificatePlan, Buffer>()
  return {
    certificate: (plan) => {
      const bytes = made.get(plan) ?? writeCertificate(plan, keys, moment)
      made.set(plan, bytes) // one plan, one certificate: an ECDSA signature is another one each time
      return bytes
    },
    crl: (plan) => writeCrl(plan, keys, moment),
  }
}

type WriteMoment = (moment: Moment) => Buffer

function writeCertificate(plan: CertificatePlan, key: KeyPool, moment: WriteMoment): Buffer {
  const issuer = plan.issuer ?? plan
  const signer = key(plan.signedWith ?? issuer.key)
  const { spki } = key(plan.key)
  const extensions = certificateExtensions(plan, keyIdentifier(spki), issuerOf(issuer, key))
  const signedPart = (serial: number) =>
    sequence(
      ...(plan.version === 1 ? [] : [wrapped(0, integer(plan.version - 1))]),
      integer(serial),
      signatureAlgorithm(signer, plan.innerSignature ?? plan.signature),
      writeName(plan.issuerName ?? issuer.subject),
      sequence(moment(plan.notBefore), moment(plan.notAfter)),
      writeName(plan.subject),
      spki,
      ...writeExtensions(3, plan.version === 1 ? plan.raw : extensions),
    )
  const original = signedPart(plan.tampered === 'signed part' ? plan.serial + 1 : plan.serial)
  const signature = signBytes(original, signer, plan.signature)
  const last = signature.length - 5
  if (plan.tampered === 'signature') signature[last] = (signature[last] ?? 0) ^ 1
  return sequence(signedPart(plan.serial), signatureAlgorithm(signer, plan.signature), bitString(signature))
}

/** A version 1 certificate has none, unless a twist insists. */
function writeExtensions(number: number, extensions: readonly RawExtension[]): Buffer[] {
  return extensions.length === 0 ? [] : [wrapped(number, sequence(...extensions.map(writeExtension)))]
}

function issuerOf(issuer: CertificatePlan, key: KeyPool): IssuerOf {
  return {
    keyId: keyIdentifier(key(issuer.key).spki),
    issuerName: writeName(issuer.issuerName ?? (issuer.issuer ?? issuer).subject),
    serial: issuer.serial,
  }
}

function writeCrl(plan: CrlPlan, key: KeyPool, moment: WriteMoment): Buffer {
  const signer = key(plan.signedWith ?? plan.issuer.key)
  const extensions = crlExtensions(plan, issuerOf(plan.issuer, key))
  const entries = plan.revoked.map(({ certificate, reason, otherIssuer }) => {
    const about = [
      ...(reason === undefined ? [] : [reasonExtension(reason)]),
      ...(otherIssuer
        ? [{ oid: OID.certificateIssuer, critical: true, value: sequence(wrapped(4, writeName(otherIssuer))) }]
        : []),
      ...plan.entryRaw,
    ]
    return sequence(
      integer(certificate.serial),
      moment({ seconds: -1000, form: 'utc' }),
      ...(about.length > 0 ? [sequence(...about.map(writeExtension))] : []),
    )
  })
  const parts = [
    integer(1),
    signatureAlgorithm(signer, plan.signature),
    writeName(plan.issuerName ?? plan.issuer.subject),
    moment(plan.thisUpdate),
    ...(plan.nextUpdate ? [moment(plan.nextUpdate)] : []),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    ...writeExtensions(0, extensions),
  ]
  const signed = sequence(...parts)
  return sequence(
    signed,
    signatureAlgorithm(signer, plan.signature),
    bitString(signBytes(signed, signer, plan.signature)),
  )
}
