/** The rules for the addresses that settings hold. */
import { isIP } from 'node:net'

export const LISTEN_ADDRESS_RULE = 'must be an IP address of this machine, or 0.0.0.0 or :: for all of them'
export const PORT_RULE = 'must be a whole number from 1 to 65535'

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
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
