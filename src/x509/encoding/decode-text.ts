/** Bytes to text, whichever way Windows saved it: UTF-8 or UTF-16, with or without a byte order mark. */

export interface DecodedText {
  readonly text: string
  /** What was unusual about it. */
  readonly encoding: 'UTF-8' | 'UTF-8 with a byte order mark' | 'UTF-16'
}

export function decodeText(bytes: Buffer): DecodedText {
  const mark = bytes.subarray(0, 2).toString('hex')
  if (mark === 'fffe' || startsAsUtf16(bytes, 1)) {
    return { text: withoutMark(bytes.subarray(0, bytes.length & ~1).toString('utf16le')), encoding: 'UTF-16' }
  }
  if (mark === 'feff' || startsAsUtf16(bytes, 0)) {
    const swapped = Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16()
    return { text: withoutMark(swapped.toString('utf16le')), encoding: 'UTF-16' }
  }
  const text = bytes.toString('utf8')
  const plain = withoutMark(text)
  return { text: plain, encoding: plain === text ? 'UTF-8' : 'UTF-8 with a byte order mark' }
}

/** Sixteen characters of ASCII, each with a zero on the same side. */
function startsAsUtf16(bytes: Buffer, zeroAt: 0 | 1): boolean {
  const head = bytes.subarray(0, 32)
  return head.length === 32 && head.every((byte, index) => (byte === 0) === (index % 2 === zeroAt))
}

function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '')
}
