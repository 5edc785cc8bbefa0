/** An authority as it can be shown without its passphrase. */

import { touching } from '../base/file-failure.js'
import { type CertificateSummary, describeCertificate } from '../x509/index.js'
import { authorityFolder } from './folder.js'
import { type IssuedCertificate, readIndex } from './index-file.js'
import { readAuthorityCertificate } from './keys.js'

export interface AuthorityCertificate extends CertificateSummary {
  readonly file: string
}

export interface AuthorityReport {
  readonly folder: string
  readonly name: string
  readonly root: AuthorityCertificate
  /** Null where the root signs servers' certificates itself. */
  readonly intermediate: AuthorityCertificate | null
  readonly issued: readonly IssuedCertificate[]
}

/** @throws AUTHORITY_MISSING, AUTHORITY_INDEX_DAMAGED, AUTHORITY_DAMAGED. */
export async function reportAuthority(folder: string): Promise<AuthorityReport> {
  const place = authorityFolder(folder)
  return touching(folder, async () => {
    const { name, issuer, issued } = await readIndex(place)
    const root = describeCertificate(await readAuthorityCertificate(place, 'root'))
    const intermediate =
      issuer === 'intermediate' ? describeCertificate(await readAuthorityCertificate(place, issuer)) : undefined
    return {
      folder,
      name,
      root: { ...root, file: place.rootCertificate },
      intermediate: intermediate ? { ...intermediate, file: place.intermediateCertificate } : null,
      issued,
    }
  })
}
