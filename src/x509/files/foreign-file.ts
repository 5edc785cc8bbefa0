/** What people send by mistake, told by its first bytes: the sentence that helps is the one that says what it is. */
import { readElement, TAG } from '../encoding/der.js'
import { measureDepth, recognizeDer } from '../encoding/der-kind.js'

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

/** One clause that says what these bytes are, as far as they can be told. */
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

/** Only the long form, as every certificate has it: a text may begin with the character 0 too. */
function declaredLength(bytes: Buffer): number {
  const lengthBytes = (bytes[1] ?? 0) - 0x80
  return lengthBytes >= 1 && lengthBytes <= 4 && bytes.length > 6
    ? 2 + lengthBytes + bytes.readUIntBE(2, lengthBytes)
    : 0
}

/** Word processors turn two hyphens into a dash, and hands miscount. */
function describeDashes(text: string): string | undefined {
  const line = text.split(/\r\n|\n|\r/, 1000).findIndex((each) => /^\s*[-\u2010-\u2015]+\s*BEGIN [A-Z0-9 ]+/.test(each))
  return line < 0
    ? undefined
    : `text whose line ${line + 1} would begin a block, but not with exactly five hyphens on each side`
}

function isReadable(text: string): boolean {
  return !/[\0\uFFFD]/.test(text.slice(0, 2000))
}
