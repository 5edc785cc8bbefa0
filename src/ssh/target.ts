/** Whom to reach over SSH, as people write it: `user@host:port`, an IPv6 address in brackets; root and port 22 go without saying. */
import { isIPv6 } from 'node:net'
import { WlbError } from '../base/error.js'

export interface SshTarget {
  readonly user: string
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
}

const FORM = /^(?:([^@\s]+)@)?(\[[^\]\s]+\]|[^\s:@[\]]+)(?::(\d{1,5}))?$/

/** @throws USAGE_SSH_TARGET */
export function parseSshTarget(text: string): SshTarget {
  if (isIPv6(text)) return { user: 'root', host: text, port: 22 }
  const [, user = 'root', place = '', portText = '22'] = FORM.exec(text) ?? []
  const isBracketed = place.startsWith('[')
  const host = isBracketed ? place.slice(1, -1) : place
  const port = Number(portText)
  const isPossible = host !== '' && port > 0 && port < 65_536 && (!isBracketed || isIPv6(host))
  // a name with a dash in front would be an option to the programs that are named to be typed
  if (!isPossible || host.startsWith('-') || user.startsWith('-')) throw targetMalformed(text)
  return { user, host, port }
}

/** The host as `known_hosts` files name it: in brackets with its port where that is not the usual one. */
export function hostPattern({ host, port }: Pick<SshTarget, 'host' | 'port'>): string {
  return port === 22 ? host : `[${host}]:${port}`
}

export function renderSshTarget({ user, host, port }: SshTarget): string {
  const place = host.includes(':') ? `[${host}]` : host
  return `${user}@${place}${port === 22 ? '' : `:${port}`}`
}

function targetMalformed(given: string): WlbError {
  return new WlbError(
    'USAGE_SSH_TARGET',
    'That does not say whom to reach over SSH: USER@HOST, USER@HOST:PORT, or USER@[IPV6]:PORT.',
    { given },
    'wlb trust fetch root@wlb.example.com',
  )
}
