/**
 * Gets a certificate from an ACME authority and installs it. A certificate that was issued before and is not in place
 * yet is used; otherwise one is ordered. Of the chains offered, one that pools accept is chosen, and among those one
 * that leads to the anchor that pools trust already.
 */
import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { WlbError } from '../../base/error.js'
import { lockDirectory } from '../../base/files/directory-lock.js'
import { readLimitedFile } from '../../base/files/limited-file.js'
import { type AcmeSettings, type AppliancePaths, paths, readSettings } from '../../config/index.js'
import { describeCertificate, readContainers } from '../../x509/index.js'
import { fail } from '../errors.js'
import { installCertificate } from '../install/install-certificate.js'
import { type InstallPlan, planInstallation } from '../install/install-plan.js'
import { readPair } from '../store/identity-files.js'
import type { Replacement, ReplaceOptions } from '../store/replace-identity.js'
import { openAccount, readBinding, withAccountKey } from './account.js'
import {
  type AcmeFiles,
  acmeFiles,
  dropPending,
  keepIssued,
  prepareFolder,
  readOrderKey,
  setAside,
} from './acme-files.js'
import { type Anchor, anchorOf, completeChain, isSameAnchor, readAll, readChainInPlace } from './anchor.js'
import { type Pace, withAuthority } from './authority.js'
import { orderChains } from './order.js'
import { carriesNames, leafByAcme, readRenewalState, renewalTime, writeRenewalState } from './renewal.js'
import { renewalId } from './renewal-info.js'
import { openSolver } from './solver.js'

const NEVER = new AbortController().signal

export type ObtainStep =
  | 'contact'
  | 'order'
  | 'prove'
  | 'issue'
  | 'take up again'
  | 'the account was deactivated; a new one'

export interface ObtainOptions {
  readonly root: string
  readonly settings: AcmeSettings
  readonly now: () => Date
  readonly signal?: AbortSignal
  readonly onStep?: (step: ObtainStep) => void
  readonly pace?: Pace
  readonly hookTimeoutMs?: number
}

/** Issued, kept, judged, and not in place yet. */
export interface Obtained {
  /** For `installCertificate`. */
  readonly plan: InstallPlan
  /** `kept`: it was issued before, so nothing was ordered. */
  readonly origin: 'ordered' | 'kept'
  readonly anchor: Anchor
  /** Of the pair in place; undefined where there is none that can be served. */
  readonly anchorBefore: Anchor | undefined
  /** Pools trust the same anchor as before, so nothing has to be changed in them. */
  readonly isAnchorKept: boolean
}

/**
 * @throws ACME_… as the steps do, DIRECTORY_IN_USE when another process is at it, NOT_SET_UP, SETTINGS_INVALID.
 * @throws ACME_CERTIFICATE_REFUSED when a pool would refuse what was issued.
 */
export async function obtainCertificate(options: ObtainOptions): Promise<Obtained> {
  const { root, settings, now, onStep = () => {} } = options
  const place = paths(root)
  const files = acmeFiles(place, settings.directory)
  await prepareFolder(place, files)
  const lock = await lockDirectory(place.acmeFolder)
  try {
    const kept = await planKept(options, files)
    if (kept) {
      onStep('take up again')
      return await withAnchors(kept, 'kept', root, now())
    }
    const chains = await order(options, files)
    return await withAnchors(await choose(chains, options, files), 'ordered', root, now())
  } finally {
    await lock.release()
  }
}

/** What was issued before, if it still meets the request. */
async function planKept(options: ObtainOptions, files: AcmeFiles): Promise<InstallPlan | undefined> {
  const { root, settings, now } = options
  if (!existsSync(files.pendingChain) || !existsSync(files.pendingKey)) return undefined
  await completeKept(options, files)
  const plan = await planPending(root, files, now()).catch((error: unknown) => {
    if (error instanceof WlbError) return undefined
    throw error
  })
  const leaf = plan && describeCertificate(plan.chain.leaf)
  const isGood =
    plan && leaf && !plan.isInPlace && carriesNames(plan.chain.leaf, settings.names) && now() < renewalTime(leaf)
  if (isGood) return plan
  await dropPending(files)
  return undefined
}

/** Its root may have become available since it was issued. */
async function completeKept({ root, settings, signal = NEVER }: ObtainOptions, files: AcmeFiles): Promise<void> {
  const before = (await readLimitedFile(files.pendingChain)).toString('utf8')
  const chain = await completeChain(before, signal, await readAtHand(settings))
  if (chain !== before) await keepIssued(paths(root), files, chain)
}

/** The anchors of the authority's own HTTPS: an authority of the site often issues below the same root. */
async function readAtHand({ directoryCa }: AcmeSettings): Promise<readonly X509Certificate[]> {
  if (directoryCa === undefined) return []
  const bytes = await readLimitedFile(directoryCa).catch((error: unknown) => {
    if (error instanceof WlbError) return Buffer.alloc(0) // an order reports it
    throw error
  })
  return readAll(bytes)
}

