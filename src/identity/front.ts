/**
 * A TLS server of the site's own before the appliance (stunnel, a proxy) that serves the same two files. It has to be
 * told that they changed, and only a handshake shows whether it heard.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { type CommandRun, runCommand } from '../base/run-command.js'
import type { FrontSettings } from '../config/settings.js'
import { probeServed } from '../tls/index.js'

const COMMAND_TIMEOUT_MS = 30_000

/** Runs the configured command. */
export function reloadFront({ reload }: FrontSettings, timeoutMs = COMMAND_TIMEOUT_MS): Promise<CommandRun> {
  return runCommand(reload, timeoutMs)
}

const PROOF_MS = 15_000
const PAUSE_MS = 200

/**
 * Shakes hands until that certificate is shown; a reload takes its time. Returns what was seen last: the fingerprint, or
 * why there was no handshake.
 */
export async function awaitServed(
  { address, port }: Pick<FrontSettings, 'address' | 'port'>,
  fingerprintSha256: string,
  patienceMs = PROOF_MS,
): Promise<string> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const timeoutMs = Math.max(1000, Math.ceil(deadline - performance.now()))
    const served = await probeServed({ address, port, timeoutMs })
    const seen = served.state === 'served' ? served.fingerprintSha256 : served.why
    if (seen === fingerprintSha256 || performance.now() >= deadline) return seen
    await wait(PAUSE_MS)
  }
}
