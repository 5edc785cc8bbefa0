/**
 * Records the host names that pools use to reach the appliance. Every request of a pool carries the host part of its
 * `wlb_url` in the Host header (docs/protocol/wlb.md), and the certificate must be valid for that name. Kept in memory only.
 */
import { isIP } from 'node:net'

export interface UsedAddresses {
  /** Takes a Host header; what cannot be a name or an address is ignored. */
  record(host: string | undefined): void
  /** Lower case, the latest last. */
  list(): string[]
}

/** An appliance has one name, or a few; more are a client that makes them up. */
const LIMIT = 20

export function recordAddresses(): UsedAddresses {
  const used = new Set<string>()
  return {
    record: (host) => {
      const address = readHost(host ?? '')
      if (address === undefined) return
      used.delete(address)
      used.add(address)
      const [oldest] = used
      if (used.size > LIMIT && oldest !== undefined) used.delete(oldest)
    },
    list: () => [...used],
  }
}

/** Removes the port, which other clients add, and the brackets of IPv6, which pools leave out. */
export function readHost(header: string): string | undefined {
  const bare = header.trim().toLowerCase()
  if (isIP(bare) !== 0) return bare
  const host = /^\[(.*)\](?::[0-9]*)?$/.exec(bare)?.[1] ?? bare.replace(/:[0-9]*$/, '')
  const isName = host.length <= 253 && /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/.test(host)
  return isName || isIP(host) !== 0 ? host : undefined
}
