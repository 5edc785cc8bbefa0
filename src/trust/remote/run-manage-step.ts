/** One step on an appliance over SSH, for as long as the note there is this attempt's own; and the restart, which may need several tries. */
import { WlbError } from '../../base/error.js'
import type { SshConnection } from '../../ssh/connection.js'
import { commandFailed } from '../../ssh/run-command.js'
import { overtaken } from './manage-failure.js'
import type { ManageStep } from './manage-steps.js'
import { type ManagedPlace, tokenLine } from './managed-files.js'

const EXIT_OVERTAKEN = 75

/**
 * Each step but the first does nothing unless the note there is still the one of this attempt.
 *
 * @throws MANAGE_OVERTAKEN, SSH_COMMAND_FAILED, and what `run` throws.
 */
export async function runManageStep(
  ssh: SshConnection,
  { place, token }: { readonly place: ManagedPlace; readonly token: string },
  step: ManageStep,
  stdin?: string,
): Promise<void> {
  const isMine = `grep -qx '${tokenLine(token)}' ${place.journal} 2>/dev/null || exit ${EXIT_OVERTAKEN}; `
  const command = `${step.id === 'note' ? '' : isMine}${step.command}`
  const result = await ssh.run(command, stdin === undefined ? {} : { stdin })
  if (result.exitCode === EXIT_OVERTAKEN) throw overtaken(ssh.target, step)
  if (result.exitCode !== 0) throw commandFailed(ssh.target, step.command, result)
}

/**
 * A service that is still going down holds its port: what refuses to start is started again. Whether it serves, the proof says.
 * Empty when it has ended well, else what it said last.
 */
export async function restartService(ssh: SshConnection, restartCommand: string, patienceMs: number): Promise<string> {
  const until = Date.now() + patienceMs
  for (;;) {
    const said = await tryToRestart(ssh, restartCommand)
    if (said === '' || Date.now() > until) return said
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

async function tryToRestart(ssh: SshConnection, restartCommand: string): Promise<string> {
  try {
    const { exitCode, stderrTail } = await ssh.run(restartCommand, { leavesDaemon: true })
    return exitCode === 0 ? '' : stderrTail || `exit ${exitCode}`
  } catch (error) {
    if (!(error instanceof WlbError) || error.code === 'SSH_CONNECTION_LOST') throw error
    return error.message // one that stays in the foreground may serve all the same
  }
}

const RETRY_MS = 500
