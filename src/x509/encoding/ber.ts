/**
 * BER brought to the form the rest of the room reads: definite lengths, strings in one piece (X.690, 8.1.3.6 and 8.7.3).
 * Java, Windows and Firefox write their PKCS#7 and PKCS#12 files as streams; certificates inside are DER either way.
 */
import { encodeElement, readElement } from './der.js'

/** Certificates inside a PKCS#7 reach depth 12. Recursion ends here, whatever a file says. */
const DEPTH_LIMIT = 24
const ELEMENT_LIMIT = 200_000
const CONSTRUCTED = 0x20
const OCTET_STRING = 0x04

/** Rewrites the first element of `bytes`; undefined when it is no BER, too deep, or too large to be worth it. */
export function rewriteAsDefinite(bytes: Buffer): Buffer | undefined {
  return rewrite(bytes, 0, { elementsLeft: ELEMENT_LIMIT })?.bytes
}

interface Rewritten {
  readonly bytes: Buffer
  /** How much of the input it was. */
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
  let [offset, changed, ended] = [0, isEndless || tag === (OCTET_STRING | CONSTRUCTED), !isEndless]
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

/** A string in pieces becomes the pieces' contents in one. */
function join(tag: number, children: readonly Buffer[]): Buffer {
  if (tag !== (OCTET_STRING | CONSTRUCTED)) return encodeElement(tag, Buffer.concat(children))
  return encodeElement(OCTET_STRING, Buffer.concat(children.map((child) => readElement(child)?.content ?? child)))
}
