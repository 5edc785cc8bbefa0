/** Certificate requests (PKCS#10, RFC 2986) as an authority expects them of a server: subject, names, and what they are for. */
import type { KeyObject } from 'node:crypto'
import type { JsonNameParams } from '@peculiar/x509'
import { encodeElement, TAG } from '../encoding/der.js'
import { encodePem } from '../encoding/pem.js'
import { importPublicKey, importSigningKey, loadLibrary, SIGNATURE } from '../encoding/signing.js'

/** In the order it is written, the most general part first, as openssl req asks for it. */
export interface RequestSubject {
  /** Two letters (ISO 3166-1). */
  readonly country: string
  readonly state: string
  readonly locality: string
  readonly organization: string
  readonly organizationalUnit?: string | undefined
  readonly commonName: string
  readonly email: string
}

export interface CertificateRequest {
  /** What is left out is not written. */
  readonly subject: Partial<RequestSubject>
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  /** What an authority may ask for when the certificate is to be revoked. Anyone who sees the request can read it. */
  readonly challengePassword?: string | undefined
  readonly companyName?: string | undefined
}

/** OID and upper bound in characters of each part (RFC 5280, appendix A.1). */
const PARTS = [
  ['country', '2.5.4.6', 2],
  ['state', '2.5.4.8', 128],
  ['locality', '2.5.4.7', 128],
  ['organization', '2.5.4.10', 64],
  ['organizationalUnit', '2.5.4.11', 64],
  ['commonName', '2.5.4.3', 64],
  ['email', '1.2.840.113549.1.9.1', 255],
] as const

const UNSTRUCTURED_NAME = '1.2.840.113549.1.9.2'
const CHALLENGE_PASSWORD = '1.2.840.113549.1.9.7'

/** Says what is wrong with a part, as the end of a sentence that begins with its name; undefined when it may stand. */
export function checkSubjectPart(part: keyof RequestSubject, value: string): string | undefined {
  const [, , limit] = PARTS.find(([name]) => name === part) ?? []
  if (part === 'country') return /^[A-Z]{2}$/.test(value) ? undefined : 'must be two capital letters, such as CA or JM'
  if (/\p{Cc}/u.test(value)) return 'must have no control characters'
  if (value !== value.trim() || value === '') return 'must have a character, and no blank at either end'
  if (limit !== undefined && [...value].length > limit) return `must have ${limit} characters at most`
  const isEmail = /^[!-?A-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(value)
  return part !== 'email' || isEmail ? undefined : 'must be an address such as admin@example.com, in ASCII'
}

/** What is wrong with a challenge password; openssl takes 4 to 20 characters, and authorities copy it. */
export function checkChallengePassword(value: string): string | undefined {
  return /^[^\p{Cc}]{4,20}$/u.test(value) ? undefined : 'must have 4 to 20 characters'
}

/**
 * Writes a request in PEM, signed with an RSA key (SHA-256). It asks for what a pool wants of a server's certificate:
 * the names, digitalSignature and keyEncipherment, serverAuth. The same request with the same key is the same text.
 */
export async function createCertificateRequest(request: CertificateRequest, key: KeyObject): Promise<string> {
  const x509 = await loadLibrary()
  const { KeyUsageFlags } = x509
  const { challengePassword, companyName } = request
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name(subjectOf(request.subject)),
    keys: {
      privateKey: await importSigningKey(key),
      publicKey: await importPublicKey(key),
    },
    signingAlgorithm: SIGNATURE,
    attributes: [
      ...(companyName ? [new x509.Attribute(UNSTRUCTURED_NAME, [encodeText(companyName, TAG.ia5String)])] : []),
      ...(challengePassword
        ? [new x509.Attribute(CHALLENGE_PASSWORD, [encodeText(challengePassword, TAG.printableString)])]
        : []),
    ],
    extensions: [
      new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...request.dnsNames.map((value) => ({ type: 'dns' as const, value })),
        ...request.ipAddresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  })
  return encodePem('CERTIFICATE REQUEST', Buffer.from(made.rawData))
}

/** PrintableString for the country (X.520, 6.3.1), IA5String for the address (RFC 2985, 5.2.1), UTF-8 for what is left. */
function subjectOf(subject: Partial<RequestSubject>): JsonNameParams {
  return PARTS.flatMap(([part, oid]): JsonNameParams => {
    const value = subject[part]
    if (!value) return []
    if (part === 'country') return [{ [oid]: [{ printableString: value }] }]
    return [{ [oid]: [part === 'email' ? { ia5String: value } : { utf8String: value }] }]
  })
}

/** In the older string type where its characters are enough: some authorities' readers know no other. */
function encodeText(text: string, narrow: number): ArrayBuffer {
  const fits = narrow === TAG.ia5String ? /^[ -~]*$/.test(text) : /^[A-Za-z0-9 '()+,./:=?-]*$/.test(text)
  return new Uint8Array(encodeElement(fits ? narrow : TAG.utf8String, Buffer.from(text))).buffer
}
