/**
 * Decodes the bytes of an answer as a pool does. It supports UTF-8, UTF-16 with a byte order mark, ISO-8859-1 and US-ASCII.
 * Decoding stops without an error at the first byte or character that XML does not allow, because a pool reads only up to
 * the root's end tag and never notices bad bytes after it.
 */

export type PoolText =
  | { readonly state: 'text'; readonly text: string; readonly whole: boolean }
  | { readonly state: 'unknown-encoding'; readonly encoding: string }

/** Decodes `body` and converts line ends to LF. `whole` is false when the end was cut off. */
export function decodePoolText(body: Uint8Array): PoolText {
  if (startsWith(body, 0xef, 0xbb, 0xbf)) return cleaned(decodeStrictly('utf-8', body.subarray(3)))
  if (startsWith(body, 0xfe, 0xff)) return cleaned(decodeStrictly('utf-16be', body.subarray(2)))
  if (startsWith(body, 0xff, 0xfe)) return cleaned(decodeStrictly('utf-16le', body.subarray(2)))

  const encoding = declaredEncoding(body) ?? 'UTF-8'
  switch (encoding.toLowerCase()) {
    case 'utf-8':
      return cleaned(decodeStrictly('utf-8', body))
    case 'iso-8859-1':
      return cleaned(latin1(body))
    case 'us-ascii':
    case 'ascii':
      return cleaned(cutAt(latin1(body), /[^\0-\x7f]/))
    case 'utf-16':
    case 'utf-16be':
    case 'utf-16le':
      // The declaration itself was read as one-byte characters, so the text cannot be UTF-16.
      return { state: 'text', text: '', whole: false }
    default:
      return { state: 'unknown-encoding', encoding }
  }
}

const NOT_XML = /[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
/** Longer declarations do not occur. The limit avoids searching a large body. */
const DECLARATION_BYTES = 256

interface Cut {
  readonly text: string
  readonly whole: boolean
}

function cleaned(decoded: Cut | string): PoolText {
  const { text, whole } = typeof decoded === 'string' ? { text: decoded, whole: true } : decoded
  const clean = cutAt(text.replace(/\r\n?/g, '\n'), NOT_XML)
  return { state: 'text', text: clean.text, whole: whole && clean.whole }
}

function cutAt(text: string, bad: RegExp): Cut {
  const end = text.search(bad)
  return end < 0 ? { text, whole: true } : { text: text.slice(0, end), whole: false }
}

function latin1(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
}

function declaredEncoding(body: Uint8Array): string | undefined {
  const head = latin1(body.subarray(0, DECLARATION_BYTES))
  return /^<\?xml[ \t\r\n][^>]*?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([^"'>]*)["']/.exec(head)?.[1]
}

/** Decodes the longest valid prefix, found by binary search. */
function decodeStrictly(label: string, bytes: Uint8Array): Cut {
  const text = tryDecode(label, bytes, false)
  if (text !== undefined) return { text, whole: true }
  let good = 0
  let bad = bytes.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1
    if (tryDecode(label, bytes.subarray(0, middle), true) === undefined) bad = middle
    else good = middle
  }
  return { text: tryDecode(label, bytes.subarray(0, good), true) ?? '', whole: false }
}

/** With `unfinished`, an incomplete last character is left out. */
function tryDecode(label: string, bytes: Uint8Array, unfinished: boolean): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes, { stream: unfinished })
  } catch {
    return undefined
  }
}

function startsWith(body: Uint8Array, ...mark: number[]): boolean {
  return mark.every((byte, index) => body[index] === byte)
}
