/** PEM as OpenSSL reads the files of a host: more forgiving than RFC 7468 in blanks, less so in blank lines. */
import { decodeBase64 } from './pem.js'

export interface PemFile {
  readonly blocks: readonly { readonly label: string; readonly der: Buffer }[]
  /** The first thing OpenSSL stumbles over; what stands after it is not reached. */
  readonly fault: string | undefined
}

/** OpenSSL's PEM reader: blanks at line ends do not count, a blank line divides encapsulated headers from the body. */
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

/** By hand: a pattern that is anchored at the end only takes a time that grows with the square of a run of blanks. */
function withoutBlankEnd(line: string): string {
  let end = line.length
  while (end > 0 && line.charCodeAt(end - 1) <= 0x20) end--
  return line.slice(0, end)
}
