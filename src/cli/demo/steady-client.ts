/** A client that connects again and again as a host of the pool, with that host's trust store, and counts the outcomes. */
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { dialAsPool } from '../../tls/index.js'

export interface SteadyClient {
  /** Ends it; what it found: how many connections verified, and why the others did not. */
  stop(): Promise<{ readonly verified: number; readonly failures: readonly string[] }>
}

export interface SteadyTarget {
  /** The root folder of a host of the lab. */
  readonly hostRoot: string
  readonly name: string
  readonly address: string
  readonly port: number
}

const PAUSE_MS = 15
const TIMEOUT_MS = 10_000

/** One connection after the other, some thirty a second, until it is stopped. */
export function startSteadyClient({ hostRoot, name, address, port }: SteadyTarget): SteadyClient {
  const bundlePath = join(hostRoot, 'etc/stunnel/xapi-stunnel-ca-bundle.pem')
  const verify = { bundlePath, crlDirectory: join(hostRoot, 'etc/stunnel/crls') }
  const failures: string[] = []
  let verified = 0
  let ended = false
  const work = async () => {
    while (!ended) {
      const dial = { client: 'node', serverName: name, address, port, verify, timeoutMs: TIMEOUT_MS } as const
      const connection = await dialAsPool(dial)
      if (connection.state === 'failed') failures.push(JSON.stringify(connection.failure))
      else {
        verified++
        connection.stream.on('error', () => {}).end()
        connection.stream.resume()
        await once(connection.stream, 'close')
      }
      await setTimeout(PAUSE_MS)
    }
  }
  const working = work()
  return {
    stop: async () => {
      ended = true
      await working
      return { verified, failures }
    },
  }
}
