/** What was found in the files so far, each thing with its place; how much may be found is limited. */
import { X509Certificate } from 'node:crypto'
import { readElement, readElements, TAG } from '../encoding/der.js'
import { type DerKind, recognizeDer } from '../encoding/der-kind.js'
import { fail } from '../errors.js'
import { readCrl } from '../validate/crl.js'
import { readPkcs7 } from './pkcs7.js'
import { readPkcs12 } from './pkcs12.js'
import { isKeyKind, type SealedKey, sealedDer } from './private-key.js'

export interface Place {
  readonly file: string
  /** The line its block begins on. */
  readonly line?: number
  /** Which one of a PKCS#7 or PKCS#12 it is: `PKCS#7, certificate 2`. */
  readonly part?: string
}

export interface Contents {
  readonly certificates: readonly { readonly certificate: X509Certificate; readonly place: Place }[]
  /** Still shut: whoever needs a key opens it. */
  readonly keys: readonly { readonly key: SealedKey; readonly place: Place }[]
  /** PKCS#10, in DER; the signature is not checked. */
  readonly requests: readonly { readonly der: Buffer; readonly place: Place }[]
  /** In DER; the signature is not checked. */
  readonly crls: readonly { readonly der: Buffer; readonly place: Place }[]
  readonly notes: readonly { readonly place: Place; readonly text: string }[]
}

export type ItemKind = 'certificate' | 'request' | 'CRL' | Exclude<DerKind, 'signed'>

export const ITEM_LIMIT = 1000
const NOTE_LIMIT = 100
/** A TLS client reads 100 kB of certificates in all. */
const CERTIFICATE_LIMIT_BYTES = 128 * 1024

/** `chain.p7b (PKCS#7, certificate 2)`, `chain.pem line 23`. */
export function describePlace({ file, line, part }: Place): string {
  return `${file}${line === undefined ? '' : ` line ${line}`}${part === undefined ? '' : ` (${part})`}`
}

export class Findings implements Contents {
  readonly certificates: { certificate: X509Certificate; place: Place }[] = []
  readonly keys: { key: SealedKey; place: Place }[] = []
  readonly requests: { der: Buffer; place: Place }[] = []
  readonly crls: { der: Buffer; place: Place }[] = []
  readonly notes: { place: Place; text: string }[] = []
  count = 0

  /** Adds what the bytes are, or nothing; says what that was. */
  addDer(der: Buffer, place: Place, passphrase: string | undefined): ItemKind {
    const kind = recognizeDer(der)
    if (kind === 'pkcs7') this.addPkcs7(der, place)
    else if (kind === 'pkcs12') this.addPkcs12(der, place, passphrase)
    else if (isKeyKind(kind)) this.addKey(sealedDer(der, kind, place.file), place)
    else if (kind === 'signed') return this.addSigned(der, place)
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
    if (der.length > CERTIFICATE_LIMIT_BYTES || readElement(der)?.bytes.length !== der.length) return false
    let certificate: X509Certificate
    try {
      certificate = new X509Certificate(der)
    } catch {
      return false
    }
    this.admit(place)
    this.certificates.push({ certificate, place })
    return true
  }

  private addPkcs7(der: Buffer, place: Place): void {
    const { certificates, crls } = readPkcs7(der, place.file)
    this.addParts(certificates, crls, place, 'PKCS#7')
    if (certificates.length + crls.length === 0) this.note(place, 'a PKCS#7 without certificates')
  }

  private addPkcs12(der: Buffer, place: Place, passphrase: string | undefined): void {
    const { certificates, crls, keys, password } = readPkcs12(der, passphrase, place.file)
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
  const [info] = readElements(readElement(der)?.content ?? Buffer.alloc(0)) ?? []
  const tags = (info && readElements(info.content))?.map(({ tag }) => tag) ?? []
  return (
    [TAG.integer, TAG.sequence, TAG.sequence].every((tag, index) => tags[index] === tag) && (tags[3] ?? 0xa0) === 0xa0
  )
}
