/**
 * Renews the certificate of a running appliance. A failure is logged with its code and retried later, while the pair in place
 * stays in service. A certificate below an anchor that pools may not trust yet is held back.
 */
import { within } from '../../base/bounded.js'
import { WlbError } from '../../base/error.js'
import { onceUntilOver } from '../../base/once-until-over.js'
import { type AcmeSettings, type AppliancePaths, type Log, paths, readSettings } from '../../config/index.js'
import { describeCertificate } from '../../x509/index.js'
import type { Patience } from '../store/activate-identity.js'
import { readPair } from '../store/identity-files.js'
import { anchorOf, readChainInPlace } from './anchor.js'
import type { Pace } from './authority.js'
import { installObtained, type ObtainStep, obtainCertificate } from './obtain.js'
import {
  type Blocker,
  factsInPlace,
  failuresIn,
  isRenewalDue,
  LOOK_MS,
  leafByAcme,
  mayTryAgain,
  nextLookMs,
  readRenewalState,
  writeRenewalState,
} from './renewal.js'
import { askAgainLater, askRenewalInfo, isQuestionDue, renewalId } from './renewal-info.js'
import { BY_OPERATOR, holdBack, noteBlocker, noteFailure, noteHeld, noteUnfinished } from './renewal-notes.js'

/**
 * Makes pools trust a new anchor before the certificate below it is served. The appliance itself does not log in to pools, so
 * its caller supplies this.
 */
export interface AnchorInstaller {
  /** Whether an earlier run was interrupted or failed at its end, and has to be continued. */
  isUnfinished(): Promise<boolean>
  /** For the certificate that was issued and waits, or the run under way. An abort takes effect between two steps. */
  install(signal: AbortSignal): Promise<AnchorOutcome>
}

export type AnchorOutcome =
  /**
   * The new certificate is served, and every host of every pool has verified it; `unfinished`: the old anchor is not
   * removed yet.
   */
  | { readonly state: 'served'; readonly unfinished?: Blocker }
  /** No pool verifies, so none would refuse. */
  | { readonly state: 'not needed' }
  /** The certificate before is served. `isBegun`: pools were changed already, without harm to them. */
  | { readonly state: 'held'; readonly because: Blocker; readonly isBegun: boolean }
  | { readonly state: 'interrupted' }

export interface KeeperOptions {
  readonly root: string
  readonly now: () => Date
  readonly log: Log
  /** Runs `work` once after `delayMs` and returns a function that cancels it. */
  readonly schedule: (work: () => void, delayMs: number) => () => void
  /** Without one, a certificate below another anchor waits for an operator. */
  readonly anchorInstaller?: AnchorInstaller
  readonly pace?: Pace
  readonly patience?: Patience
}

export interface RenewalKeeper {
  /** Checks now, and renews if it is due. */
  look(): Promise<void>
  /** Aborts an order under way. */
  close(): Promise<void>
}

export function startRenewalKeeper(options: KeeperOptions): RenewalKeeper {
  const { root, log, schedule } = options
  const place = paths(root)
  const closing = new AbortController()
  const failure = onceUntilOver((error) =>
    log.error(describe(error), 'the renewal of the certificate could not be looked at'),
  )
  let turn: Promise<void> = Promise.resolve()
  let callOff = () => {}

  const lookOnce = async (): Promise<void> => {
    if (closing.signal.aborted) return
    callOff()
    let delayMs = LOOK_MS
    try {
      delayMs = await renewIfDue(options, place, closing.signal)
      failure.over()
    } catch (error) {
      failure.failed(error) // an unreadable file or a defect of ours is no reason to stop serving or checking
    }
    if (!closing.signal.aborted) callOff = schedule(() => void look(), delayMs)
  }
  const look = (): Promise<void> => {
    turn = turn.then(lookOnce)
    return turn
  }
  callOff = schedule(() => void look(), 0)

  return {
    look,
    close: async () => {
      closing.abort()
      callOff()
      await within(CLOSE_WAIT_MS, turn)
    },
  }

  function describe(error: unknown): object {
    return error instanceof WlbError ? { code: error.code, ...error.facts } : { err: error }
  }
}

