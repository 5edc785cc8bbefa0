/** IP addresses in text, told from names. */
import { isIPv4, isIPv6 } from 'node:net'

/** As `isIP` of Node, which for a name makes an expression for IPv6 that takes longer than all else about it. */
export function isAddress(text: string): boolean {
  return text.includes(':') ? isIPv6(text) : isIPv4(text)
}
