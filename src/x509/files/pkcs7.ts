/** PKCS#7 as authorities hand out chains: SignedData that signs nothing and carries certificates and CRLs (RFC 2315, 9.1). */

import { rewriteAsDefinite } from '../encoding/ber.js'
import { type DerElement, readElement, readElements, TAG } from '../encoding/der.js'
import { fail } from '../errors.js'

export interface Pkcs7Contents {
  readonly certificates: readonly Buffer[]
  readonly crls: readonly Buffer[]
}

/** @throws PKCS7_MALFORMED when its structure does not hold. The signatures in it, if any, are not looked at. */
export function readPkcs7(der: Buffer, file: string): Pkcs7Contents {
  const whole = rewriteAsDefinite(der)
  const [, wrapped] = fieldsOf(whole && readElement(whole))
  const [version, digests, inner, ...rest] = fieldsOf(wrapped && readElement(wrapped.content))
  if (version?.tag !== TAG.integer || !digests || inner?.tag !== TAG.sequence) throw fail('PKCS7_MALFORMED', { file })
  return {
    certificates: sequencesIn(rest.find(({ tag }) => tag === TAG.context0)),
    crls: sequencesIn(rest.find(({ tag }) => tag === TAG.context1)),
  }
}

/** Certificates of other kinds (attribute, extended) are tagged; what is a plain SEQUENCE is X.509. */
function sequencesIn(set: DerElement | undefined): Buffer[] {
  const elements = (set && readElements(set.content)) ?? []
  return elements.filter(({ tag }) => tag === TAG.sequence).map(({ bytes }) => bytes)
}

function fieldsOf(element: DerElement | undefined): DerElement[] {
  return (element && readElements(element.content)) ?? []
}
