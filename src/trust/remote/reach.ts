/** How appliances on other machines are reached by whoever has something to do there: what no journal can know. */
import type { SshConnection } from '../../ssh/connection.js'
import type { SshTarget } from '../../ssh/target.js'
import type { ManageStep } from './manage-steps.js'

export interface SshReach {
  /** Verifies the host's key each time it connects. The connection stays its maker's, who closes it. */
  connect(target: SshTarget): Promise<SshConnection>
  /** Restarts the TLS service there, where it is not restarted as was said when the exchange began. */
  readonly restartCommand: string | undefined
  /** How long a restarted service may take to serve what it should. */
  readonly proofMs: number
  /** Told before each step there. */
  readonly onStep?: (step: ManageStep) => void
}
