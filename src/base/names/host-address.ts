/** Addresses of machines: what may stand in an address from a pool, a file or a command line, before it is used or shown. */
import { isIP } from 'node:net'
import { fail } from '../errors.js'

/** A host name or an IP address; it holds nothing that a shell or a terminal gives a meaning. */
export type HostAddress = string & { readonly [brand]: true }
declare const brand: unique symbol

/**
 * Reads an address that a pool, a file or a person gave.
 *
 * @throws HOST_ADDRESS_INVALID; `of` says whose address it was to be.
 */
export function readHostAddress(text: string, of: string): HostAddress {
  if (!isHostAddress(text)) throw fail('HOST_ADDRESS_INVALID', { of, address: text })
  return text
}

/** Names as in DNS, and with the underscore that some have (RFC 1123, 2.1); IPv6 without brackets. */
export function isHostAddress(text: string): text is HostAddress {
  const isName = text.length <= 253 && /^[A-Za-z0-9_]([A-Za-z0-9_-]*)(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*\.?$/.test(text)
  return isName || isIP(text) !== 0
}
