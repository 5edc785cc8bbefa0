/** PEM read strictly, for files of our own (RFC 7468, 2), and as OpenSSL reads the files of a host; and written. */
import { fail } from '../errors.js'

export interface PemBlock {
  /** What stands between `BEGIN` and the dashes: `CERTIFICATE`, `PRIVATE KEY`, ... */
  readonly label: string
  readonly der: Buffer
}

/**
 * Reads every block of a text; text around the blocks is left out, CRLF and a byte order mark are fine.
 * The encapsulated headers of old encrypted keys are skipped: only the label tells what those bytes are.
 *
 * @throws PEM_MALFORMED when a block does not end, ends as another one, or holds anything but base64.
 */
export function readPemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = []
  let open: { label: string; line: number; body: string[] } | undefined
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.trimEnd()
    const begin = /^-----BEGIN (.+)-----$/.exec(line)?.[1]
    if (begin !== undefined) {
      if (open)
        throw fail('PEM_MALFORMED', { line: index + 1, found: `${open.label} begun on line ${open.line} does not end` })
      open = { label: begin, line: index + 1, body: [] }
    } else if (open && line === `-----END ${open.label}-----`) {
      blocks.push({ label: open.label, der: decodeBody(open.body, open.line) })
      open = undefined
    } else if (line.startsWith('-----END ')) {
      throw fail('PEM_MALFORMED', {
        line: index + 1,
        found: open ? `${open.label} ends in a wrong line` : 'an end without a beginning',
      })
    } else if (open) {
      open.body.push(line)
    }
  }
  if (open) throw fail('PEM_MALFORMED', { line: open.line, found: `${open.label} does not end` })
  return blocks
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Decodes base64 that may hold nothing else; undefined when it does (Buffer.from would skip what it cannot read). */
export function decodeBase64(text: string): Buffer | undefined {
  return text.length % 4 === 0 && BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
}

function decodeBody(body: readonly string[], beginLine: number): Buffer {
  const firstIsHeader = body[0]?.includes(':') ?? false
  const base64 = (firstIsHeader ? body.slice(body.indexOf('') + 1) : body).join('')
  const der = decodeBase64(base64)
  if (!der || der.length === 0)
    throw fail('PEM_MALFORMED', { line: beginLine, found: 'the block holds something that is not base64, or nothing' })
  return der
}

/** Writes a block as OpenSSL does: 64 characters a line, a newline at the end, so that files can be joined. */
export function encodePem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

export interface PemFile {
  readonly blocks: readonly { readonly label: string; readonly der: Buffer }[]
  /** The first fault OpenSSL meets; it reads nothing after that. */
  readonly fault: string | undefined
}

/**
 * Reads PEM as OpenSSL reads the files of a host: blanks at line ends are dropped, a blank line divides encapsulated headers from
 * the body. More forgiving than RFC 7468 in blanks, less so in blank lines.
 */
export function splitPem(given: string | Buffer): PemFile {
  const text = typeof given === 'string' ? given : given.toString('latin1')
  const blocks: { label: string; der: Buffer }[] = []
  let open: { label: string; headers: string | undefined; body: string } | undefined
  for (const raw of text.replace(/^(\xEF\xBB\xBF|\uFEFF)/, '').split('\n')) {
    const line = withoutBlankEnd(raw)
    if (!open) {
      const label = /^-----BEGIN (.*)-----$/.exec(line)?.[1]
      if (label !== undefined) open = { label, headers: undefined, body: '' }
    } else if (line.startsWith('-----END ')) {
      if (line !== `-----END ${open.label}-----`) return { blocks, fault: `a ${open.label} block ends in a wrong line` }
      const der = decodeBase64(open.body)
      if (!der) return { blocks, fault: `a ${open.label} block holds something that is not base64` }
      if (open.headers && open.label.endsWith('CERTIFICATE')) return { blocks, fault: 'a certificate with PEM headers' }
      blocks.push({ label: open.label, der })
      open = undefined
    } else if (line === '') {
      if (open.headers !== undefined) return { blocks, fault: `a blank line inside a ${open.label} block` }
      open.headers = open.body
      open.body = ''
    } else {
      open.body += line
    }
  }
  return { blocks, fault: open ? `a ${open.label} block does not end` : undefined }
}

/** Without a pattern: one that is anchored at the end only takes time that grows with the square of a run of blanks. */
function withoutBlankEnd(line: string): string {
  let end = line.length
  while (end > 0 && line.charCodeAt(end - 1) <= 0x20) end--
  return line.slice(0, end)
}
