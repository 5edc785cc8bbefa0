/**
 * Certificate requests (PKCS#10, RFC 2986): written as an authority expects them of a server, and read as people send them. A
 * request's signature proves that its sender has the key, and nothing more.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { JsonNameParams } from '@peculiar/x509'
import { WlbError } from '../../base/error.js'
import { decodeText } from '../../base/files/given-text.js'
import { bitString, decode, sequenceOf } from '../encoding/asn1-types.js'
import { type DerElement, encodeElement, fieldsOf, readElement, readElements, readOid, TAG } from '../encoding/der.js'
import { type NameField, readNameFields } from '../encoding/distinguished-name.js'
import { type AlternativeName, readAlternativeNames } from '../encoding/general-name.js'
import { readLenientPem } from '../encoding/lenient-pem.js'
import { decodeBase64, encodePem } from '../encoding/pem.js'
import { algorithmIdentifier, isSignatureOf } from '../encoding/signature-algorithm.js'
import { fail } from '../errors.js'
import { extension, type RawExtension } from '../validate/extensions.js'
import { importPublicKey, importSigningKey, loadLibrary, requestedExtensions, SIGNATURE } from './signing.js'

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

/** Says what is wrong with a part, as the end of a sentence that begins with its name; undefined when it is valid. */
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
    extensions: [...(await requestedExtensions(request))],
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

export interface ReceivedRequest {
  /** In encoded order, the most general field first. */
  readonly subject: readonly NameField[]
  readonly subjectDer: Buffer
  readonly publicKey: KeyObject
  /** As requested; an authority decides which of them it certifies. */
  readonly alternativeNames: readonly AlternativeName[]
  /** Object identifiers of every extension asked for. */
  readonly extensions: readonly string[]
}

/** A request for hundreds of names has 20 kB. */
const MAX_BYTES = 200_000
const LABELS = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST']
const SUBJECT_ALT_NAME = '2.5.29.17'
/** PKCS #9, and what Microsoft's tools write instead. */
const EXTENSION_REQUESTS = ['1.2.840.113549.1.9.14', '1.3.6.1.4.1.311.2.1.14']

/**
 * Reads one request: PEM (CRLF, byte order mark, UTF-16, text around it), DER, or base64 without header lines.
 *
 * @throws REQUEST_MALFORMED when it is not exactly one whole request.
 * @throws REQUEST_SIGNATURE_WRONG when the key in it has not signed it.
 */
export function readRequest(bytes: Buffer): ReceivedRequest {
  if (bytes.length > MAX_BYTES) throw malformed(`more than ${MAX_BYTES} bytes`)
  const der = findRequest(bytes)
  const [info, algorithm, signature, ...rest] = partsOf(readElement(der), der.length, 'it is not one ASN.1 sequence')
  if (info?.tag !== TAG.sequence || algorithm?.tag !== TAG.sequence || signature?.tag !== TAG.bitString || rest[0])
    throw malformed('it is not made of a request, an algorithm and a signature')

  const [version, subject, key, attributes] = partsOf(info, info.bytes.length, 'the request in it is empty')
  if (version?.tag !== TAG.integer || !subject || key?.tag !== TAG.sequence) throw malformed('a field is missing')
  const fields = readNameFields(subject.bytes)
  if (!fields) throw malformed('its subject cannot be read')
  const publicKey = readKey(key.bytes)
  const known = decode(algorithmIdentifier, algorithm.bytes)
  const signed = decode(bitString, signature.bytes)
  if (!known?.key || !signed) throw malformed(`it is signed with ${known?.name ?? 'nothing known'}`)
  if (!isSignatureOf(signed, known, info.bytes, publicKey)) throw fail('REQUEST_SIGNATURE_WRONG', {})

  const extensions = attributes?.tag === 0xa0 ? readExtensions(attributes.content) : []
  return {
    subject: fields,
    subjectDer: subject.bytes,
    publicKey,
    alternativeNames: extensions.filter(({ oid }) => oid === SUBJECT_ALT_NAME).flatMap(readNames),
    extensions: extensions.map(({ oid }) => oid),
  }
}

const malformed = (found: string, cause?: unknown) => fail('REQUEST_MALFORMED', { found }, cause)

function findRequest(bytes: Buffer): Buffer {
  if (bytes[0] === TAG.sequence) return bytes
  const blocks = readBlocks(bytes)
  const [request, second] = blocks.filter(({ label }) => LABELS.includes(label))
  if (second) throw malformed('more than one request')
  if (request) return request.der
  const bare = blocks.length === 0 ? decodeBase64(decodeText(bytes).text.replace(/\s+/g, '')) : undefined
  if (bare?.[0] === TAG.sequence) return bare // what portals show in a text field, without the first and the last line
  const labels = [...new Set(blocks.map(({ label }) => label.slice(0, 60)))].slice(0, 5)
  throw malformed(labels.length > 0 ? `no request, but: ${labels.join(', ')}` : 'no request: neither PEM nor DER')
}

function readBlocks(bytes: Buffer) {
  try {
    return readLenientPem(decodeText(bytes).text, 'csr').blocks
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    throw malformed(`line ${error.facts.line}: ${error.facts.found}`, error)
  }
}

function partsOf(element: DerElement | undefined, length: number, otherwise: string): DerElement[] {
  const parts =
    element?.tag === TAG.sequence && element.bytes.length === length ? readElements(element.content) : undefined
  if (!parts) throw malformed(otherwise)
  return parts
}

function readKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch (error) {
    throw malformed('its public key cannot be read', error)
  }
}

/** Attribute ::= SEQUENCE { type, SET OF value }; each value of an extension request is a list of extensions. */
function readExtensions(attributes: Buffer): RawExtension[] {
  const all = readElements(attributes)
  if (!all) throw malformed('its attributes cannot be read')
  return all.flatMap((attribute) => {
    const [type, values] = fieldsOf(attribute)
    if (type?.tag !== TAG.oid || values?.tag !== TAG.set) throw malformed('an attribute cannot be read')
    if (!EXTENSION_REQUESTS.includes(readOid(type.content))) return []
    const lists = readElements(values.content)?.map((list) => decode(sequenceOf(extension), list.bytes)) ?? [undefined]
    return lists.flatMap((list) => {
      if (!list) throw malformed('the extensions asked for cannot be read')
      return list
    })
  })
}

function readNames({ value }: RawExtension): AlternativeName[] {
  const names = readAlternativeNames(value)
  if (!names) throw malformed('the alternative names asked for cannot be read')
  return names
}
