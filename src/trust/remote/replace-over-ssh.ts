/**
 * Certificate and key of an appliance that is not ours, replaced over SSH: planned from what lies there, carried out step by
 * step, proved by a handshake from here, and taken back when the proof fails. A cut at any point leaves a note there by which
 * the next attempt goes on or puts the old pair back.
 */
import { randomBytes, type X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { quoteWord } from '../../base/quote-word.js'
import type { SshConnection } from '../../ssh/connection.js'
import { commandFailed } from '../../ssh/run-command.js'
import { renderSshTarget, type SshTarget } from '../../ssh/target.js'
import { probeServed, type ServedIdentity } from '../../tls/index.js'
import type { ApplianceEndpoint } from '../connection/first-use.js'
import { awaitServed, type ServedProof } from './await-served.js'
import { finish, listManageSteps, type ManageStep, type ManageSteps, putBack } from './manage-steps.js'
import {
  digestsOf,
  isSamePair,
  type ManagedPlace,
  managedPlace,
  type PairDigests,
  readManagedFiles,
  tokenLine,
} from './managed-files.js'

export interface ReplacementRequest {
  readonly identity: ServedIdentity
  readonly leaf: X509Certificate
  /** Where its TLS service is reached from here: the proof is made there. */
  readonly endpoint: ApplianceEndpoint
  /** Where the appliance's files lie on its machine; `/` on a real one. */
  readonly applianceRoot?: string
  readonly restartCommand?: string
}

export interface ReplacementPlan extends ManageSteps {
  readonly request: ReplacementRequest
  readonly place: ManagedPlace
  readonly restartCommand: string
  readonly wanted: PairDigests
  readonly token: string
  /** SHA-256 of what is served now; undefined when nothing is. */
  readonly servedBefore: string | undefined
}

/** The words of the procedure by hand. */
export const RESTART_COMMAND = 'killall stunnel; stunnel'

/** Looks, and changes nothing. No steps: the pair is in place and served. @throws MANAGE_NOT_REPAIRABLE and what looking throws. */
export async function planReplacement(ssh: SshConnection, request: ReplacementRequest): Promise<ReplacementPlan> {
  const { identity, leaf, endpoint, applianceRoot = '/', restartCommand = RESTART_COMMAND } = request
  const place = managedPlace(applianceRoot)
  const wanted = digestsOf(identity)
  const [seen, served] = await Promise.all([readManagedFiles(ssh, place), probeServed(endpoint)])
  const servedBefore = served.state === 'served' ? served.fingerprintSha256 : undefined
  const token = randomBytes(8).toString('hex')
  const order = { place, wanted, restartCommand, proofCommand: proofCommand(endpoint), token }
  const listed = listManageSteps(seen, order, servedBefore === leaf.fingerprint256)
  if (listed.repair === 'impossible') throw notRepairable(ssh.target, place)
  return { ...listed, request, place, restartCommand, wanted, token, servedBefore }
}

export interface ReplacementOptions {
  /** Told before each step. */
  readonly onStep?: (step: ManageStep) => void | Promise<void>
  /** How long a restarted service may take to serve what it should. */
  readonly proofMs: number
}

/**
 * Carries a plan out.
 *
 * @throws MANAGE_ROLLED_BACK, MANAGE_NOT_PROVED when the new certificate is not served in time; MANAGE_INTERRUPTED when the
 * connection is cut; MANAGE_OVERTAKEN when another attempt has begun since; SSH_COMMAND_FAILED with everything as it was.
 */
export async function replaceOverSsh(
  ssh: SshConnection,
  plan: ReplacementPlan,
  options: ReplacementOptions,
): Promise<'already so' | 'installed'> {
  const { endpoint, leaf } = plan.request
  const { onStep, proofMs } = options
  let restarted = ''
  let hasMoved = plan.repair === 'go on'
  for (const step of plan.steps) {
    try {
      await onStep?.(step)
      if (step.id === 'restart') restarted = await restartService(ssh, plan.restartCommand, proofMs)
      else if (step.id === 'prove') {
        const proof = await awaitServed(endpoint, leaf.fingerprint256, proofMs)
        if (!proof.isServed) await goBack(ssh, plan, { proof, restarted, options })
      } else {
        if (step.id === 'move' || step.id === 'repair') hasMoved = true
        await runManageStep(ssh, plan, step, step.reads && contentOf(plan.request.identity, step.reads))
      }
    } catch (error) {
      if (!(error instanceof WlbError)) throw error
      if (error.code === 'SSH_CONNECTION_LOST') throw interrupted(ssh.target, step, error)
      if (error.code === 'SSH_COMMAND_FAILED') await undo(ssh, plan, hasMoved)
      throw error
    }
  }
  return plan.steps.length === 0 ? 'already so' : 'installed'
}

function contentOf({ certificatePem, privateKeyPem }: ServedIdentity, part: 'certificate' | 'key'): string {
  return part === 'key' ? privateKeyPem : certificatePem
}

/** Never returns: what could not be proved is an error, whether or not the way back was found. */
async function goBack(
  ssh: SshConnection,
  plan: ReplacementPlan,
  { proof, restarted, options }: { proof: ServedProof; restarted: string; options: ReplacementOptions },
): Promise<never> {
  const { place, before, wanted, servedBefore, restartCommand, request } = plan
  const { proofMs, onStep } = options
  const facts = { target: ssh.target, endpoint: request.endpoint, leaf: request.leaf, proof, restarted, restartCommand }
  const hadPair = before.certificate !== undefined && before.key !== undefined
  if (isSamePair(before, wanted) || !hadPair) throw notProved({ ...facts, back: undefined })
  const step = putBack(place, before, 'move')
  await onStep?.(step)
  await runManageStep(ssh, plan, step)
  await restartService(ssh, restartCommand, proofMs)
  // where nothing was served before, anything but the new certificate is as good as before
  const back = servedBefore === undefined ? undefined : await awaitServed(request.endpoint, servedBefore, proofMs)
  await runManageStep(ssh, plan, finish(place))
  throw notProved({ ...facts, back: back ?? { isServed: true, seen: 'nothing, as before' } })
}

/** A step that fails on a full disk, or for want of permission, leaves the pair before in place and nothing else behind. */
async function undo(ssh: SshConnection, plan: ReplacementPlan, hasMoved: boolean): Promise<void> {
  try {
    if (hasMoved && !isSamePair(plan.before, plan.wanted))
      await runManageStep(ssh, plan, putBack(plan.place, plan.before, 'move'))
    await runManageStep(ssh, plan, finish(plan.place))
  } catch (error) {
    // the note stays there, and the next attempt cleans up by it; the first error is the one to tell
    if (!(error instanceof WlbError)) throw error
  }
}

function proofCommand({ address, port, serverName }: ApplianceEndpoint): string {
  const name = serverName === undefined ? '' : ` -servername ${serverName}`
  return `openssl s_client -connect ${address}:${port}${name} </dev/null | openssl x509 -noout -fingerprint -sha256`
}

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

/** `back` says how the way back ended; undefined where there was none. */
export function notProved({
  target,
  endpoint: { address, port },
  leaf,
  proof,
  restarted,
  restartCommand,
  back,
}: {
  readonly target: SshTarget
  readonly endpoint: ApplianceEndpoint
  readonly leaf: X509Certificate
  readonly proof: ServedProof
  /** What the restart said when it failed. */
  readonly restarted: string
  readonly restartCommand: string
  readonly back: ServedProof | undefined
}): WlbError {
  const facts = {
    target: renderSshTarget(target),
    address,
    port,
    expected: leaf.fingerprint256,
    seen: proof.seen,
    ...(restarted !== '' && { restartSaid: restarted }),
  }
  const byHand = `ssh -p ${target.port} ${quoteWord(`${target.user}@${target.host}`)} ${quoteWord(restartCommand)}`
  if (back?.isServed) {
    return new WlbError(
      'MANAGE_ROLLED_BACK',
      'The appliance did not serve the new certificate; the pair before is back in place and served as before.',
      { ...facts, servedNow: back.seen },
      `wlb trust install USER@HOST FILES --key FILE --restart-command COMMAND`,
    )
  }
  return new WlbError(
    'MANAGE_NOT_PROVED',
    back
      ? 'The appliance did not serve the new certificate; the pair before is back in place, and it is not served either.'
      : 'The appliance does not serve the certificate that is in place, and there is no pair before to go back to.',
    { ...facts, servedNow: back?.seen ?? proof.seen },
    `${byHand}`,
  )
}

export function interrupted(target: SshTarget, { id, command }: ManageStep, cause: unknown): WlbError {
  return new WlbError(
    'MANAGE_INTERRUPTED',
    'The SSH connection was cut in the middle; the same command again finds the note there, and goes on or goes back.',
    { target: renderSshTarget(target), step: id, command },
    'wlb trust install USER@HOST FILES --key FILE',
    cause,
  )
}

export function overtaken(target: SshTarget, { id }: ManageStep): WlbError {
  return new WlbError(
    'MANAGE_OVERTAKEN',
    'Another attempt on this appliance has begun since; this one stops, and leaves everything to the other.',
    { target: renderSshTarget(target), step: id },
    'wlb trust install USER@HOST FILES --key FILE --dry-run',
  )
}

export function notRepairable(target: SshTarget, { certificate, key }: ManagedPlace): WlbError {
  return new WlbError(
    'MANAGE_NOT_REPAIRABLE',
    'An attempt that was cut off has left a certificate and a key that do not belong together, and the pair before is gone.',
    { target: renderSshTarget(target), certificate, key },
    `ssh -p ${target.port} ${quoteWord(`${target.user}@${target.host}`)} ls -l /etc/ssl/certs`,
  )
}

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
