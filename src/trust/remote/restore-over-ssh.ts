/**
 * Puts back the pair that an appliance had before it was replaced over SSH, from the copy kept there, and proves by a
 * handshake that it is served. It works from any point at which the replacement or an earlier restore was interrupted.
 */
import { randomBytes } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { awaitServed, type InstallStep } from '../../identity/index.js'
import { renderSshTarget, type SshConnection } from '../../ssh/index.js'
import { probeServed } from '../../tls/index.js'
import type { ApplianceEndpoint } from '../connection/first-use.js'
import { fail } from './errors.js'
import { finish, note, protect, putBack, restart } from './manage-steps.js'
import { isSamePair, type ManagedFiles, managedPlace, type PairDigests, readManagedFiles } from './managed-files.js'
import { type ReplacementOptions, restartService, runManageStep } from './replace-over-ssh.js'

export interface RestoreRequest {
  readonly before: PairDigests
  readonly replacedBy: PairDigests
  /** SHA-256 of the leaf that was served before. */
  readonly servedBefore: string
  readonly endpoint: ApplianceEndpoint
  readonly applianceRoot: string
  readonly restartCommand: string
}

/**
 * A pair that is neither of the two was put there since, and is left alone.
 *
 * @throws RESTORE_NOT_KEPT with nothing changed; RESTORE_NOT_PROVED when the pair is back and not served; RESTORE_INTERRUPTED
 * when the connection is cut; MANAGE_OVERTAKEN, SSH_COMMAND_FAILED.
 */
export async function restoreOverSsh(
  ssh: SshConnection,
  { before, replacedBy, servedBefore, endpoint, applianceRoot, restartCommand }: RestoreRequest,
  { onStep, proofMs }: ReplacementOptions,
): Promise<'already so' | 'restored' | 'another pair'> {
  const target = renderSshTarget(ssh.target)
  const place = managedPlace(applianceRoot)
  const [seen, served] = await Promise.all([readManagedFiles(ssh, place), probeServed(endpoint)])
  const isServed = served.state === 'served' && served.fingerprintSha256 === servedBefore
  if (!isOneOf(seen, before, replacedBy)) return 'another pair'
  const isBack = isSamePair(seen.inPlace, before)
  if (isBack && isServed && !seen.journal) return 'already so'
  if (!isBack && !isSamePair(seen.original, before)) {
    throw fail('RESTORE_NOT_KEPT', { target, kept: `${place.certificate}_orig` })
  }

  const order = { place, wanted: replacedBy, token: randomBytes(8).toString('hex') }
  let output = ''
  const run = async (step: InstallStep) => {
    await onStep?.(step)
    if (step.id === 'restart') output = await restartService(ssh, restartCommand, proofMs)
    else await runManageStep(ssh, order, step)
  }
  try {
    await run(note(order, before)) // the same journal as in the replacement: an attempt that finds it puts the same pair back
    if (!isBack) await run(putBack(place, before, 'move'))
    await run(protect(place))
    if (!isBack || !isServed) await run(restart(restartCommand))
    const shown = await awaitServed(endpoint, servedBefore, proofMs)
    if (shown !== servedBefore) {
      const facts = { target, expected: servedBefore, seen: shown, restartCommand, restartSaid: output || undefined }
      throw fail('RESTORE_NOT_PROVED', facts)
    }
    await run(finish(place))
  } catch (error) {
    const isCut = error instanceof WlbError && error.code === 'SSH_CONNECTION_LOST'
    throw isCut ? fail('RESTORE_INTERRUPTED', { target }, error) : error
  }
  return 'restored'
}

/** One of the two pairs, or one file of each: what an interrupted exchange can leave. */
function isOneOf({ inPlace }: ManagedFiles, before: PairDigests, replacedBy: PairDigests): boolean {
  const isKnown = (part: keyof PairDigests) => [before[part], replacedBy[part]].includes(inPlace[part])
  return isKnown('certificate') && isKnown('key')
}
