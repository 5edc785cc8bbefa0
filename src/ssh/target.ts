/**
 * The machine and user to reach over SSH, as people write it: `user@host:port`, with an IPv6 address in brackets. What is left out
 * is left to the user's SSH settings (`route.ts`), and without those it is root and port 22.
 */
import { isIPv6 } from 'node:net'
import { type HostAddress, isHostAddress } from '../base/names/host-address.js'
import { quoteWord } from '../base/text/quote-word.js'

/** What was typed, no more. */
export interface TypedTarget {
  readonly user: string | undefined
  /** An address, or a name that the user's SSH settings give a meaning; without brackets. */
  readonly name: HostAddress
  readonly port: number | undefined
}

export interface SshTarget {
  readonly user: string
  /** Without brackets. */
  readonly host: HostAddress
  readonly port: number
  /** The name under which the user's SSH settings lead to it, where they say how to reach it. */
  readonly alias?: HostAddress | undefined
  /** The name that its keys have in `known_hosts` files, by the user's SSH settings. */
  readonly hostKeyAlias?: string | undefined
}

export const DEFAULT_USER = 'root'
export const DEFAULT_PORT = 22

const FORM = /^(?:([^@\s]+)@)?(\[[^\]\s]+\]|[^\s:@[\]]+)(?::(\d{1,5}))?$/

/** Undefined where it is not of that form. */
export function parseTarget(text: string): TypedTarget | undefined {
  if (isIPv6(text) && isHostAddress(text)) return { user: undefined, name: text, port: undefined }
  const [, user, place = '', portText] = FORM.exec(text) ?? []
  const isBracketed = place.startsWith('[')
  const name = isBracketed ? place.slice(1, -1) : place
  const port = portText === undefined ? undefined : Number(portText)
  const isPort = port === undefined || (port > 0 && port < 65_536)
  // a leading dash would make the user an option of the commands that remedies print
  const isPossible = isPort && (!isBracketed || isIPv6(name)) && !user?.startsWith('-')
  return isPossible && isHostAddress(name) ? { user, name, port } : undefined
}

/** The host as `known_hosts` files name it: in brackets with its port unless that is 22; an alias is used as it is. */
export function hostPattern({
  host,
  port,
  hostKeyAlias,
}: {
  readonly host: string
  readonly port: number
  readonly hostKeyAlias?: string | undefined
}): string {
  return hostKeyAlias ?? (port === DEFAULT_PORT ? host : `[${host}]:${port}`)
}

/** What to type for it. Where the user's SSH settings lead to it the port is always there, since they might have another one. */
export function renderSshTarget({
  user,
  host,
  port,
  alias,
}: {
  readonly user: string
  readonly host: string
  readonly port: number
  readonly alias?: string | undefined
}): string {
  const name = alias ?? host
  const place = name.includes(':') ? `[${name}]` : name
  return `${user}@${place}${port === DEFAULT_PORT && alias === undefined ? '' : `:${port}`}`
}

/** The host in a sentence: `name (host:port)` where the user's SSH settings have a name for it. */
export function nameHost({ host, port, alias }: SshTarget): string {
  const place = host.includes(':') ? `[${host}]` : host
  return alias === undefined || alias === host ? host : `${alias} (${place}:${port})`
}

/** The command line that runs `command`, quoted as far as it needs to be, on `target`, which `renderSshTarget` made. */
export function sshCommand(target: string, command: string): string {
  const { user, name, port } = parseTarget(target) ?? { user: undefined, name: target, port: undefined }
  return `ssh -p ${port ?? DEFAULT_PORT} ${quoteWord(`${user ?? DEFAULT_USER}@${name}`)} ${command}`
}
