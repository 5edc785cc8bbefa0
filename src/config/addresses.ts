/** The rules for the names and addresses that settings hold. */
import { isIP } from 'node:net'

export const LISTEN_ADDRESS_RULE = 'must be an IP address of this machine, or 0.0.0.0 or :: for all of them'
export const PORT_RULE = 'must be a whole number from 1 to 65535'

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}

/**
 * A full host name, as in settings and certificates (RFC 1123, 2.1; RFC 5890, 2.3.1). Labels as in DNS: letters, digits, hyphens inside, 63 at most; two labels or more, 253 characters
 * in all.
 */
export function isFullHostname(text: string): boolean {
  const labels = text.split('.')
  const isNumeric = /^[0-9]+$/.test(labels.at(-1) ?? '')
  return (
    text.length <= 253 &&
    labels.length >= 2 &&
    !isNumeric &&
    labels.every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label))
  )
}

/** `HOST:PORT`, with brackets around an IPv6 address. */
export function isHostAndPort(text: string): boolean {
  const [, digits] = /^(?:\[[0-9A-Fa-f:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text) ?? []
  return digits !== undefined && isPort(Number(digits))
}

/**
 * Reads where events may be posted to: an https address, or http to this machine, without a name or password in it.
 * Undefined where `text` is anything else.
 */
export function readWebhookAddress(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return undefined
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isHere = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere) ? url : undefined
}
