/** The appliance's address as `host:port`, with brackets around an IPv6 address (docs/protocol/pool.md, the address). */
import { type HostAddress, isHostAddress } from '../../base/names/host-address.js'

export interface WlbAddress {
  readonly host: HostAddress
  readonly port: number
}

/** Reads `host:port`; undefined when `text` has another form. A path after the port is ignored, as pools do. */
export function parseWlbAddress(text: string): WlbAddress | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]/\s]+)):(\d{1,5})(?:\/.*)?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const number = Number(port)
  return host !== undefined && isHostAddress(host) && number >= 1 && number <= 65_535
    ? { host, port: number }
    : undefined
}

/** For names of certificates too, which need not be addresses. */
export function formatWlbAddress({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
