/**
 * Replaces the certificate and key of an appliance over SSH: planned from what its folder holds, carried out step by
 * step, proved by a handshake from here, and taken back when the proof fails. After a cut at any point a journal on the
 * appliance lets the next attempt continue or put the old pair back (docs/ssh.md, steps).
 */

import { randomBytes, type X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { WlbError } from '../../base/error.js'
import { quoteWord, shell } from '../../base/text/quote-word.js'
import {
  awaitServed,
  findGivenKeys,
  type GivenKey,
  type InstallPlace,
  type InstallPlan,
  type InstallStep,
  judgeFiles,
  readCertificateFiles,
  requireKey,
} from '../../identity/index.js'
import { renderSshTarget, requireSuccess, runOrFail, type SshConnection } from '../../ssh/index.js'
import { probeServed, type ServedIdentity } from '../../tls/index.js'
import { exportPrivateKey, type NamedBytes, readContainers } from '../../x509/index.js'
import type { ApplianceEndpoint } from '../connection/first-use.js'
import { fail } from './errors.js'
import { fetchCertificate } from './fetch-certificate.js'
import { finish, listManageSteps, type ManageSteps, putBack } from './manage-steps.js'
import {
  digestsOf,
  isSamePair,
  type ManagedPlace,
  managedPlace,
  type PairDigests,
  readManagedFiles,
  tokenLine,
} from './managed-files.js'

/** How appliances on other machines are reached: what a journal of a run cannot record. */
export interface SshReach {
  /**
   * `target` as it is typed. Verifies the host's key each time it connects. The connection is closed by its maker, not by its
   * user.
   */
  connect(target: string): Promise<SshConnection>
  /** Restarts the TLS service there, where another command is to be used than the run began with. */
  readonly restartCommand: string | undefined
  /** How long a restarted service may take until it serves the new certificate. */
  readonly proofMs: number
  /** Called before each step there. */
  readonly onStep?: (step: InstallStep) => void
}

export interface ReplacementRequest {
  readonly identity: ServedIdentity
  readonly leaf: X509Certificate
  /** Where its TLS service is reached from here: the proof is made there. */
  readonly endpoint: ApplianceEndpoint
  /** Where the appliance's files are on its machine; `/` on a real one. */
  readonly applianceRoot?: string | undefined
  readonly restartCommand?: string | undefined
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

/** As in the procedure by hand. */
export const RESTART_COMMAND = 'killall stunnel; stunnel'

/**
 * Changes nothing. No steps: the pair is in place and served. @throws MANAGE_NOT_REPAIRABLE and what reading the files
 * throws.
 */
export async function planReplacement(ssh: SshConnection, request: ReplacementRequest): Promise<ReplacementPlan> {
  const { identity, leaf, endpoint, applianceRoot = '/', restartCommand = RESTART_COMMAND } = request
  const place = managedPlace(applianceRoot)
  const wanted = digestsOf(identity)
  const [seen, served] = await Promise.all([readManagedFiles(ssh, place), probeServed(endpoint)])
  const servedBefore = served.state === 'served' ? served.fingerprintSha256 : undefined
  const token = randomBytes(8).toString('hex')
  const order = { place, wanted, restartCommand, proofCommand: proofCommand(endpoint), token }
  const listed = listManageSteps(seen, order, servedBefore === leaf.fingerprint256)
  if (listed.repair === 'impossible') {
    const { certificate, key } = place
    throw fail('MANAGE_NOT_REPAIRABLE', { target: renderSshTarget(ssh.target), certificate, key })
  }
  return { ...listed, request, place, restartCommand, wanted, token, servedBefore }
}

function proofCommand({ address, port, serverName }: ApplianceEndpoint): string {
  const name = serverName === undefined ? '' : shell` -servername ${serverName}`
  return `openssl s_client -connect ${quoteWord(address)}:${port}${name} </dev/null | openssl x509 -noout -fingerprint -sha256`
}

/** An installation over SSH: the plan as for the appliance on this machine, and how it is carried out. */
export interface InstallOverSsh {
  readonly plan: InstallPlan
  readonly replacement: ReplacementPlan
}

/**
 * Judges the given files and plans their installation on the appliance.
 *
 * @throws what `judgeFiles`, `planReplacement` and connecting throw; USAGE_NEEDS_KEY.
 */
export async function planInstallOverSsh(
  ssh: SshConnection,
  question: GivenKey & {
    readonly files: readonly string[]
    /** What pools connect to; by default `address`, or where that is an IP address, what the machine calls itself. */
    readonly name: string | undefined
    readonly now: Date
    readonly endpoint: Omit<ApplianceEndpoint, 'serverName'>
    readonly applianceRoot: string | undefined
    readonly restartCommand: string | undefined
  },
): Promise<InstallOverSsh> {
  const { endpoint, applianceRoot, restartCommand } = question
  const { address, port } = endpoint
  const name = question.name ?? (isIP(address) === 0 ? address : await readHostName(ssh))
  const readInPlace = () => fetchIfPossible(ssh, applianceRoot)
  const judged = await judgeFiles({ ...question, name, port }, placeWithKeys(question, readInPlace))
  const request = { identity: judged.identity, leaf: judged.chain.leaf, applianceRoot, restartCommand }
  const replacement = await planReplacement(ssh, { ...request, endpoint: { ...endpoint, serverName: name } })
  const { steps } = replacement
  return { plan: { ...judged, addressesNotNamed: [], isInPlace: steps.length === 0, steps }, replacement }
}

/** Pools connect by a name, and the appliance's certificate is made for it. */
async function readHostName(ssh: SshConnection): Promise<string> {
  return (await runOrFail(ssh, 'hostname -f 2>/dev/null || hostname')).toString('utf8').trim()
}

async function fetchIfPossible(ssh: SshConnection, applianceRoot: string | undefined): Promise<NamedBytes | undefined> {
  try {
    return await fetchCertificate(ssh, { applianceRoot })
  } catch (error) {
    // a file that cannot be read is about to be replaced
    if (error instanceof WlbError && error.code !== 'SSH_CONNECTION_LOST') return undefined
    throw error
  }
}

/** Only given keys are used: the appliance's own key never leaves it. @throws USAGE_NEEDS_KEY when there is none. */
export function placeWithKeys(given: GivenKey, readInPlace: InstallPlace['readInPlace']): InstallPlace {
  return {
    findKeys: async (contents) => {
      const keys = await findGivenKeys(contents, given)
      if (keys.length === 0) throw fail('USAGE_NEEDS_KEY', { missing: '--key' })
      return keys
    },
    readInPlace,
  }
}

/**
 * The key alone, in PEM, where the certificates were judged before.
 *
 * @throws CERTIFICATE_KEY_MISMATCH, USAGE_NEEDS_KEY, and what reading the files throws.
 */
export async function readManagedKey(
  given: GivenKey & { readonly files: readonly string[] },
  leaf: X509Certificate,
): Promise<string> {
  const files = await readCertificateFiles(given.keyFile === undefined ? given.files : [])
  const contents = readContainers(files, given.passphrase, given.onSlow)
  const { findKeys } = placeWithKeys(given, async () => undefined)
  return exportPrivateKey(requireKey(await findKeys(contents), [leaf]).open())
}

export interface ReplacementOptions {
  /** Called before each step. */
  readonly onStep?: ((step: InstallStep) => void | Promise<void>) | undefined
  /** How long a restarted service may take until it serves the new certificate. */
  readonly proofMs: number
}

/**
 * Carries a plan out.
 *
 * @throws MANAGE_ROLLED_BACK, MANAGE_NOT_PROVED when the new certificate is not served in time; MANAGE_INTERRUPTED when the
 * connection is cut; MANAGE_OVERTAKEN when another attempt has begun since; SSH_COMMAND_FAILED with nothing changed.
 */
export async function replaceOverSsh(
  ssh: SshConnection,
  plan: ReplacementPlan,
  options: ReplacementOptions,
): Promise<'already so' | 'installed'> {
  const { endpoint, leaf, identity } = plan.request
  const { onStep, proofMs } = options
  const contents = { certificate: identity.certificatePem, key: identity.privateKeyPem }
  let restartSaid = ''
  let hasMoved = plan.repair === 'go on'
  for (const step of plan.steps) {
    try {
      await onStep?.(step)
      if (step.id === 'restart') restartSaid = await restartService(ssh, plan.restartCommand, proofMs)
      else if (step.id === 'prove') {
        const seen = await awaitServed(endpoint, leaf.fingerprint256, proofMs)
        if (seen !== leaf.fingerprint256) await goBack(ssh, plan, { seen, restartSaid }, options)
      } else {
        if (step.id === 'move' || step.id === 'repair') hasMoved = true
        await runManageStep(ssh, plan, step, step.reads && contents[step.reads])
      }
    } catch (error) {
      if (!(error instanceof WlbError)) throw error
      if (error.code === 'SSH_CONNECTION_LOST') {
        const { id, command } = step
        throw fail('MANAGE_INTERRUPTED', { target: renderSshTarget(ssh.target), step: id, command }, error)
      }
      if (error.code === 'SSH_COMMAND_FAILED') await undo(ssh, plan, hasMoved)
      throw error
    }
  }
  return plan.steps.length === 0 ? 'already so' : 'installed'
}

/** Puts the pair before back, if there is one; always throws, since the new certificate was not proved. */
async function goBack(
  ssh: SshConnection,
  plan: ReplacementPlan,
  { seen, restartSaid }: { readonly seen: string; readonly restartSaid: string },
  { proofMs, onStep }: ReplacementOptions,
): Promise<never> {
  const { place, before, wanted, servedBefore, restartCommand, request } = plan
  const { address, port } = request.endpoint
  const facts = {
    target: renderSshTarget(ssh.target),
    address,
    port,
    expected: request.leaf.fingerprint256,
    seen,
    restartSaid: restartSaid || undefined,
  }
  const hadPair = before.certificate !== undefined && before.key !== undefined
  if (isSamePair(before, wanted) || !hadPair) throw fail('MANAGE_NOT_PROVED', { ...facts, restartCommand })
  const step = putBack(place, before, 'move')
  await onStep?.(step)
  await runManageStep(ssh, plan, step)
  await restartService(ssh, restartCommand, proofMs)
  // where nothing was served before, anything but the new certificate is as good as before
  const servedNow =
    servedBefore === undefined ? 'nothing, as before' : await awaitServed(request.endpoint, servedBefore, proofMs)
  await runManageStep(ssh, plan, finish(place))
  const isBack = servedBefore === undefined || servedNow === servedBefore
  throw isBack
    ? fail('MANAGE_ROLLED_BACK', { ...facts, servedNow })
    : fail('MANAGE_NOT_PROVED', { ...facts, restartCommand, servedNow })
}

/**
 * After a step that failed, on a full disk or for want of permission: puts the pair before back and removes what was
 * written.
 */
async function undo(ssh: SshConnection, plan: ReplacementPlan, hasMoved: boolean): Promise<void> {
  try {
    if (hasMoved && !isSamePair(plan.before, plan.wanted))
      await runManageStep(ssh, plan, putBack(plan.place, plan.before, 'move'))
    await runManageStep(ssh, plan, finish(plan.place))
  } catch (error) {
    // the journal stays there, and the next attempt cleans up by it; the first error is the one to report
    if (!(error instanceof WlbError)) throw error
  }
}

const EXIT_OVERTAKEN = 75

/**
 * Runs one step. Each step but the first does nothing unless the journal there is still the one of this attempt.
 *
 * @throws MANAGE_OVERTAKEN, SSH_COMMAND_FAILED, and what `run` throws.
 */
export async function runManageStep(
  ssh: SshConnection,
  { place, token }: { readonly place: ManagedPlace; readonly token: string },
  { id, command }: InstallStep,
  stdin?: string,
): Promise<void> {
  const isMine = `grep -qx '${tokenLine(token)}' ${place.journal} 2>/dev/null || exit ${EXIT_OVERTAKEN}; `
  const result = await ssh.run(`${id === 'note' ? '' : isMine}${command}`, { stdin })
  if (result.exitCode === EXIT_OVERTAKEN) {
    throw fail('MANAGE_OVERTAKEN', { target: renderSshTarget(ssh.target), step: id })
  }
  requireSuccess(ssh.target, command, result)
}

const RETRY_MS = 500

/**
 * Restarts the TLS service, again and again while the old process still holds the port. Whether it serves, the proof shows.
 * Returns the output of the last failure, or nothing after a success.
 */
export async function restartService(ssh: SshConnection, restartCommand: string, patienceMs: number): Promise<string> {
  const until = Date.now() + patienceMs
  for (;;) {
    const output = await tryToRestart(ssh, restartCommand)
    if (output === '' || Date.now() > until) return output
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

async function tryToRestart(ssh: SshConnection, restartCommand: string): Promise<string> {
  try {
    const { exitCode, stderrTail } = await ssh.run(restartCommand, { leavesDaemon: true })
    return exitCode === 0 ? '' : stderrTail || `exit ${exitCode}`
  } catch (error) {
    if (!(error instanceof WlbError) || error.code === 'SSH_CONNECTION_LOST') throw error
    return error.message // a command that times out because it stays in the foreground may serve all the same
  }
}
