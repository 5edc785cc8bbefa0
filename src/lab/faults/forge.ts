/**
 * Certificates and revocation lists that no authority would sign: with other dates, or signed with another key (RFC
 * 5280, 4.1 and 5.1).
 */
import { type KeyObject, sign, type X509Certificate } from 'node:crypto'
import { encodeElement, encodePem, readElement, readElements, TAG } from '../../x509/index.js'

const SHA256_WITH_RSA = Buffer.from('300d06092a864886f70d01010b0500', 'hex')
const VERSION_2 = encodeElement(TAG.integer, Buffer.from([1]))
/** crlNumber (2.5.29.20): 1. */
const NUMBERED = Buffer.from('300a0603551d140403020101', 'hex')

/**
 * Returns the same certificate with other dates. Its signature is no longer valid, but signatures of trust anchors are
 * not checked.
 */
export function redate(certificate: X509Certificate, notBefore: Date, notAfter: Date): string {
  const [tbs, ...rest] = elementsOf(certificate.raw)
  const fields = readElements(tbs?.content ?? Buffer.alloc(0)) ?? []
  const at = fields.findIndex(({ tag, content }) => tag === TAG.sequence && isTime(content))
  const validity = encodeElement(TAG.sequence, Buffer.concat([encodeTime(notBefore), encodeTime(notAfter)]))
  const changed = fields.map(({ bytes }, index) => (index === at ? validity : bytes))
  const body = encodeElement(TAG.sequence, Buffer.concat(changed))
  const der = encodeElement(TAG.sequence, Buffer.concat([body, ...rest.map(({ bytes }) => bytes)]))
  return encodePem('CERTIFICATE', der)
}

/** Makes an empty list in the name of `issuer`, signed with `key`, without an authority key identifier. */
export function forgeCrl(issuer: X509Certificate, key: KeyObject, thisUpdate: Date, nextUpdate: Date): string {
  const tbs = encodeElement(
    TAG.sequence,
    Buffer.concat([
      VERSION_2,
      SHA256_WITH_RSA,
      subjectOf(issuer),
      encodeTime(thisUpdate),
      encodeTime(nextUpdate),
      encodeElement(TAG.context0, encodeElement(TAG.sequence, NUMBERED)),
    ]),
  )
  const signature = encodeElement(TAG.bitString, Buffer.concat([Buffer.from([0]), sign('sha256', tbs, key)]))
  return encodePem('X509 CRL', encodeElement(TAG.sequence, Buffer.concat([tbs, SHA256_WITH_RSA, signature])))
}

/** Version, serial number, algorithm, issuer, validity, subject: the version may be left out. */
function subjectOf({ raw }: X509Certificate): Buffer {
  const fields = readElements(elementsOf(raw)[0]?.content ?? Buffer.alloc(0)) ?? []
  const isVersioned = fields[0]?.tag === TAG.context0
  return fields[isVersioned ? 5 : 4]?.bytes ?? Buffer.alloc(0)
}

function elementsOf(der: Buffer) {
  return readElements(readElement(der)?.content ?? Buffer.alloc(0)) ?? []
}

function isTime(content: Buffer): boolean {
  const [first] = readElements(content) ?? []
  return first?.tag === TAG.utcTime || first?.tag === TAG.generalizedTime
}

/** UTCTime until 2049, GeneralizedTime from then on. */
function encodeTime(date: Date): Buffer {
  const digits = `${date.toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z`
  return date.getUTCFullYear() < 2050
    ? encodeElement(TAG.utcTime, Buffer.from(digits.slice(2)))
    : encodeElement(TAG.generalizedTime, Buffer.from(digits))
}
