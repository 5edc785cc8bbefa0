/**
 * The machine and user to reach over SSH, as people write it: `user@host:port`, with an IPv6 address in brackets; root
 * and port 22 by default.
 */
import { isIPv6 } from 'node:net'
import { type HostAddress, isHostAddress } from '../base/names/host-address.js'
import { quoteWord } from '../base/text/quote-word.js'

export interface SshTarget {
  readonly user: string
  /** Without brackets. */
  readonly host: HostAddress
  readonly port: number
}

const FORM = /^(?:([^@\s]+)@)?(\[[^\]\s]+\]|[^\s:@[\]]+)(?::(\d{1,5}))?$/

/** Undefined where it is not of that form. */
export function parseTarget(text: string): SshTarget | undefined {
  if (isIPv6(text) && isHostAddress(text)) return { user: 'root', host: text, port: 22 }
  const [, user = 'root', place = '', portText = '22'] = FORM.exec(text) ?? []
  const isBracketed = place.startsWith('[')
  const host = isBracketed ? place.slice(1, -1) : place
  const port = Number(portText)
  // a leading dash would make the user an option of the commands that remedies print
  const isPossible = port > 0 && port < 65_536 && (!isBracketed || isIPv6(host)) && !user.startsWith('-')
  return isPossible && isHostAddress(host) ? { user, host, port } : undefined
}

/** The host as `known_hosts` files name it: in brackets with its port unless that is 22. */
export function hostPattern({ host, port }: { readonly host: string; readonly port: number }): string {
  return port === 22 ? host : `[${host}]:${port}`
}

export function renderSshTarget({
  user,
  host,
  port,
}: {
  readonly user: string
  readonly host: string
  readonly port: number
}): string {
  const place = host.includes(':') ? `[${host}]` : host
  return `${user}@${place}${port === 22 ? '' : `:${port}`}`
}

/** The command line that runs `command`, quoted as far as it needs to be, on `target`, which `renderSshTarget` made. */
export function sshCommand(target: string, command: string): string {
  const { user, host, port } = parseTarget(target) ?? { user: 'root', host: target, port: 22 }
  return `ssh -p ${port} ${quoteWord(`${user}@${host}`)} ${command}`
}
