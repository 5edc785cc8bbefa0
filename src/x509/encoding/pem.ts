/** PEM as strictly as an appliance's own files deserve it (RFC 7468, 2): whole blocks, clean base64, nothing guessed. */
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
