/** One verdict a host: its own word where it gave one, else what is predicted, and always which of the two it is. */

import type { HostFacts } from '../../xapi/pool/pool-records.js'
import type { Connection, HostProof, HostVerdict } from './connection.js'
import { rehearse } from './rehearse.js'

/** Why a verdict of a plan is a prediction. */
export const NOT_YET = 'nothing was changed yet'

/** The verdicts of a plan whose run ended before any host was asked. */
export function unasked({ pool }: Connection, verdicts: readonly HostVerdict[]): readonly HostVerdict[] {
  const why = pool.wlbUrl === '' ? 'the pool is not connected' : 'it was not asked'
  return verdicts.map((verdict) => (verdict.why === NOT_YET ? { ...verdict, why } : verdict))
}

/**
 * `proofs` in the order of the connection's hosts. While the pool does not verify, a host that connects has proved
 * credentials and network alone: of its trust there is a prediction.
 */
export function judgeHosts(connection: Connection, proofs: readonly HostProof[]): readonly HostVerdict[] {
  return connection.hosts.map((host, index) => judgeHost(connection, host, proofs[index]))
}

function judgeHost(connection: Connection, host: HostFacts, proof: HostProof | undefined): HostVerdict {
  if (proof?.kind === 'refused') {
    return { host: host.name, verdict: 'refused', proof: 'host', error: proof.error, why: '' }
  }
  if (proof?.kind === 'accepted' && connection.pool.verifies) {
    return { host: host.name, verdict: 'accepted', proof: 'host', error: [], why: '' }
  }
  const reason =
    proof?.kind === 'accepted' ? 'it connected, and verification is off' : (proof?.why ?? 'it was not asked')
  return predict(connection, host, reason)
}

function predict(connection: Connection, host: HostFacts, reason: string): HostVerdict {
  const prediction = rehearse(connection, host)
  const verdict = { host: host.name, verdict: prediction.kind, proof: 'predicted', error: [], why: reason } as const
  switch (prediction.kind) {
    case 'accepted':
      return verdict
    case 'refused':
      return { ...verdict, error: prediction.error }
    case 'unknown':
      return { ...verdict, why: `${reason}; ${prediction.why}` }
  }
}
