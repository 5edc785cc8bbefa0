/** The record a pool keeps of an installed certificate, as the database stores it. */
import { randomUUID, type X509Certificate } from 'node:crypto'
import { describeCertificate } from '../../../x509/index.js'
import { NULL_REF } from '../../database/classes.js'
import type { Rows } from '../../database/records.js'

type Row = Rows[string]

/** The fields that come from the certificate itself. */
export function certificateRow(certificate: X509Certificate): Row {
  const { notBefore, notAfter, fingerprintSha1, fingerprintSha256 } = describeCertificate(certificate)
  return {
    not_before: notBefore.toISOString(),
    not_after: notAfter.toISOString(),
    fingerprint: fingerprintSha256,
    fingerprint_sha256: fingerprintSha256,
    fingerprint_sha1: fingerprintSha1,
  }
}

/** A record of its own under a name. */
export function newRecord(name: string, certificate: X509Certificate): Rows {
  const row = { uuid: randomUUID(), type: 'ca', name, host: NULL_REF, purpose: [], ...certificateRow(certificate) }
  return { [`OpaqueRef:${randomUUID()}`]: row }
}
