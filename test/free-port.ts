/**
 * Ports for programs that have to be told one. Linux takes the ports of outgoing connections from a range; these lie outside of it
 * and are given out once in a run, so that nothing else has the port before the program listens there, or while it is restarted.
 */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { OWN_ADDRESS, runFolder } from './run-folder.js'

const LOWEST = 20_001

/** A port of `OWN_ADDRESS` that nobody has. */
export async function freePort(): Promise<number> {
  const folder = runFolder('ports')
  if (folder === undefined) return (await tryToListen(0)) ?? freePort() // bench
  const highest = readFirstEphemeralPort() - 1
  for (;;) {
    const port = randomInt(LOWEST, highest + 1)
    if (isFirst(join(folder, String(port))) && (await tryToListen(port)) !== undefined) return port
  }
}

function readFirstEphemeralPort(): number {
  const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)
  return Number(first)
}

/** Two processes of the run do not get the same port. */
function isFirst(file: string): boolean {
  try {
    mkdirSync(file)
    return true
  } catch {
    return false
  }
}

/** The port it listened on for a moment; undefined where something else listens, on every address perhaps. */
async function tryToListen(wanted: number): Promise<number | undefined> {
  const server = createServer()
  try {
    await once(server.listen(wanted, OWN_ADDRESS), 'listening')
  } catch {
    return undefined
  }
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}
