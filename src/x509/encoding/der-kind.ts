/** What a piece of DER is, told by its outermost elements: labels and file names lie. */
import { type DerElement, readElement, readElements, readOid, readWholeNumber, TAG } from './der.js'

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

/** Looks at the first element; what follows it does not matter. Content in BER's endless form is told too. */
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

/** A version comes first, and what comes second tells whose it is. */
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
export function measureDepth(bytes: Buffer): number {
  let [depth, rest] = [0, bytes]
  for (let element = readElement(rest); element && (element.tag & 0x20) !== 0; element = readElement(rest)) {
    depth++
    rest = element.content
  }
  return depth
}
