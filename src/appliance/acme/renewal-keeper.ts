/**
 * Renews the certificate of a running appliance by itself. Whatever goes wrong is logged with its code and tried again
 * later; the pair in place is served all the while. An identity whose anchor pools may not trust yet is held back.
 */
import { WlbError } from '../../error.js'
import { type Chain, describeCertificate } from '../../x509/index.js'
import type { Patience } from '../activate-identity.js'
import type { Log } from '../log.js'
import { type AppliancePaths, paths } from '../paths.js'
import { readSettings } from '../settings.js'
import type { AcmeSettings } from './acme-settings.js'
import { type Anchor, readChainInPlace } from './anchor.js'
import { factsInPlace } from './facts-in-place.js'
import { installObtained } from './install-obtained.js'
import { type Obtained, obtainCertificate } from './obtain.js'
import type { Pace } from './poll.js'
import { isRenewalDue, LOOK_MS, nextLookMs } from './renewal.js'
import { readRenewalState, writeRenewalState } from './renewal-state.js'

/** What is about to be served, asked about before it is. */
export interface Switch {
  readonly chain: Chain
  readonly anchor: Anchor
  readonly chainBefore: Chain | undefined
  readonly anchorBefore: Anchor | undefined
  /** Pools need not be told of anything. */
  readonly isAnchorKept: boolean
}

/** `wait`: the identity is kept and this is asked again at the next look. */
export type BeforeSwitch = (next: Switch) => Promise<'go' | 'wait'>

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
  /** Brings a changed anchor to the pools first. Unless said otherwise such an identity waits for an operator. */
  readonly beforeSwitch?: BeforeSwitch
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
      await turn
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
  const facts = acme && (await factsInPlace(place, acme, now()))
  if (!facts || !isRenewalDue(facts, now())) return nextLookMs(facts, now())
  try {
    await renew(options, acme, signal)
  } catch (error) {
    if (signal.aborted) return LOOK_MS
    await noteFailure(options, place, error)
  }
  return nextLookMs(await factsInPlace(place, acme, now()), now())
}

async function renew(options: KeeperOptions, settings: AcmeSettings, signal: AbortSignal): Promise<void> {
  const { root, now, log, beforeSwitch = goIfKept, onRenewed, pace, patience } = options
  const place = paths(root)
  const obtained = await obtainCertificate({ root, settings, now, signal, ...(pace && { pace }) })
  const { plan, anchor, anchorBefore, isAnchorKept } = obtained
  const chainBefore = await readChainInPlace(place, now())
  const next = { chain: plan.chain, anchor, chainBefore, anchorBefore, isAnchorKept }
  if ((await beforeSwitch(next)) === 'wait') return hold(options, place, obtained)
  const { activation } = await installObtained(root, obtained, settings, { now: now(), ...(patience && { patience }) })
  const { notAfter } = describeCertificate(plan.chain.leaf)
  const { fingerprintSha256 } = activation
  log.info({ fingerprintSha256, notAfter, anchor: anchor.name }, 'the certificate was renewed')
  onRenewed?.({ fingerprintSha256, notAfter })
}

async function goIfKept({ isAnchorKept }: Switch): Promise<'go' | 'wait'> {
  return isAnchorKept ? 'go' : 'wait'
}

/** Said once for each certificate that is held back, and again after a day. */
async function hold(
  { now, log }: KeeperOptions,
  place: AppliancePaths,
  { plan, anchor, anchorBefore }: Obtained,
): Promise<void> {
  const { fingerprintSha256 } = describeCertificate(plan.chain.leaf)
  const { held } = await readRenewalState(place)
  const since = now()
  if (held?.fingerprintSha256 === fingerprintSha256 && since.getTime() - Date.parse(held.since) < DAY_MS) return
  await writeRenewalState(place, { held: { since: since.toISOString(), fingerprintSha256, anchor: anchor.name } })
  log.warn(
    {
      code: ANCHOR_CHANGED,
      fingerprintSha256,
      anchor: anchor.name,
      anchorBefore: anchorBefore?.name ?? 'none',
      remedy: 'wlb trust renew',
    },
    'a new certificate is held back: pools have to trust another anchor before it is served',
  )
}

const ANCHOR_CHANGED = 'ACME_ANCHOR_CHANGED'
const DAY_MS = 86_400_000

async function noteFailure({ now, log }: KeeperOptions, place: AppliancePaths, error: unknown): Promise<void> {
  const before = await readRenewalState(place)
  const isKnown = error instanceof WlbError
  const code = isKnown ? error.code : 'INTERNAL_ERROR'
  const message = error instanceof Error ? error.message : String(error)
  const wished = isKnown ? error.facts.retryAfterSeconds : undefined
  const failure = {
    count: (before.failure?.count ?? 0) + 1,
    at: now().toISOString(),
    code,
    message,
    ...(typeof wished === 'number' && { retryAfterSeconds: wished }),
  }
  await writeRenewalState(place, { ...before, failure })
  const facts = isKnown ? { ...error.facts, remedy: error.remedy } : { err: error }
  log.error({ code, ...facts, failures: failure.count }, 'the certificate was not renewed; it is tried again')
}

function byTimer(work: () => void, delayMs: number): () => void {
  const timer = setTimeout(work, delayMs).unref()
  return () => clearTimeout(timer)
}
