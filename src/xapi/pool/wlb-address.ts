/** The appliance's address as `host:port`, with brackets around an IPv6 address (docs/protocol/pool.md, the address). */
import { type HostAddress, isHostAddress } from '../../base/host-address.js'

export interface WlbAddress {
  readonly host: string
  readonly port: number
}

/** One that was read, and may be shown in a command. */
export interface ReadAddress extends WlbAddress {
  readonly host: HostAddress
}

/** Reads `host:port`; undefined when `text` has another form. A path after the port is ignored, as pools do. */
export function parseWlbAddress(text: string): ReadAddress | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]/\s]+)):(\d{1,5})(?:\/.*)?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const number = Number(port)
  return host !== undefined && isHostAddress(host) && number >= 1 && number <= 65_535
    ? { host, port: number }
    : undefined
}

export function formatWlbAddress({ host, port }: WlbAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
