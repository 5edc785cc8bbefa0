/**
 * Renews the certificate of a running appliance by itself. Whatever goes wrong is logged with its code and tried again
 * later; the pair in place is served all the while. An identity whose anchor pools may not trust yet is held back.
 */
import { WlbError } from '../../base/error.js'
import type { AcmeSettings } from '../../config/acme-settings.js'
import type { Log } from '../../config/log.js'
import { type AppliancePaths, paths } from '../../config/paths.js'
import { readSettings } from '../../config/settings.js'
import { describeCertificate } from '../../x509/index.js'
import type { Patience } from '../activate-identity.js'
import { readPair } from '../identity-store.js'
import { anchorOf, readChainInPlace } from './anchor.js'
import type { AnchorBringer, Brought } from './anchor-bringer.js'
import { factsInPlace } from './facts-in-place.js'
import { BY_OPERATOR, holdBack, noteFailure, noteHeld, noteHindrance, noteUnfinished } from './hold-back.js'
import { installObtained } from './install-obtained.js'
import { obtainCertificate } from './obtain.js'
import type { Pace } from './poll.js'
import { isRenewalDue, LOOK_MS, mayTryAgain, nextLookMs } from './renewal.js'
import { failuresIn, readRenewalState, writeRenewalState } from './renewal-state.js'

export interface Renewed {
  readonly fingerprintSha256: string
  readonly notAfter: Date
}

export interface KeeperOptions {
  readonly root: string
  readonly now: () => Date
  readonly log: Log
  /** Runs `work` once after a while and returns what calls it off; timers unless said otherwise. */
  readonly schedule?: (work: () => void, delayMs: number) => () => void
  /** Brings a changed anchor to the pools first. Where there is none, such an identity waits for an operator. */
  readonly bringer?: AnchorBringer
  readonly onRenewed?: (renewed: Renewed) => void
  readonly pace?: Pace
  readonly patience?: Patience
}

export interface RenewalKeeper {
  /** Looks now, and renews if it is time. */
  look(): Promise<void>
  /** Breaks off an order under way. */
  close(): Promise<void>
}

export function startRenewalKeeper(options: KeeperOptions): RenewalKeeper {
  const { root, log, schedule = byTimer } = options
  const place = paths(root)
  const closing = new AbortController()
  let turn: Promise<void> = Promise.resolve()
  let callOff = () => {}

  const lookOnce = async (): Promise<void> => {
    if (closing.signal.aborted) return
    callOff()
    let delayMs = LOOK_MS
    try {
      delayMs = await renewIfDue(options, place, closing.signal)
    } catch (error) {
      // a file that cannot be read, a defect of ours: no reason to stop serving or looking
      log.error(describe(error), 'the renewal of the certificate could not be looked at')
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

/** Returns when to look again. */
async function renewIfDue(options: KeeperOptions, place: AppliancePaths, signal: AbortSignal): Promise<number> {
  const { now } = options
  const { acme } = await readSettings(place.settings)
  if (!acme) return nextLookMs(undefined, now())
  const bringer = acme.bringsAnchor === false ? undefined : options.bringer
  try {
    await goOn(options, place, { acme, bringer, signal })
  } catch (error) {
    if (signal.aborted) return LOOK_MS
    await noteFailure({ ...options, place }, error)
  }
  return nextLookMs(await factsInPlace(place, acme, now()), now())
}

interface Turn {
  readonly acme: AcmeSettings
  readonly bringer: AnchorBringer | undefined
  readonly signal: AbortSignal
}

/** What pools were told of half is ended first, whatever is in place. */
async function goOn(options: KeeperOptions, place: AppliancePaths, turn: Turn): Promise<void> {
  const { now } = options
  const { acme, bringer, signal } = turn
  if (bringer && (await bringer.isUnfinished())) {
    const failures = failuresIn(await readRenewalState(place))
    if (mayTryAgain(failures, now())) await bring(options, place, bringer, signal)
    return
  }
  const facts = await factsInPlace(place, acme, now())
  if (facts && isRenewalDue(facts, now())) await renew(options, place, turn)
}

async function renew(options: KeeperOptions, place: AppliancePaths, { acme, bringer, signal }: Turn): Promise<void> {
  const { root, now, pace, patience } = options
  const obtained = await obtainCertificate({ root, settings: acme, now, signal, ...(pace && { pace }) })
  if (!obtained.isAnchorKept) {
    const noting = { ...options, place }
    await noteHeld(noting, obtained)
    if (!bringer) return holdBack(noting, BY_OPERATOR)
    if ((await bring(options, place, bringer, signal)) !== 'not needed') return
  }
  await installObtained(root, obtained, acme, { now: now(), ...(patience && { patience }) })
  await tellRenewed(options, place)
}

async function bring(
  options: KeeperOptions,
  place: AppliancePaths,
  bringer: AnchorBringer,
  signal: AbortSignal,
): Promise<Brought['state']> {
  const noting = { ...options, place }
  const before = (await readPair(place)).certificatePem
  const brought = await bringer.bring(signal)
  if (before !== (await readPair(place)).certificatePem) await tellRenewed(options, place)
  if (brought.state === 'held') {
    await holdBack(noting, brought.because)
    if (brought.isBegun) await noteHindrance(noting, brought.because)
  }
  if (brought.state === 'served') {
    if (brought.unfinished) await noteUnfinished(noting, brought.unfinished)
    else await writeRenewalState(place, {})
  }
  return brought.state
}

async function tellRenewed({ now, log, onRenewed }: KeeperOptions, place: AppliancePaths): Promise<void> {
  const chain = await readChainInPlace(place, now())
  if (!chain) return
  const { notAfter, fingerprintSha256 } = describeCertificate(chain.leaf)
  log.info({ fingerprintSha256, notAfter, anchor: anchorOf(chain).name }, 'the certificate was renewed')
  onRenewed?.({ fingerprintSha256, notAfter })
}

/** A pool that is being told something may take its time to answer; the journal knows how far it came. */
const CLOSE_WAIT_MS = 10_000

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([work, limit])
  clearTimeout(timer)
}

function byTimer(work: () => void, delayMs: number): () => void {
  const timer = setTimeout(work, delayMs).unref()
  return () => clearTimeout(timer)
}
