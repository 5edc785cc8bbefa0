/** What the bytes of a file are, judged by the bytes alone: labels and file names may be wrong. */
import { type DerElement, readElement, readElements, readOid, readWholeNumber, TAG } from '../encoding/der.js'

export type DerKind =
  | 'pkcs7'
  | 'pkcs12'
  | 'pkcs8'
  | 'encrypted pkcs8'
  | 'pkcs1'
  | 'sec1'
  | 'public key'
  /** SEQUENCE { what is signed, algorithm, signature }: a certificate, a request, or a CRL. */
  | 'signed'
  | 'unknown'

const SIGNED_DATA = '1.2.840.113549.1.7.2'

/** Judges by the first element; bytes after it do not matter. BER's indefinite form is recognised too. */
export function recognizeDer(bytes: Buffer): DerKind {
  if (bytes[0] !== TAG.sequence) return 'unknown'
  const content = bytes[1] === 0x80 ? bytes.subarray(2) : readElement(bytes)?.content
  if (!content) return 'unknown'
  const first = readElement(content)
  if (first?.tag === TAG.oid)
    return first.content.length < 16 && readOid(first.content) === SIGNED_DATA ? 'pkcs7' : 'unknown'
  const second = first && content.subarray(first.bytes.length)
  if (first?.tag === TAG.integer) return recognizeNumbered(readWholeNumber(first), second?.[0], content)
  if (first?.tag !== TAG.sequence || !second) return 'unknown'

  const elements = readElements(content)
  const tags = elements?.map(({ tag }) => tag) ?? []
  if (sameTags(tags, [TAG.sequence, TAG.sequence, TAG.bitString])) return 'signed'
  if (sameTags(tags, [TAG.sequence, TAG.octetString])) return isAlgorithm(first) ? 'encrypted pkcs8' : 'unknown'
  return sameTags(tags, [TAG.sequence, TAG.bitString]) && isAlgorithm(first) ? 'public key' : 'unknown'
}

/** Several formats begin with a version; their second element differs. */
function recognizeNumbered(version: number | undefined, second: number | undefined, content: Buffer): DerKind {
  if (version === 3 && second === TAG.sequence) return 'pkcs12'
  if (version === 1 && second === TAG.octetString) return 'sec1'
  if (version !== 0 && version !== 1) return 'unknown'
  if (second === TAG.sequence) return 'pkcs8'
  return second === TAG.integer && (readElements(content)?.length ?? 0) >= 9 ? 'pkcs1' : 'unknown'
}

function isAlgorithm({ content }: DerElement): boolean {
  return content[0] === TAG.oid
}

function sameTags(tags: readonly number[], wanted: readonly number[]): boolean {
  return tags.length === wanted.length && tags.every((tag, index) => tag === wanted[index])
}

/** How deep the first of each level's elements reaches, counted without recursion. */
function measureDepth(bytes: Buffer): number {
  let [depth, rest] = [0, bytes]
  for (let element = readElement(rest); element && (element.tag & 0x20) !== 0; element = readElement(rest)) {
    depth++
    rest = element.content
  }
  return depth
}

const MAGIC: readonly (readonly [hex: string, what: string])[] = [
  ['feedfeed', 'a Java keystore (JKS): export it as PKCS#12 with keytool -importkeystore -deststoretype PKCS12'],
  ['cececece', 'a Java keystore (JCEKS): export it as PKCS#12 with keytool -importkeystore -deststoretype PKCS12'],
  ['504b0304', 'a ZIP archive: unpack it, and give the files in it'],
  ['1f8b', 'a gzip archive: unpack it, and give the files in it'],
  ['25504446', 'a PDF document'],
  ['d0cf11e0', 'a document of Microsoft Office'],
]

const TEXTS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [
    /^\s*(<!doctype html|<html|<head)/i,
    'a web page: the download was answered by a page (of the portal, a proxy, a login)',
  ],
  [/^\s*(<\?xml|<[a-z:]+[ >])/i, 'an XML document'],
  [/^\s*\{\\rtf/, 'a document of a word processor (RTF)'],
  [/^\s*[{[]/, 'a JSON document: the certificate may be a value in it'],
  [/^(ssh-(rsa|dss|ed25519)|ecdsa-sha2-\S+) /, 'a public key of SSH'],
  [/^PuTTY-User-Key-File/, 'a key of PuTTY: export it with puttygen -O private-openssh'],
  [
    /^(Certificate|Certificate Request|Certificate Revocation List \(CRL\)):\s*\n\s+(Data|Version)/,
    'what openssl prints about one, without the block itself',
  ],
]

/** Says in one clause what bytes are that hold none of the above: what people send by mistake is named. */
export function describeForeignFile(bytes: Buffer, text: string): string {
  if (bytes.length === 0) return 'empty'
  if (text.trim() === '') return 'blank'
  const hex = bytes.subarray(0, 8).toString('hex')
  const known =
    MAGIC.find(([magic]) => hex.startsWith(magic)) ?? TEXTS.find(([pattern]) => pattern.test(text.slice(0, 2000)))
  if (known) return known[1]
  return (
    describeDer(bytes) ??
    describeDashes(text) ??
    (isReadable(text) ? 'text without a PEM block' : 'bytes of no known form')
  )
}

const DEPTH_WORTH_SAYING = 64

function describeDer(bytes: Buffer): string | undefined {
  if (bytes[0] !== TAG.sequence) return undefined
  const kind = recognizeDer(bytes)
  if (kind === 'public key') return 'a public key: neither certificate nor private key'
  const depth = measureDepth(bytes)
  if (depth > DEPTH_WORTH_SAYING) return `ASN.1 nested ${depth} deep: no certificate, and made to hurt`
  if (readElement(bytes)) return 'DER, but neither certificate, request, CRL, key, PKCS#7 nor PKCS#12'
  const declared = declaredLength(bytes)
  return declared > bytes.length ? `DER that is cut off: ${bytes.length} bytes of ${declared}` : undefined
}

/** Only lengths in the long form count, which every certificate has: a text can begin with the character 0 (0x30) too. */
function declaredLength(bytes: Buffer): number {
  const lengthBytes = (bytes[1] ?? 0) - 0x80
  return lengthBytes >= 1 && lengthBytes <= 4 && bytes.length > 6
    ? 2 + lengthBytes + bytes.readUIntBE(2, lengthBytes)
    : 0
}

/** Word processors turn two hyphens into a dash, and people miscount hyphens. */
function describeDashes(text: string): string | undefined {
  const line = text.split(/\r\n|\n|\r/, 1000).findIndex((each) => /^\s*[-\u2010-\u2015]+\s*BEGIN [A-Z0-9 ]+/.test(each))
  return line < 0
    ? undefined
    : `text whose line ${line + 1} would begin a block, but not with exactly five hyphens on each side`
}

function isReadable(text: string): boolean {
  return !/[\0\uFFFD]/.test(text.slice(0, 2000))
}
