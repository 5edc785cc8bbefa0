/** Which key signed (RFC 5280, 4.2.1.1), and whether an issuer fits what is said of it. */
import { type DerElement, readFields, TAG } from './der.js'
import { type DistinguishedName, isSameName } from './distinguished-name.js'
import { readGeneralNames } from './general-name.js'

export interface AuthorityKeyId {
  readonly keyId?: Buffer
  readonly issuer?: DistinguishedName
  /** The content of the INTEGER. */
  readonly serial?: Buffer
}

export function readAuthorityKeyId({ tag, content }: DerElement): AuthorityKeyId | undefined {
  const fields = tag === TAG.sequence ? readFields(content, [0x80, 0xa1, 0x82]) : undefined
  if (!fields) return undefined
  const keyId = fields.get(0x80)?.content
  const names = fields.get(0xa1)
  const serial = fields.get(0x82)?.content
  const issuers = names ? readGeneralNames(names.content) : []
  if (!issuers) return undefined
  const directory = issuers.find((name) => name.kind === 'directory')
  const issuer = directory?.kind === 'directory' ? directory.name : undefined
  return { ...(keyId && { keyId }), ...(issuer && { issuer }), ...(serial && { serial }) }
}

/** X509_check_akid: what is absent on either side does not count. */
export function checkAuthorityKeyId(
  issuer: { readonly subjectKeyId?: Buffer; readonly serial: Buffer; readonly issuer: DistinguishedName },
  authority: AuthorityKeyId | undefined,
): boolean {
  if (!authority) return true
  const { keyId, serial, issuer: name } = authority
  if (keyId && issuer.subjectKeyId && !keyId.equals(issuer.subjectKeyId)) return false
  if (serial && !serial.equals(issuer.serial)) return false
  return !name || isSameName(name, issuer.issuer)
}
