/** Observes many pools at once; one that fails is a line of its own and does not affect the others. */

import { mapBounded } from '../../base/bounded.js'
import { WlbError } from '../../base/error.js'
import { explainRefusal, type PoolAccess, type WlbAddress, withPool } from '../../xapi/index.js'
import { readKnownCertificates } from '../run/journal-records.js'
import type { Connection, HostVerdict } from './connection.js'
import { observe } from './observe.js'
import { judgeHosts } from './predict.js'
import { proveHosts } from './prove.js'

export interface FleetMember {
  readonly name: string
  /** Called when the pool's turn comes: a missing password file affects this pool only. */
  readonly access: () => Promise<PoolAccess>
  readonly appliance: WlbAddress | undefined
  /** Its folder, where it is on this machine and says more of itself. */
  readonly applianceRoot?: string
}

export type FleetLine =
  | {
      readonly state: 'seen'
      readonly name: string
      readonly connection: Connection
      readonly verdicts: readonly HostVerdict[]
      readonly tookMs: number
    }
  | { readonly state: 'not seen'; readonly name: string; readonly error: WlbError; readonly tookMs: number }

export interface FleetOptions {
  /** How many pools at once. */
  readonly atOnce: number
  readonly now: () => Date
  readonly onPool?: (line: FleetLine) => void
}

const PROOF_TIMEOUT_MS = 15_000

/** One line a pool, in the order given. Expected failures are lines; a defect of ours is thrown. */
export function lookAtFleet(pools: readonly FleetMember[], options: FleetOptions): Promise<readonly FleetLine[]> {
  return mapBounded(pools, options.atOnce, async (pool) => {
    const line = await lookAtPool(pool, options.now())
    options.onPool?.(line)
    return line
  })
}

async function lookAtPool({ name, access, appliance, applianceRoot }: FleetMember, now: Date): Promise<FleetLine> {
  const startedMs = performance.now()
  const tookMs = () => Math.round(performance.now() - startedMs)
  try {
    return await withPool(await access(), async (session) => {
      const known = await readKnownCertificates()
      const connection = await observe(session, { now, known, appliance, applianceRoot })
      const proofs = await proveHosts(session, connection, { timeoutMs: PROOF_TIMEOUT_MS })
      return { state: 'seen', name, connection, verdicts: judgeHosts(connection, proofs), tookMs: tookMs() }
    })
  } catch (caught) {
    const error = explainRefusal(caught, 'trust status')
    if (!(error instanceof WlbError)) throw error
    return { state: 'not seen', name, error, tookMs: tookMs() }
  }
}
