/** Where events may be posted to: over https, or to this machine. A name and a password have no place in such an address. */
import { isIP } from 'node:net'

/** Undefined where `text` is no such address. */
export function readWebhookAddress(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return undefined
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isHere = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere) ? url : undefined
}
