/** Text that a person gives us, decoded as Windows, an editor or a shell may have saved it. */

export interface DecodedText {
  readonly text: string
  /** Anything but plain UTF-8 is unusual. */
  readonly encoding: 'UTF-8' | 'UTF-8 with a byte order mark' | 'UTF-16'
}

/** Decodes UTF-8 or UTF-16, with or without a byte order mark. Bytes that are neither become U+FFFD. */
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

/** Says, as the end of a sentence that begins with "it", why bytes are no text; undefined when they are. */
export function whyNoText(bytes: Buffer): string | undefined {
  const { text, encoding } = decodeText(bytes)
  if (text.includes('\0')) return 'holds NUL bytes, which no text has'
  if (encoding === 'UTF-16') {
    return bytes.length % 2 === 0 && text.isWellFormed() ? undefined : 'begins as UTF-16 and is damaged'
  }
  return Buffer.from(text).equals(withoutMarkBytes(bytes)) ? undefined : 'is no text in UTF-8 or UTF-16'
}

/** Up to sixteen characters of ASCII, two at least, each with a zero on the same side. */
function startsAsUtf16(bytes: Buffer, zeroAt: 0 | 1): boolean {
  const head = bytes.subarray(0, 32)
  const isWhole = head.length >= 4 && head.length % 2 === 0
  return isWhole && head.every((byte, index) => (byte === 0) === (index % 2 === zeroAt))
}

function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '')
}

function withoutMarkBytes(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).toString('hex') === 'efbbbf' ? bytes.subarray(3) : bytes
}
