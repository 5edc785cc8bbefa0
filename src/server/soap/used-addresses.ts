/**
 * Under which names pools reach the appliance. Every request of a pool carries the host part of its `wlb_url` in the Host
 * header (docs/protocol/wlb.md), and that is the name its certificate must speak for. Kept for as long as the process runs.
 */
import { isIP } from 'node:net'

export interface UsedAddresses {
  /** Takes a Host header; what cannot be a name or an address is passed over. */
  note(host: string | undefined): void
  /** Lower case, the latest last. */
  list(): string[]
}

/** One appliance has one name, or a few: more is somebody who tries. */
const LIMIT = 20

export function rememberAddresses(): UsedAddresses {
  const used = new Set<string>()
  return {
    note: (host) => {
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

/** The port, which other clients add, and the brackets of IPv6, which pools leave out, are taken off. */
export function readHost(header: string): string | undefined {
  const bare = header.trim().toLowerCase()
  if (isIP(bare) !== 0) return bare
  const host = /^\[(.*)\](?::[0-9]*)?$/.exec(bare)?.[1] ?? bare.replace(/:[0-9]*$/, '')
  const isName = host.length <= 253 && /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/.test(host)
  return isName || isIP(host) !== 0 ? host : undefined
}
