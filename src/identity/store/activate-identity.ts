/** Makes the appliance, and a TLS server before it, serve the pair on disk, and proves it by handshakes. */

import { setTimeout as wait } from 'node:timers/promises'
import { type CommandRun, runCommand } from '../../base/run-command.js'
import {
  askAppliance,
  type FrontSettings,
  paths,
  readReloaded,
  readSettings,
  type Settings,
} from '../../config/index.js'
import { checkIdentity, probeServed, reachable } from '../../tls/index.js'
import { readIdentity } from './identity-files.js'

/** Whether a handshake has shown the certificate. */
export interface Proof {
  readonly who: 'appliance' | 'front'
  readonly address: string
  readonly port: number
  /** The fingerprint seen, or why there was no handshake. */
  readonly seen: string
  /** The appliance's error, or the output of the reload command; empty after a success. */
  readonly said: string
}

export type Activation =
  | { readonly state: 'proved'; readonly fingerprintSha256: string; readonly proofs: readonly Proof[] }
  /** Nothing is running, so nothing could be proved; the next start serves the pair on disk. */
  | { readonly state: 'not running'; readonly fingerprintSha256: string }
  /** `failed` is the first that serves something else. */
  | { readonly state: 'failed'; readonly fingerprintSha256: string; readonly failed: Proof }

export interface Patience {
  /** How long the reload command may take; 30 seconds by default. */
  readonly commandMs?: number
  /** How long the front may go on serving the certificate before; 15 seconds by default. */
  readonly frontMs?: number
}

const RELOAD_TIMEOUT_MS = 25_000
const PROBE_TIMEOUT_MS = 10_000

/**
 * Asks the running appliance to read its files again, runs the reload command of a configured front (a TLS server before the
 * appliance that serves the same files), and makes a handshake with both. A configured front has to be running.
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
  // a command that failed may still have reloaded it: one handshake shows that, without waiting
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
const PAUSE_MS = 100

/**
 * Makes handshakes until that certificate is served, since a reload or restart takes its time. Returns what was seen last: the
 * SHA-256 of the leaf, or why there was no handshake.
 */
export async function awaitServed(
  endpoint: {
    readonly address: string
    readonly port: number
    readonly serverName?: string | undefined
    /** Of one handshake. */
    readonly timeoutMs?: number
  },
  fingerprintSha256: string,
  patienceMs = PROOF_MS,
): Promise<string> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const leftMs = Math.max(1000, Math.ceil(deadline - performance.now()))
    const served = await probeServed({ ...endpoint, timeoutMs: Math.min(endpoint.timeoutMs ?? leftMs, leftMs) })
    const seen = served.state === 'served' ? served.fingerprintSha256 : served.why
    if (seen === fingerprintSha256 || performance.now() >= deadline) return seen
    await wait(PAUSE_MS)
  }
}
