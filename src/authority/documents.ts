/** The `--json` documents of `wlb ca`. Field names are a contract with scripts. */
import { describeCertificate } from '../x509/index.js'
import type { Revoked, Signed } from './acts.js'
import { type AuthorityReport, authorityFolder, type IssuedCertificate } from './folder.js'

/** `wlb ca sign`. */
export function signedDocument(folder: string, { issued, plan, file }: Signed) {
  const { certificate, ...facts } = issued
  const { rootCertificate, intermediateCertificate } = authorityFolder(folder)
  const isRoot = describeCertificate(plan.issuer).selfSigned
  return {
    ...facts,
    issuer: describeCertificate(plan.issuer).subject,
    refused: plan.names.refused,
    addedFromCommonName: plan.names.addedFromCommonName,
    ignoredExtensions: plan.ignoredExtensions,
    shortened: plan.shortened,
    files: { signed: file, intermediate: isRoot ? null : intermediateCertificate, root: rootCertificate },
    certificate,
  }
}

/** `wlb ca revoke`. */
export function revokedDocument({ issued, already, crl }: Revoked) {
  const { serialNumber, subject, names, revoked } = issued
  return { serialNumber, subject, names, already, revokedAt: revoked?.at, reason: revoked?.reason, crl }
}

/** `wlb ca list`. */
export function authorityDocument(report: AuthorityReport, now: Date) {
  return { ...report, issued: report.issued.map((one) => ({ ...one, state: stateOf(one, now) })) }
}

export function stateOf({ revoked, notAfter }: IssuedCertificate, now: Date): 'revoked' | 'expired' | 'valid' {
  if (revoked) return 'revoked'
  return new Date(notAfter) < now ? 'expired' : 'valid'
}
