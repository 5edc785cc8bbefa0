/** What lies where in a small authority's folder. The names of the certificates are those of the procedure it serves. */
import { join } from 'node:path'
import { WlbError } from '../base/error.js'
import { AUTHORITY_LABEL } from '../x509/index.js'

export const FOLDER_MODE = 0o700
export const SECRET_MODE = 0o600
export const PUBLIC_MODE = 0o644

export interface AuthorityFolder {
  readonly folder: string
  readonly readme: string
  readonly rootCertificate: string
  readonly rootKey: string
  readonly intermediateCertificate: string
  readonly intermediateKey: string
  /** What was issued and revoked; written last when an authority is made, so its presence means that all is there. */
  readonly index: string
  /** The certificate signed last, unless another place is named. */
  readonly signedCertificate: string
  readonly crl: string
  readonly rootCrl: string
}

export function authorityFolder(folder: string): AuthorityFolder {
  return {
    folder,
    readme: join(folder, 'README.txt'),
    rootCertificate: join(folder, 'root_ca.pem'),
    rootKey: join(folder, 'root_ca.key'),
    intermediateCertificate: join(folder, 'intermediate_ca.pem'),
    intermediateKey: join(folder, 'intermediate_ca.key'),
    index: join(folder, 'index.json'),
    signedCertificate: join(folder, 'signed_cert.pem'),
    crl: join(folder, 'crl.pem'),
    rootCrl: join(folder, 'root_crl.pem'),
  }
}

/** What this is not, in a sentence each: printed by every command, and written into the folder. */
export const AUTHORITY_LIMITS = [
  'No hardware keeps its keys, nobody audits it, and there is no OCSP: revocation reaches whom you give a list.',
  'Whoever has this folder and its passphrase can vouch for any name to every host that trusts its root.',
]

export const README = `${AUTHORITY_LABEL}

${AUTHORITY_LIMITS.join('\n')}

root_ca.pem          install this on the pool
intermediate_ca.pem  sent along by the server (where there is one)
*.key                the keys, encrypted with the passphrase (PKCS #8)
index.json           every certificate issued, and every one revoked
crl.pem              the revocation list of the certificate that signs servers' certificates
`

export function authorityMissing(folder: string): WlbError {
  return new WlbError(
    'AUTHORITY_MISSING',
    'There is no authority in this folder.',
    { folder },
    `wlb ca create --dir ${folder} --passphrase-file FILE --yes`,
  )
}
