/**
 * What a pool takes for one certificate when it is installed (docs/trust-stores.md): the rule of a reader that is
 * stricter than OpenSSL's in some places (a byte order mark, blanks after the dashes, base64) and blind in others
 * (a private key in the file does not bother it).
 */
import { X509Certificate } from 'node:crypto'
import { readElement } from '../encoding/der.js'
import { decodeBase64 } from '../encoding/pem.js'

export type SingleCertificate =
  | { readonly state: 'one'; readonly certificate: X509Certificate }
  | { readonly state: 'refused'; readonly why: string }

/** Reads exactly one CERTIFICATE block; other blocks must be whole and are otherwise ignored, as is text. */
export function decodeSingleCertificate(text: string): SingleCertificate {
  const bodies: Buffer[] = []
  let open: { label: string; body: string } | undefined
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (!open) {
      const label = /^-----BEGIN (.*)-----$/.exec(line)?.[1]
      if (label !== undefined) open = { label, body: '' }
      continue
    }
    if (line !== `-----END ${open.label}-----`) {
      open.body += line
      continue
    }
    const der = decodeBase64(open.body)
    if (!der) return refused(`the ${open.label} block holds something that is not base64`)
    if (open.label === 'CERTIFICATE') bodies.push(der)
    open = undefined
  }
  if (open) return refused(`the ${open.label} block does not end`)

  const [only] = bodies
  if (!only) return refused('no CERTIFICATE block')
  if (bodies.length > 1) return refused(`${bodies.length} CERTIFICATE blocks where exactly one is wanted`)
  return parse(only)
}

function parse(der: Buffer): SingleCertificate {
  if (readElement(der)?.bytes.length !== der.length) return refused('the block is not one DER element')
  try {
    return { state: 'one', certificate: new X509Certificate(der) }
  } catch {
    return refused('the block is not an X.509 certificate')
  }
}

function refused(why: string): SingleCertificate {
  return { state: 'refused', why }
}
