/** DER read and written without a schema library (X.690, 8.1), so that showing a certificate loads none; and BER made DER. */

export interface DerElement {
  readonly tag: number
  /** The content, without tag and length. */
  readonly content: Buffer
  /** Tag, length and content: what signatures cover and names are compared by. */
  readonly bytes: Buffer
}

/** More than the largest revocation lists have. An element of 2 bytes takes a hundred bytes of memory here. */
const ELEMENT_LIMIT = 200_000

/**
 * Splits bytes into the elements that stand side by side; undefined when they are not DER with lengths that fit, or
 * more than `ELEMENT_LIMIT`.
 */
export function readElements(bytes: Buffer): DerElement[] | undefined {
  const elements: DerElement[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const element = readElement(bytes.subarray(offset))
    if (!element || elements.length === ELEMENT_LIMIT) return undefined
    elements.push(element)
    offset += element.bytes.length
  }
  return elements
}

/** The elements of a SEQUENCE; none where it is something else or not there. */
export function fieldsOf(element: DerElement | undefined): DerElement[] {
  return (element?.tag === TAG.sequence && readElements(element.content)) || []
}

/** Reads the first element; bytes after it do not matter. */
export function readElement(bytes: Buffer): DerElement | undefined {
  const tag = bytes[0]
  const first = bytes[1]
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined
  const lengthBytes = first < 0x80 ? 0 : first - 0x80
  // 0x80 would be BER's indefinite length; four bytes are 4 GB
  if (first === 0x80 || lengthBytes > 4 || bytes.length < 2 + lengthBytes) return undefined
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes)
  const end = 2 + lengthBytes + length
  if (end > bytes.length) return undefined
  return { tag, content: bytes.subarray(2 + lengthBytes, end), bytes: bytes.subarray(0, end) }
}

/** Reads an object identifier's content into dotted form (X.690, 8.19). */
export function readOid(content: Buffer): string {
  const arcs: (number | string)[] = []
  let arc = 0
  let begin = 0
  for (let index = 0; index < content.length; index++) {
    const byte = content[index] ?? 0
    arc = arc * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      // a number that a number cannot hold stays as it is written: two of them are never taken for one
      arcs.push(arc <= Number.MAX_SAFE_INTEGER ? arc : `x${content.toString('hex', begin, index + 1)}`)
      arc = 0
      begin = index + 1
    }
  }
  const [first = 0, ...rest] = arcs
  if (typeof first === 'string') return [2, first, ...rest].join('.')
  const head = first
  const top = Math.min(Math.trunc(head / 40), 2)
  return [top, head - top * 40, ...rest].join('.')
}

/** Reads UTCTime or GeneralizedTime as certificates and CRLs carry them (RFC 5280, 4.1.2.5). */
export function readTime({
  tag,
  content,
}: {
  readonly tag: number | undefined
  readonly content: Buffer
}): Date | undefined {
  const text = content.toString('latin1')
  const digits = tag === 0x17 ? /^(\d{2})(\d{10})Z$/.exec(text) : /^(\d{4})(\d{10})Z$/.exec(text)
  if ((tag !== 0x17 && tag !== 0x18) || !digits) return undefined
  const [, year = '', rest = ''] = digits
  const century = tag === 0x18 ? '' : Number(year) >= 50 ? '19' : '20'
  const [month, day, hour, minute, second] = rest.match(/../g) ?? []
  const written = `${century}${year}-${month}-${day}T${hour}:${minute}:${second}`
  const time = new Date(`${written}Z`)
  // 30 February would be taken for 2 March
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(written) ? time : undefined
}

/** Reads a whole number from 0 on; undefined when the element is none, is negative, or exceeds what a number holds. */
export function readWholeNumber(element: DerElement | undefined): number | undefined {
  const content = element?.tag === TAG.integer ? element.content : undefined
  if (!content || content.length === 0 || content.length > 7 || (content[0] ?? 0) >= 0x80) return undefined
  const number = content.reduce((sum, byte) => sum * 256 + byte, 0)
  return Number.isSafeInteger(number) ? number : undefined
}

/** Writes tag, length and content in DER. */
export function encodeElement(tag: number, content: Buffer): Buffer {
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const digits = Buffer.from(length.toString(16).padStart(8, '0'), 'hex')
  const significant = digits.subarray(digits.findIndex((digit) => digit !== 0))
  return Buffer.concat([Buffer.from([tag, 0x80 + significant.length]), significant, content])
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific, constructed. */
  context0: 0xa0,
  context1: 0xa1,
}

/** Certificates inside a PKCS#7 reach depth 12. */
const DEPTH_LIMIT = 24
const CONSTRUCTED = 0x20

/**
 * Rewrites the first element of `bytes` from BER into DER's definite lengths and strings in one piece (X.690, 8.1.3.6 and 8.7.3).
 * Java, Windows and Firefox write their PKCS#7 and PKCS#12 files as streams; certificates inside are DER either way. Undefined
 * when the bytes are no BER, too deep or too many.
 */
export function rewriteAsDefinite(bytes: Buffer): Buffer | undefined {
  return rewrite(bytes, 0, { elementsLeft: ELEMENT_LIMIT })?.bytes
}

interface Rewritten {
  readonly bytes: Buffer
  /** Bytes of the input that were read. */
  readonly length: number
}

function rewrite(input: Buffer, depth: number, budget: { elementsLeft: number }): Rewritten | undefined {
  const tag = input[0]
  if (tag === undefined || depth > DEPTH_LIMIT || --budget.elementsLeft < 0) return undefined
  const isEndless = input[1] === 0x80 && (tag & CONSTRUCTED) !== 0 && (tag & 0x1f) !== 0x1f
  const whole = isEndless ? undefined : readElement(input)
  if (!isEndless && !whole) return undefined
  if (whole && (tag & CONSTRUCTED) === 0) return { bytes: whole.bytes, length: whole.bytes.length }

  const content = whole?.content ?? input.subarray(2)
  const children: Buffer[] = []
  let [offset, changed, ended] = [0, isEndless || tag === (TAG.octetString | CONSTRUCTED), !isEndless]
  while (offset < content.length) {
    if (isEndless && content[offset] === 0 && content[offset + 1] === 0) {
      ended = true
      offset += 2
      break
    }
    const child = rewrite(content.subarray(offset), depth + 1, budget)
    if (!child) return undefined
    children.push(child.bytes)
    changed ||= child.bytes.length !== child.length
    offset += child.length
  }
  if (!ended) return undefined
  const length = whole?.bytes.length ?? offset + 2
  return { bytes: whole && !changed ? whole.bytes : join(tag, children), length }
}

/** The pieces of a string are joined to one string. */
function join(tag: number, children: readonly Buffer[]): Buffer {
  if (tag !== (TAG.octetString | CONSTRUCTED)) return encodeElement(tag, Buffer.concat(children))
  return encodeElement(TAG.octetString, Buffer.concat(children.map((child) => readElement(child)?.content ?? child)))
}
