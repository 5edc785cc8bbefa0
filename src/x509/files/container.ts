/**
 * Reads everything people send certificates in: PEM of every label, DER, PKCS#7, PKCS#12, base64 without its first and last
 * line. The bytes decide what a thing is; what was unusual is noted; what is something else is named. Work is bounded.
 */
import type { X509Certificate } from 'node:crypto'
import { decodeText } from '../../base/files/given-text.js'
import { checkFileSize } from '../../base/files/limited-file.js'
import { fieldsOf, readElement, readElements, TAG } from '../encoding/der.js'
import { BLOCK_LIMIT, type LenientBlock, readLenientPem } from '../encoding/lenient-pem.js'
import { decodeBase64 } from '../encoding/pem.js'
import { fail } from '../errors.js'
import { readCertificate } from '../validate/certificate-facts.js'
import { readCrl } from '../validate/crl.js'
import { type DerKind, describeForeignFile, recognizeDer } from './file-kind.js'
import { type OnSlow, readPkcs7, readPkcs12 } from './pkcs.js'
import { isKeyBlock, isKeyKind, type SealedKey, sealedBlock, sealedDer } from './private-key.js'

export interface Place {
  readonly file: string
  /** The line its block begins on. */
  readonly line?: number
  /** Which one of a PKCS#7 or PKCS#12 it is: `PKCS#7, certificate 2`. */
  readonly part?: string
}

export interface FileContents {
  readonly certificates: readonly { readonly certificate: X509Certificate; readonly place: Place }[]
  /** Not opened yet. */
  readonly keys: readonly { readonly key: SealedKey; readonly place: Place }[]
  /** PKCS#10, in DER; the signature is not checked. */
  readonly requests: readonly { readonly der: Buffer; readonly place: Place }[]
  /** In DER; the signature is not checked. */
  readonly crls: readonly { readonly der: Buffer; readonly place: Place }[]
  readonly notes: readonly { readonly place: Place; readonly text: string }[]
}

type ItemKind = 'certificate' | 'request' | 'CRL' | Exclude<DerKind, 'signed'>

const ITEM_LIMIT = 1000
const NOTE_LIMIT = 100
/** A TLS client reads 100 kB of certificates in all. */
const CERTIFICATE_LIMIT_BYTES = 128 * 1024

/** `chain.p7b (PKCS#7, certificate 2)`, `chain.pem line 23`. */
export function describePlace({ file, line, part }: Place): string {
  return `${file}${line === undefined ? '' : ` line ${line}`}${part === undefined ? '' : ` (${part})`}`
}

export interface NamedBytes {
  readonly file: string
  readonly bytes: Buffer
}

/**
 * Reads files in any form; the order is that of the files, and within a file its own. Nothing is left out or verified.
 * `passphrase` opens PKCS#12 files; other keys stay closed until `SealedKey.open`. `onSlow` is called before a file is opened that
 * takes more than a moment of work.
 *
 * @throws FILE_TOO_LARGE, TOO_MANY_CERTIFICATES, FILE_UNRECOGNIZED, CERTIFICATE_MALFORMED, PEM_MALFORMED, and what
 * `readPkcs7` and `readPkcs12` throw.
 */
export function readContainers(files: readonly NamedBytes[], passphrase?: string, onSlow?: OnSlow): FileContents {
  const found = new Collection(onSlow)
  for (const file of files) readFile(file, passphrase, found)
  return found
}

function readFile({ file, bytes }: NamedBytes, passphrase: string | undefined, found: Collection): void {
  checkFileSize(file, bytes.length)
  const before = found.count
  const elements = splitDer(bytes)
  if (elements) {
    for (const der of elements) found.addDer(der, { file }, passphrase)
    if (found.count > before) return
  }
  const { text, encoding } = decodeText(bytes)
  const { blocks, oddities } = readLenientPem(text, file)
  if (blocks.length > BLOCK_LIMIT) throw fail('TOO_MANY_CERTIFICATES', { file, limit: ITEM_LIMIT })
  for (const block of blocks) addBlock(block, file, passphrase, found)
  if (found.count === before) addBareBase64(text, file, passphrase, found)
  if (found.count === before)
    throw fail('FILE_UNRECOGNIZED', { file, looksLike: describeOthers(blocks) ?? describeForeignFile(bytes, text) })

  if (encoding !== 'UTF-8') found.note({ file }, `the text is ${encoding}`)
  if (text.includes('\r')) found.note({ file }, 'the lines end as on Windows')
  for (const { line, text: what } of oddities) found.note({ file, line }, what)
}

