/**
 * A certificate signing request as people send it (PKCS #10, RFC 2986): read, and its signature verified, which proves
 * that whoever made it has the key. Nothing in it is believed beyond that.
 */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { type AlternativeName, readAlternativeNames } from '../encoding/alternative-names.js'
import { readArmour } from '../encoding/armour.js'
import { decodeText } from '../encoding/decode-text.js'
import { type DerElement, readElement, readElements, readOid, TAG } from '../encoding/der.js'
import { type NameField, readNameFields } from '../encoding/name-fields.js'
import { readSignatureAlgorithm } from '../encoding/signature-algorithm.js'
import { fail } from '../errors.js'
import { type RawExtension, readExtensionList } from '../validate/extensions.js'

export interface CertificateRequest {
  /** In encoded order, the most general field first. */
  readonly subject: readonly NameField[]
  readonly subjectDer: Buffer
  readonly publicKey: KeyObject
  /** As asked for: what an authority makes of them is its own decision. */
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
 * Reads one request, PEM (CRLF, byte order mark, text around it) or DER.
 *
 * @throws REQUEST_MALFORMED when it is not exactly one whole request.
 * @throws REQUEST_SIGNATURE_WRONG when the key in it has not signed it.
 */
export function readRequest(bytes: Buffer): CertificateRequest {
  if (bytes.length > MAX_BYTES) throw fail('REQUEST_MALFORMED', { found: `more than ${MAX_BYTES} bytes` })
  const der = findRequest(bytes)
  const [info, algorithm, signature, ...rest] = partsOf(readElement(der), der.length, 'it is not one ASN.1 sequence')
  if (info?.tag !== TAG.sequence || algorithm?.tag !== TAG.sequence || signature?.tag !== TAG.bitString || rest[0])
    throw fail('REQUEST_MALFORMED', { found: 'it is not made of a request, an algorithm and a signature' })

  const [version, subject, key, attributes] = partsOf(info, info.bytes.length, 'the request in it is empty')
  if (version?.tag !== TAG.integer || !subject || key?.tag !== TAG.sequence)
    throw fail('REQUEST_MALFORMED', { found: 'a field is missing' })
  const fields = readNameFields(subject.bytes)
  if (!fields) throw fail('REQUEST_MALFORMED', { found: 'its subject cannot be read' })
  const publicKey = readKey(key.bytes)
  if (!isSigned(info.bytes, algorithm, publicKey, signature.content.subarray(1)))
    throw fail('REQUEST_SIGNATURE_WRONG', {})

  const extensions = attributes?.tag === 0xa0 ? readExtensions(attributes.content) : []
  return {
    subject: fields,
    subjectDer: subject.bytes,
    publicKey,
    alternativeNames: extensions.filter(({ oid }) => oid === SUBJECT_ALT_NAME).flatMap(readNames),
    extensions: extensions.map(({ oid }) => oid),
  }
}

function findRequest(bytes: Buffer): Buffer {
  if (bytes[0] === TAG.sequence) return bytes
  const blocks = readBlocks(bytes)
  const [request, second] = blocks.filter(({ label }) => LABELS.includes(label))
  if (second) throw fail('REQUEST_MALFORMED', { found: 'more than one request' })
  if (request) return request.der
  const labels = [...new Set(blocks.map(({ label }) => label.slice(0, 60)))].slice(0, 5)
  throw fail('REQUEST_MALFORMED', {
    found: labels.length > 0 ? `no request, but: ${labels.join(', ')}` : 'no request: neither PEM nor DER',
  })
}

function readBlocks(bytes: Buffer) {
  try {
    return readArmour(decodeText(bytes).text, 'csr').blocks
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    throw fail('REQUEST_MALFORMED', { found: `line ${error.facts.line}: ${error.facts.found}` }, error)
  }
}

function partsOf(element: DerElement | undefined, length: number, otherwise: string): DerElement[] {
  const parts =
    element?.tag === TAG.sequence && element.bytes.length === length ? readElements(element.content) : undefined
  if (!parts) throw fail('REQUEST_MALFORMED', { found: otherwise })
  return parts
}

function readKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch (error) {
    throw fail('REQUEST_MALFORMED', { found: 'its public key cannot be read' }, error)
  }
}

/** Attribute ::= SEQUENCE { type, SET OF value }; each value of an extension request is a list of extensions. */
function readExtensions(attributes: Buffer): RawExtension[] {
  const all = readElements(attributes)
  if (!all) throw fail('REQUEST_MALFORMED', { found: 'its attributes cannot be read' })
  return all.flatMap((attribute) => {
    const [type, values] = (attribute.tag === TAG.sequence && readElements(attribute.content)) || []
    if (type?.tag !== TAG.oid || values?.tag !== TAG.set)
      throw fail('REQUEST_MALFORMED', { found: 'an attribute cannot be read' })
    if (!EXTENSION_REQUESTS.includes(readOid(type.content))) return []
    const lists = readElements(values.content)?.map((list) => readExtensionList(list.content)) ?? [undefined]
    return lists.flatMap((list) => {
      if (!list) throw fail('REQUEST_MALFORMED', { found: 'the extensions asked for cannot be read' })
      return list
    })
  })
}

function readNames({ value }: RawExtension): AlternativeName[] {
  const names = readAlternativeNames(value)
  if (!names) throw fail('REQUEST_MALFORMED', { found: 'the alternative names asked for cannot be read' })
  return names
}

function isSigned(signed: Buffer, algorithm: DerElement, key: KeyObject, signature: Buffer): boolean {
  const known = readSignatureAlgorithm(algorithm.content)
  if (!known || /^[0-9.]+$/.test(known.name))
    throw fail('REQUEST_MALFORMED', { found: `it is signed with ${known?.name ?? 'nothing known'}` })
  try {
    if (known.name !== 'rsassaPss') return verify(known.digest, signed, key, signature)
    const padding = constants.RSA_PKCS1_PSS_PADDING
    return verify(pssDigest(algorithm), signed, { key, padding }, signature) // the salt's length is found
  } catch {
    return false // a key of another kind than the algorithm
  }
}

const HASHES: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** RSASSA-PSS-params ::= SEQUENCE { [0] hash DEFAULT sha1, ... } (RFC 4055, 3.1). */
function pssDigest(algorithm: DerElement): string {
  const [, parameters] = readElements(algorithm.content) ?? []
  const [first] = (parameters && readElements(parameters.content)) || []
  const hash = first?.tag === 0xa0 ? readElement(first.content) : undefined
  const [oid] = (hash && readElements(hash.content)) || []
  return (oid && HASHES[readOid(oid.content)]) ?? 'sha1'
}
