/** Makes what is served equal to what is on disk, and proves it: whoever is to serve it is told, then asked by a handshake. */

import { setTimeout as wait } from 'node:timers/promises'
import { type CommandRun, runCommand } from '../../base/run-command.js'
import { askAppliance } from '../../config/control.js'
import { paths } from '../../config/paths.js'
import { readReloaded } from '../../config/reloaded.js'
import { type FrontSettings, readSettings, type Settings } from '../../config/settings.js'
import { checkIdentity, probeServed, reachable } from '../../tls/index.js'
import { readIdentity } from './identity-files.js'

/** Where a handshake has shown the certificate, or has not. */
export interface Proof {
  readonly who: 'appliance' | 'front'
  readonly address: string
  readonly port: number
  /** The fingerprint seen, or why there was no handshake. */
  readonly seen: string
  /** What was said about it: the appliance's refusal, or the reload command's words. Empty when there is nothing to say. */
  readonly said: string
}

export type Activation =
  | { readonly state: 'proved'; readonly fingerprintSha256: string; readonly proofs: readonly Proof[] }
  /** Nothing serves here, and nothing could be proved; the next start serves what is on disk. */
  | { readonly state: 'not running'; readonly fingerprintSha256: string }
  /** `failed` is the first that shows something else. */
  | { readonly state: 'failed'; readonly fingerprintSha256: string; readonly failed: Proof }

export interface Patience {
  /** How long the reload command may take; 30 seconds unless said otherwise. */
  readonly commandMs?: number
  /** How long the front may show the certificate before; 15 seconds unless said otherwise. */
  readonly frontMs?: number
}

const RELOAD_TIMEOUT_MS = 25_000
const PROBE_TIMEOUT_MS = 10_000

/**
 * Asks the running appliance to look at its files, runs the reload command of a configured front, and shakes hands with
 * both. A front that is configured has to be there.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, IDENTITY_INCOMPLETE, APPLIANCE_SILENT, and the codes of `checkIdentity`.
 */
export async function activateIdentity(root: string, patience: Patience = {}): Promise<Activation> {
  const place = paths(root)
  const settings = await readSettings(place.settings)
  const fingerprintSha256 = checkIdentity(await readIdentity(place)).fingerprint256
  const asked = [
    await activateAppliance(place.controlSocket, fingerprintSha256),
    await activateFront(settings, fingerprintSha256, patience),
  ]
  const proofs = asked.filter((proof) => proof !== undefined)
  const failed = proofs.find(({ seen }) => seen !== fingerprintSha256)
  if (failed) return { state: 'failed', fingerprintSha256, failed }
  return proofs.length === 0
    ? { state: 'not running', fingerprintSha256 }
    : { state: 'proved', fingerprintSha256, proofs }
}

async function activateAppliance(controlSocket: string, expected: string): Promise<Proof | undefined> {
  const answer = await askAppliance(controlSocket, 'POST', '/reload', RELOAD_TIMEOUT_MS)
  if (answer === undefined) return undefined
  const { address, port, refused } = readReloaded(answer)
  const said = refused === null ? '' : `${refused.message} [${refused.code}]`
  const served = await probeServed({ address: reachable(address), port, timeoutMs: PROBE_TIMEOUT_MS })
  const seen = served.state === 'served' ? served.fingerprintSha256 : served.why
  return { who: 'appliance', address, port, seen, said: seen === expected ? '' : said }
}

async function activateFront(
  { front }: Settings,
  expected: string,
  { commandMs, frontMs }: Patience,
): Promise<Proof | undefined> {
  if (!front) return undefined
  const { address, port } = front
  const { command, exitCode, output } = await reloadFront(front, commandMs)
  // one that failed has changed nothing, or has: a look tells, but there is nothing to wait for
  const seen = await awaitServed(front, expected, exitCode === 0 ? frontMs : 0)
  const ended = exitCode === null ? 'did not end' : `ended with ${exitCode}`
  const said = seen === expected ? '' : `${command} ${ended}${output && `: ${output}`}`
  return { who: 'front', address, port, seen, said }
}

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
