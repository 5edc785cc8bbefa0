/**
 * The pair that an appliance had before it was replaced over SSH, put back from what was kept there, served and proved by a
 * handshake from here. It may be begun at any point of the way there, and again at any point of the way back.
 */
import { randomBytes } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { quoteWord } from '../../base/quote-word.js'
import type { SshConnection } from '../../ssh/connection.js'
import { renderSshTarget, type SshTarget } from '../../ssh/target.js'
import { probeServed } from '../../tls/index.js'
import type { ApplianceEndpoint } from '../connection/first-use.js'
import { awaitServed } from './await-served.js'
import { finish, type ManageStep, note, protect, putBack, restart } from './manage-steps.js'
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
 * A pair that is neither of the two was put there by somebody since, and is left alone.
 *
 * @throws RESTORE_NOT_KEPT with nothing changed; RESTORE_NOT_PROVED when the pair is back and not served; RESTORE_INTERRUPTED
 * when the connection is cut; MANAGE_OVERTAKEN, SSH_COMMAND_FAILED.
 */
export async function restoreOverSsh(
  ssh: SshConnection,
  { before, replacedBy, servedBefore, endpoint, applianceRoot, restartCommand }: RestoreRequest,
  { onStep, proofMs }: ReplacementOptions,
): Promise<'already so' | 'restored' | 'another pair'> {
  const place = managedPlace(applianceRoot)
  const [seen, served] = await Promise.all([readManagedFiles(ssh, place), probeServed(endpoint)])
  const isServed = served.state === 'served' && served.fingerprintSha256 === servedBefore
  if (!isOneOf(seen, before, replacedBy)) return 'another pair'
  const isBack = isSamePair(seen.inPlace, before)
  if (isBack && isServed && !seen.journal) return 'already so'
  if (!isBack && !isSamePair(seen.original, before)) throw notKept(ssh.target, `${place.certificate}_orig`)

  const order = { place, wanted: replacedBy, token: randomBytes(8).toString('hex') }
  let said = ''
  const run = async (step: ManageStep) => {
    await onStep?.(step)
    if (step.id === 'restart') said = await restartService(ssh, restartCommand, proofMs)
    else await runManageStep(ssh, order, step)
  }
  try {
    await run(note(order, before)) // that of the way there: who finds it puts the same pair back
    if (!isBack) await run(putBack(place, before, 'move'))
    await run(protect(place))
    if (!isBack || !isServed) await run(restart(restartCommand))
    const proof = await awaitServed(endpoint, servedBefore, proofMs)
    if (!proof.isServed) throw notProved(ssh.target, { expected: servedBefore, seen: proof.seen, said, restartCommand })
    await run(finish(place))
  } catch (error) {
    const isCut = error instanceof WlbError && error.code === 'SSH_CONNECTION_LOST'
    throw isCut ? interrupted(ssh.target, error) : error
  }
  return 'restored'
}

/** Whole, or half of each: what an exchange leaves behind wherever it is cut. */
function isOneOf({ inPlace }: ManagedFiles, before: PairDigests, replacedBy: PairDigests): boolean {
  const isKnown = (part: keyof PairDigests) => [before[part], replacedBy[part]].includes(inPlace[part])
  return isKnown('certificate') && isKnown('key')
}

function notKept(target: SshTarget, kept: string): WlbError {
  return new WlbError(
    'RESTORE_NOT_KEPT',
    'The pair that the appliance had before is not kept there any more, so it cannot be put back; nothing was changed.',
    { target: renderSshTarget(target), kept },
    'wlb trust install USER@HOST FILES --key FILE',
  )
}

function notProved(
  target: SshTarget,
  facts: {
    readonly expected: string
    readonly seen: string
    readonly said: string
    readonly restartCommand: string
  },
): WlbError {
  const { expected, seen, said, restartCommand } = facts
  return new WlbError(
    'RESTORE_NOT_PROVED',
    'The pair before is back in its place on the appliance, and it is not served.',
    { target: renderSshTarget(target), expected, seen, ...(said !== '' && { restartSaid: said }) },
    `ssh -p ${target.port} ${quoteWord(`${target.user}@${target.host}`)} ${quoteWord(restartCommand)}`,
  )
}

function interrupted(target: SshTarget, cause: unknown): WlbError {
  return new WlbError(
    'RESTORE_INTERRUPTED',
    'The SSH connection was cut while the pair before was put back; the same command again finds the note there, and ends it.',
    { target: renderSshTarget(target) },
    'wlb trust undo',
    cause,
  )
}