/** Returns after how long to check again. */
async function renewIfDue(options: KeeperOptions, place: AppliancePaths, signal: AbortSignal): Promise<number> {
  const { now } = options
  const { acme } = await readSettings(place.settings)
  if (!acme) return nextLookMs(undefined, now())
  const anchorInstaller = acme.bringsAnchor === false ? undefined : options.anchorInstaller
  try {
    await goOn(options, place, { acme, anchorInstaller, signal })
  } catch (error) {
    if (signal.aborted) return LOOK_MS
    await noteFailure({ ...options, place }, error)
  }
  return nextLookMs(await factsInPlace(place, acme, now()), now())
}

interface Turn {
  readonly acme: AcmeSettings
  readonly anchorInstaller: AnchorInstaller | undefined
  readonly signal: AbortSignal
}

/** A run on the pools that was interrupted is finished first, whatever certificate is in place. */
async function goOn(options: KeeperOptions, place: AppliancePaths, turn: Turn): Promise<void> {
  const { now } = options
  const { acme, anchorInstaller, signal } = turn
  if (anchorInstaller && (await anchorInstaller.isUnfinished())) {
    const failures = failuresIn(await readRenewalState(place))
    if (mayTryAgain(failures, now())) await installAnchor(options, place, anchorInstaller, signal)
    return
  }
  await takeAdvice(options, place, turn)
  const facts = await factsInPlace(place, acme, now())
  if (facts && isRenewalDue(facts, now())) await renew(options, place, turn)
}

/** Asks the authority when it wishes the certificate to be renewed; what it said before counts until it says something else. */
async function takeAdvice({ now, log }: KeeperOptions, place: AppliancePaths, { acme, signal }: Turn): Promise<void> {
  const leaf = await leafByAcme(place, now())
  const id = leaf && renewalId(leaf)
  if (id === undefined) return
  const state = await readRenewalState(place)
  const before = state.advice?.id === id ? state.advice : undefined
  if (before && !isQuestionDue(before, now())) return
  try {
    const advice = await askRenewalInfo(acme, id, { now: now(), signal })
    await writeRenewalState(place, { ...state, advice })
    if (advice.window && JSON.stringify(advice.window) !== JSON.stringify(before?.window)) {
      log.info(advice.window, 'the authority says when to renew the certificate')
    }
  } catch (error) {
    if (!(error instanceof WlbError) || signal.aborted) throw error
    log.info({ code: error.code, ...error.facts }, 'the authority could not be asked when to renew the certificate')
    await writeRenewalState(place, { ...state, advice: askAgainLater(id, before, now()) })
  }
}

async function renew(
  options: KeeperOptions,
  place: AppliancePaths,
  { acme, anchorInstaller, signal }: Turn,
): Promise<void> {
  const { root, now, pace, patience, log } = options
  const logDeactivation = (step: ObtainStep) => {
    if (step === 'the account was deactivated; a new one') log.warn({ directory: acme.directory }, step)
  }
  const obtained = await obtainCertificate({ root, settings: acme, now, signal, pace, onStep: logDeactivation })
  if (!obtained.isAnchorKept) {
    const context = { ...options, place }
    await noteHeld(context, obtained)
    if (!anchorInstaller) return holdBack(context, BY_OPERATOR)
    if ((await installAnchor(options, place, anchorInstaller, signal)) !== 'not needed') return
  }
  await installObtained(root, obtained, acme, { now: now(), patience })
  await logRenewed(options, place)
}

async function installAnchor(
  options: KeeperOptions,
  place: AppliancePaths,
  anchorInstaller: AnchorInstaller,
  signal: AbortSignal,
): Promise<AnchorOutcome['state']> {
  const context = { ...options, place }
  const before = (await readPair(place)).certificatePem
  const outcome = await anchorInstaller.install(signal)
  if (before !== (await readPair(place)).certificatePem) await logRenewed(options, place)
  if (outcome.state === 'held') {
    await holdBack(context, outcome.because)
    if (outcome.isBegun) await noteBlocker(context, outcome.because)
  }
  if (outcome.state === 'served') {
    if (outcome.unfinished) await noteUnfinished(context, outcome.unfinished)
    else await writeRenewalState(place, {})
  }
  return outcome.state
}

async function logRenewed({ now, log }: KeeperOptions, place: AppliancePaths): Promise<void> {
  const chain = await readChainInPlace(place, now())
  if (!chain) return
  const { notAfter, fingerprintSha256 } = describeCertificate(chain.leaf)
  log.info({ fingerprintSha256, notAfter, anchor: anchorOf(chain).name }, 'the certificate was renewed')
}

/** A call to a pool may take long; the journal records how far the run came. */
const CLOSE_WAIT_MS = 10_000
