/**
 * Where a lab listens: an address a host in 127.0.0.0/8, one pair of ports for all. The plain port is 80 and the TLS
 * port 443 where the lab may; otherwise the TLS port is the plain port plus 363, as 443 is 80 plus 363
 * (docs/protocol/pool.md, ports).
 */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { WlbError } from '../../base/error.js'

export interface Addresses {
  readonly addresses: readonly string[]
  readonly plainPort: number
  readonly tlsPort: number
}

const TLS_OFFSET = 363
const FIRST_HIGH_PORT = 8080
const BLOCKS_TO_TRY = 20
const PORTS_TO_TRY = 20

/** Finds addresses nobody listens on, by listening there for a moment. @throws LAB_NO_ADDRESS */
export async function chooseAddresses(count: number): Promise<Addresses> {
  for (let attempt = 0; attempt < BLOCKS_TO_TRY; attempt++) {
    // Blocks are tried at random, so that labs started at the same moment do not meet.
    const block = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`
    const addresses = Array.from({ length: count }, (_, index) => `${block}.${index + 1}`)
    for (const plainPort of plainPorts()) {
      const tlsPort = plainPort + TLS_OFFSET
      if (await areFree(addresses, [plainPort, tlsPort])) return { addresses, plainPort, tlsPort }
    }
  }
  throw noAddress(count)
}

function plainPorts(): number[] {
  return [80, ...Array.from({ length: PORTS_TO_TRY }, (_, index) => FIRST_HIGH_PORT + index)]
}

async function areFree(addresses: readonly string[], ports: readonly number[]): Promise<boolean> {
  for (const address of addresses) {
    for (const port of ports) if (!(await isFree(address, port))) return false
  }
  return true
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, address, () => server.close(() => resolve(true)))
  })
}

function noAddress(hosts: number): WlbError {
  return new WlbError(
    'LAB_NO_ADDRESS',
    'No free addresses in 127.0.0.0/8 were found for the hosts of the lab.',
    { hosts, blocksTried: BLOCKS_TO_TRY },
    'ss -ltn',
  )
}
