/** Names of signature algorithms (RFC 3279, RFC 4055, RFC 5758, RFC 8410), and the digest each one signs. */
import { readElements, readOid, TAG } from './der.js'

interface SignatureAlgorithm {
  /** As `openssl x509 -text` prints it. */
  readonly name: string
  /** What node:crypto calls the digest; null where the key decides. */
  readonly digest: string | null
}

const BY_OID: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.113549.1.1.4': { name: 'md5WithRSAEncryption', digest: 'md5' },
  '1.2.840.113549.1.1.5': { name: 'sha1WithRSAEncryption', digest: 'sha1' },
  '1.2.840.113549.1.1.10': { name: 'rsassaPss', digest: null },
  '1.2.840.113549.1.1.11': { name: 'sha256WithRSAEncryption', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { name: 'sha384WithRSAEncryption', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { name: 'sha512WithRSAEncryption', digest: 'sha512' },
  '1.2.840.10045.4.1': { name: 'ecdsa-with-SHA1', digest: 'sha1' },
  '1.2.840.10045.4.3.2': { name: 'ecdsa-with-SHA256', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { name: 'ecdsa-with-SHA384', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { name: 'ecdsa-with-SHA512', digest: 'sha512' },
  '1.3.101.112': { name: 'ED25519', digest: null },
  '1.3.101.113': { name: 'ED448', digest: null },
}

/** Reads an AlgorithmIdentifier's content; an algorithm not on the list keeps its object identifier as its name. */
export function readSignatureAlgorithm(content: Buffer): SignatureAlgorithm | undefined {
  const [identifier] = readElements(content) ?? []
  if (identifier?.tag !== TAG.oid) return undefined
  const oid = readOid(identifier.content)
  return BY_OID[oid] ?? { name: oid, digest: null }
}