function describeOthers(blocks: readonly LenientBlock[]): string | undefined {
  const labels = [...new Set(blocks.map(({ label }) => label))].slice(0, 5)
  return labels.length === 0 ? undefined : `nothing but a ${labels.join(', a ')} block`
}

/** Splits a file of one or more DER elements, blanks after them allowed; undefined when the bytes are something else. */
function splitDer(bytes: Buffer): Buffer[] | undefined {
  if (bytes[0] !== TAG.sequence) return undefined
  if (bytes[1] === 0x80) return [bytes]
  let end = bytes.length
  while (end > 0 && isBlank(bytes[end - 1])) end--
  const whole = readElement(bytes)?.bytes
  if (whole && whole.length >= end) return [whole]
  const elements = readElements(bytes.subarray(0, end))
  if (elements?.every(({ tag }) => tag === TAG.sequence)) return elements.map((element) => element.bytes)
  return whole && [bytes] // OpenSSL leaves out what is behind it
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x0a || byte === 0x0d || byte === 0x20
}

const CERTIFICATE_LABELS = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']
const CONTAINER_LABELS = ['PKCS7', 'PKCS #7 SIGNED DATA', 'CMS', 'PKCS12']
const REQUEST_LABELS = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST']
const CRL_LABELS = ['X509 CRL', 'CRL']

function addBlock(block: LenientBlock, file: string, passphrase: string | undefined, found: Collection): void {
  const { label, der, line } = block
  const place = { file, line }
  if (isKeyBlock(block)) {
    found.addKey(sealedBlock(block, file), place)
    return
  }
  const expected = labelKind(label)
  if (!expected) {
    if (!label.endsWith(' PARAMETERS')) found.note(place, `a ${label} block, left out`)
    return
  }
  const count = found.count
  // after the certificate, a TRUSTED block names the purposes OpenSSL may use it for
  const first = readElement(der)?.bytes ?? der
  const kind = found.addDer(label === 'TRUSTED CERTIFICATE' ? first : der, place, passphrase)
  if (found.count === count && expected === 'certificate')
    throw fail('CERTIFICATE_MALFORMED', { where: describePlace(place) })
  if (found.count === count && kind !== 'pkcs7')
    throw fail('PEM_MALFORMED', { file, line, found: `the ${label} block holds something else` })
  if (label === 'TRUSTED CERTIFICATE') found.note(place, 'a TRUSTED CERTIFICATE block: only OpenSSL reads those')
  else if (kind !== expected) found.note(place, `the block is labelled ${label} and holds a ${kind}`)
}

function labelKind(label: string): ItemKind | undefined {
  if (CERTIFICATE_LABELS.includes(label)) return 'certificate'
  if (REQUEST_LABELS.includes(label)) return 'request'
  if (CRL_LABELS.includes(label)) return 'CRL'
  if (CONTAINER_LABELS.includes(label)) return label === 'PKCS12' ? 'pkcs12' : 'pkcs7'
  return undefined
}

/** What some portals show in a text field: the body of a block without its first and last line. */
function addBareBase64(text: string, file: string, passphrase: string | undefined, found: Collection): void {
  const der = decodeBase64(text.replace(/\s+/g, ''))
  if (!der || der[0] !== TAG.sequence) return
  const before = found.count
  found.addDer(der, { file }, passphrase)
  if (found.count > before) found.note({ file }, 'base64 without the lines that begin and end a PEM block')
}

class Collection implements FileContents {
  readonly #onSlow: OnSlow | undefined
  readonly certificates: { certificate: X509Certificate; place: Place }[] = []
  readonly keys: { key: SealedKey; place: Place }[] = []
  readonly requests: { der: Buffer; place: Place }[] = []
  readonly crls: { der: Buffer; place: Place }[] = []
  readonly notes: { place: Place; text: string }[] = []
  count = 0