async function order(options: ObtainOptions, files: AcmeFiles): Promise<string[]> {
  const { root, settings, signal = NEVER, onStep = () => {}, pace, hookTimeoutMs } = options
  const { names, profile } = settings
  const place = paths(root)
  const binding = await readBinding(settings)
  const before = await leafByAcme(place, options.now())
  const replaces = before && renewalId(before)
  const solver = await openSolver(settings, { timeoutMs: hookTimeoutMs, signal })
  const onDeactivated = () => onStep('the account was deactivated; a new one')
  try {
    onStep('contact')
    return await withAccountKey(place, files, onDeactivated, (accountKey) =>
      withAuthority({ settings, accountKey, binding, signal, pace }, async (authority) => {
        await openAccount(authority, settings)
        const key = await readOrderKey(place, files)
        const chains = await orderChains(authority, { names, profile, replaces, key, solver, onStep })
        const atHand = await readAtHand(settings)
        return Promise.all(chains.map((chain) => completeChain(chain, signal, atHand)))
      }),
    )
  } finally {
    await solver.close()
  }
}

/** Keeps the chosen chain as the pending one. */
async function choose(chains: readonly string[], { root, now }: ObtainOptions, files: AcmeFiles): Promise<InstallPlan> {
  const place = paths(root)
  const before = await readChainInPlace(place, now())
  const accepted: { chain: string; plan: InstallPlan }[] = []
  let refusal: unknown
  for (const chain of chains) {
    await keepIssued(place, files, chain)
    try {
      const plan = await planPending(root, files, now())
      if (before && isSameAnchor(anchorOf(plan.chain), anchorOf(before))) return plan
      accepted.push({ chain, plan })
    } catch (error) {
      if (!(error instanceof WlbError)) throw error
      refusal ??= error
    }
  }
  const [best] = accepted
  if (best) {
    await keepIssued(place, files, best.chain)
    return best.plan
  }
  await keepIssued(place, files, chains[0] ?? '')
  await setAside(files)
  const { code, facts } =
    refusal instanceof WlbError ? refusal : { code: 'CERTIFICATE_NOT_GIVEN', facts: { found: 'nothing' } }
  throw fail('ACME_CERTIFICATE_REFUSED', { file: files.refusedChain, because: code, refusal: facts }, refusal)
}

/** Where the authority's clock is ahead of ours, a new certificate is not valid yet for a moment. */
const CLOCK_TOLERANCE_MS = 300_000

async function planPending(root: string, { pendingChain, pendingKey }: AcmeFiles, now: Date): Promise<InstallPlan> {
  const [leaf] = readContainers([{ file: pendingChain, bytes: await readLimitedFile(pendingChain) }]).certificates
  const aheadMs = leaf ? describeCertificate(leaf.certificate).notBefore.getTime() - now.getTime() : 0
  const at = aheadMs > 0 && aheadMs < CLOCK_TOLERANCE_MS ? new Date(now.getTime() + aheadMs) : now
  return planInstallation({ root, files: [pendingChain], keyFile: pendingKey, now: at })
}

async function withAnchors(plan: InstallPlan, origin: Obtained['origin'], root: string, now: Date): Promise<Obtained> {
  const before = await readChainInPlace(paths(root), now)
  const anchor = anchorOf(plan.chain)
  const anchorBefore = before && anchorOf(before)
  return {
    plan,
    origin,
    anchor,
    anchorBefore,
    isAnchorKept: anchorBefore !== undefined && isSameAnchor(anchor, anchorBefore),
  }
}

/** @throws DIRECTORY_IN_USE, and what `replaceIdentity` throws; what was issued waits then for the next time. */
export async function installObtained(
  root: string,
  { plan }: Obtained,
  settings: AcmeSettings,
  options: Omit<ReplaceOptions, 'how'>,
): Promise<Replacement> {
  const place = paths(root)
  const lock = await lockDirectory(place.acmeFolder)
  try {
    const done = await installCertificate(root, plan, { ...options, how: 'acme' })
    await forget(place, settings)
    return done
  } finally {
    await lock.release()
  }
}

/**
 * Called when what was issued may have been put in place by `wlb trust renew`: if so, its files are dropped and nothing is held
 * back any more. If another pair is in place, it goes on waiting; if an order is under way, that one checks by itself.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID
 */
export async function settleObtained(root: string): Promise<void> {
  const place = paths(root)
  const { acme } = await readSettings(place.settings)
  if (!acme) return
  const { pendingKey } = acmeFiles(place, acme.directory)
  if (!existsSync(pendingKey)) return
  const lock = await lockDirectory(place.acmeFolder).catch((error: unknown) => {
    if (error instanceof WlbError && error.code === 'DIRECTORY_IN_USE') return undefined
    throw error
  })
  if (!lock) return
  try {
    const { privateKeyPem } = await readPair(place)
    if (privateKeyPem === (await readFile(pendingKey, 'utf8').catch(() => ''))) await forget(place, acme)
  } finally {
    await lock.release()
  }
}

async function forget(place: AppliancePaths, { directory }: AcmeSettings): Promise<void> {
  await dropPending(acmeFiles(place, directory))
  const { failure, held, unfinished } = await readRenewalState(place)
  if (failure || held || unfinished) await writeRenewalState(place, {})
}
