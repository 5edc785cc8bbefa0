/** What a host may be called (RFC 952; RFC 1123, 2.1; RFC 5890, 2.3.1): one answer for settings, requests and authorities. */
import { domainToASCII } from 'node:url'

const NAME_LIMIT = 253
const LABEL = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/

/** Why no host has this name, as the end of a sentence that begins with it; undefined where one may. One label is enough. */
export function findHostNameFault(text: string): string | undefined {
  if (/[^\0-\x7f]/.test(text)) {
    const ascii = domainToASCII(text)
    if (ascii === '') return 'has characters that no host name has'
    return findHostNameFault(ascii) ?? `is ${ascii} in certificates and in the DNS: write it so`
  }
  if (text.length > NAME_LIMIT) return `is longer than ${NAME_LIMIT} characters`
  if (text.endsWith('.')) return 'ends in a dot, and names in certificates do not'
  if (text.includes('_')) return 'has an underscore, which no host name has (RFC 952): letters, digits and hyphens only'
  const labels = text.split('.')
  if (!labels.every((label) => LABEL.test(label)))
    return 'is not a host name: letters, digits and inner hyphens, at most 63 between dots (RFC 952)'
  return /^[0-9]+$/.test(labels.at(-1) ?? '') ? 'ends in a number, as only addresses do' : undefined
}

/** The same for a name that must be full, as the one pools connect to. */
export function findFullHostNameFault(text: string): string | undefined {
  const isFull = text.includes('.') && !/^[0-9.:]*$/.test(text)
  return isFull ? findHostNameFault(text) : 'must be a full host name with dots, such as wlb.example.com'
}

/** ub-common-name, RFC 5280, appendix A.1. */
export const COMMON_NAME_LIMIT = 64