  constructor(onSlow: OnSlow | undefined) {
    this.#onSlow = onSlow
  }

  /** Adds what the bytes hold, if anything, and returns its kind. */
  addDer(der: Buffer, place: Place, passphrase: string | undefined): ItemKind {
    const kind = recognizeDer(der)
    if (kind === 'pkcs7') this.addPkcs7(der, place)
    else if (kind === 'pkcs12') this.addPkcs12(der, place, passphrase)
    else if (isKeyKind(kind)) this.addKey(sealedDer(der, kind, place.file), place)
    else if (kind === 'signed') return this.addSigned(der, place)
    // OpenSSL loads certificates in BER too, whose lengths may be open
    else if (kind === 'unknown' && this.addCertificate(der, place)) return 'certificate'
    return kind
  }

  addKey(key: SealedKey, place: Place): void {
    this.admit(place)
    this.keys.push({ key, place })
  }

  note(place: Place, text: string): void {
    if (this.notes.length < NOTE_LIMIT) this.notes.push({ place, text })
  }

  private addSigned(der: Buffer, place: Place): ItemKind {
    if (this.addCertificate(der, place)) return 'certificate'
    if (readCrl(der)) {
      this.admit(place)
      this.crls.push({ der, place })
      return 'CRL'
    }
    if (!isRequest(der)) return 'unknown'
    this.admit(place)
    this.requests.push({ der, place })
    return 'request'
  }

  private addCertificate(der: Buffer, place: Place): boolean {
    if (der.length > CERTIFICATE_LIMIT_BYTES) return false
    const certificate = readCertificate(der)
    if (!certificate) return false
    this.admit(place)
    if (!certificate.raw.equals(der)) this.note(place, 'not in DER, or with bytes behind it: only OpenSSL reads that')
    this.certificates.push({ certificate, place })
    return true
  }

  private addPkcs7(der: Buffer, place: Place): void {
    const { certificates, crls } = readPkcs7(der, place.file)
    this.addParts(certificates, crls, place, 'PKCS#7')
    if (certificates.length + crls.length === 0) this.note(place, 'a PKCS#7 without certificates')
  }

  private addPkcs12(der: Buffer, place: Place, passphrase: string | undefined): void {
    const { certificates, crls, keys, password } = readPkcs12(der, passphrase, place.file, this.#onSlow)
    this.addParts(certificates, crls, place, 'PKCS#12')
    for (const [index, { der: pkcs8, encrypted }] of keys.entries()) {
      const sealed = sealedDer(pkcs8, encrypted ? 'encrypted pkcs8' : 'pkcs8', place.file)
      const isOpen = password !== undefined
      this.addKey(isOpen ? { encrypted: false, open: () => sealed.open(password ?? '') } : sealed, {
        ...place,
        part: `PKCS#12, key ${index + 1}`,
      })
    }
  }

  private addParts(certificates: readonly Buffer[], crls: readonly Buffer[], place: Place, within: string): void {
    for (const [index, certificate] of certificates.entries()) {
      const own = { ...place, part: `${within}, certificate ${index + 1}` }
      if (!this.addCertificate(certificate, own)) throw fail('CERTIFICATE_MALFORMED', { where: describePlace(own) })
    }
    for (const [index, crl] of crls.entries()) {
      this.admit(place)
      this.crls.push({ der: crl, place: { ...place, part: `${within}, CRL ${index + 1}` } })
    }
  }

  private admit({ file }: Place): void {
    if (++this.count > ITEM_LIMIT) throw fail('TOO_MANY_CERTIFICATES', { file, limit: ITEM_LIMIT })
  }
}

/** CertificationRequestInfo ::= SEQUENCE { version INTEGER, subject Name, subjectPKInfo, attributes [0] } (RFC 2986, 4.1). */
function isRequest(der: Buffer): boolean {
  if (der.length > CERTIFICATE_LIMIT_BYTES) return false
  const [info] = fieldsOf(readElement(der))
  const tags = fieldsOf(info).map(({ tag }) => tag)
  return (
    [TAG.integer, TAG.sequence, TAG.sequence].every((tag, index) => tags[index] === tag) && (tags[3] ?? 0xa0) === 0xa0
  )
}
