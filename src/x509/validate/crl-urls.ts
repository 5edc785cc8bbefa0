/** Where a certificate says that the revocation list of its issuer is to be had (RFC 5280, 4.2.1.13). */
import type { X509Certificate } from 'node:crypto'
import { printable } from '../encoding/name-fields.js'
import { readFacts } from './certificate-facts.js'

/** The addresses, in the order of the certificate; what is no address is left out. */
export function crlUrls(certificate: X509Certificate): readonly string[] {
  return (readFacts(certificate).distributionPoints ?? []).flatMap(({ point }) =>
    point?.kind === 'full'
      ? point.names.flatMap((name) => (name.kind === 'uri' ? [printable(name.bytes.toString('latin1'))] : []))
      : [],
  )
}
