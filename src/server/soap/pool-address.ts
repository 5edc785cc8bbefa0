/** Where a pool's XenAPI is, from what the pool says of itself (docs/protocol/pool.md, how the appliance reaches the pool). */
import { isIP } from 'node:net'
import { type HostAddress, isHostAddress } from '../../base/names/host-address.js'

export interface PoolAddress {
  /** An IP address, IPv6 without brackets. */
  readonly address: HostAddress
  readonly plainPort: number
  readonly tlsPort: number
}

/** A pool names its plain port, and we speak TLS only: 80 stands for 443, and every other port for one as far above it. */
const TLS_DISTANCE = 363

/** Reads `http://192.0.2.10:80/`: an address and not a name, and nothing behind the slash. Undefined when it is anything else. */
export function readPoolUrl(text: string): PoolAddress | undefined {
  const [, bracketed, plain, digits = '80'] = /^http:\/\/(?:\[([^\]]+)\]|([^:/]+))(?::(\d{1,5}))?\/?$/i.exec(text) ?? []
  const address = bracketed ?? plain ?? ''
  const plainPort = Number(digits)
  const tlsPort = plainPort + TLS_DISTANCE
  if (
    !isHostAddress(address) ||
    isIP(address) !== (bracketed === undefined ? 4 : 6) ||
    plainPort < 1 ||
    tlsPort > 65_535
  )
    return undefined
  return { address, plainPort, tlsPort }
}
