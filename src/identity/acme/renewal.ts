/**
 * When a certificate is renewed: at two thirds of its lifetime, which leaves a third for whatever may be in the way. After
 * a failure with growing pauses: authorities count failures, and an hour more or less is nothing to a third of a lifetime.
 */
import type { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, replaceFile } from '../../base/durable-file.js'
import { systemCode, touching } from '../../base/file-failure.js'
import type { AcmeSettings } from '../../config/acme-settings.js'
import { giveToOwner } from '../../config/owner.js'
import type { AppliancePaths } from '../../config/paths.js'
import { type Chain, checkHost, describeCertificate } from '../../x509/index.js'
import { recordInPlace } from '../store/identity-change.js'
import { readPair } from '../store/identity-files.js'
import { readChainInPlace } from './anchor.js'

export interface RenewalFacts {
  readonly notBefore: Date
  readonly notAfter: Date
  /** A name that is asked for now is not in it. */
  readonly lacksName: boolean
  /** Since the last success. */
  readonly failures?: Failures | undefined
}

export interface Failures {
  readonly count: number
  /** Of the last one. */
  readonly at: Date
  /** What the authority asked for. */
  readonly retryAfterSeconds?: number | undefined
}

const HOUR_MS = 3_600_000
/** Also how often somebody looks whether the settings or the pair in place are others now. */
export const LOOK_MS = HOUR_MS
const FIRST_PAUSE_MS = HOUR_MS / 4
const LONGEST_PAUSE_MS = 12 * HOUR_MS
/** An authority may not put us off until everything is over. */
const LONGEST_WISH_MS = 48 * HOUR_MS

/** Two thirds of the lifetime. */
export function renewalTime({ notBefore, notAfter }: Pick<RenewalFacts, 'notBefore' | 'notAfter'>): Date {
  return new Date(notBefore.getTime() + ((notAfter.getTime() - notBefore.getTime()) * 2) / 3)
}

/** When it is to be tried, whether that is over or to come. */
export function nextAttempt({ notBefore, notAfter, lacksName, failures }: RenewalFacts, now: Date): Date {
  const due = lacksName ? notBefore : renewalTime({ notBefore, notAfter })
  if (!failures || failures.count === 0 || failures.at > now) return due // a clock that was set back must not hold it up
  return new Date(Math.max(due.getTime(), failures.at.getTime() + pauseMs(failures)))
}

export function isRenewalDue(facts: RenewalFacts, now: Date): boolean {
  return nextAttempt(facts, now) <= now
}

/** Whether the pause after the last failure is over. */
export function mayTryAgain(failures: Failures | undefined, now: Date): boolean {
  return !failures || failures.at > now || now.getTime() >= failures.at.getTime() + pauseMs(failures)
}

/** When to look again: an hour from now, or when it is due. Not at once: a clock far off makes everything due for ever. */
export function nextLookMs(facts: RenewalFacts | undefined, now: Date): number {
  const leftMs = facts ? nextAttempt(facts, now).getTime() - now.getTime() : LOOK_MS
  return leftMs > 0 ? Math.min(leftMs, LOOK_MS) : FIRST_PAUSE_MS
}

/** A quarter of an hour, then twice as long each time, up to half a day. */
function pauseMs({ count, retryAfterSeconds = 0 }: Failures): number {
  const own = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(count - 1, 20), LONGEST_PAUSE_MS)
  return Math.max(own, Math.min(retryAfterSeconds * 1000, LONGEST_WISH_MS))
}

export function readRenewalFacts(
  leaf: X509Certificate,
  names: readonly string[],
  failures: Failures | undefined,
): RenewalFacts {
  const { notBefore, notAfter } = describeCertificate(leaf)
  return { notBefore, notAfter, lacksName: !carriesNames(leaf, names), failures }
}

/** A wildcard is carried as such; a name may be carried by a wildcard. */
export function carriesNames(leaf: X509Certificate, names: readonly string[]): boolean {
  const { dnsNames } = describeCertificate(leaf)
  return names.every((name) =>
    name.startsWith('*.')
      ? dnsNames.some((carried) => carried.toLowerCase() === name.toLowerCase())
      : checkHost(leaf, name),
  )
}

const BLOCKER = z.object({
  /** The uuid of the pool concerned; empty where it is none of them. */
  pool: z.string(),
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
})
/** Why a certificate cannot be put into service, or its predecessor's trust anchor not removed, and what to type. */
export type Blocker = Readonly<z.infer<typeof BLOCKER>>

const STATE = z.object({
  failure: z
    .object({
      count: z.number(),
      at: z.iso.datetime(),
      code: z.string(),
      message: z.string(),
      retryAfterSeconds: z.number().optional(),
    })
    .optional(),
  held: z
    .object({
      since: z.iso.datetime(),
      fingerprintSha256: z.string(),
      anchor: z.string(),
      /** Which pool could not be made to trust it, and why. */
      because: BLOCKER.optional(),
    })
    .optional(),
  /** It serves, and a pool could not be rid of the anchor before. */
  unfinished: BLOCKER.extend({ at: z.iso.datetime(), count: z.number() }).optional(),
})
export type RenewalState = z.infer<typeof STATE>

/** Nothing is known where the file is missing or spoiled: then the next renewal finds out. */
export async function readRenewalState(paths: AppliancePaths): Promise<RenewalState> {
  const path = stateFile(paths)
  try {
    const text = await touching(path, () => readFile(path, 'utf8'))
    return STATE.parse(JSON.parse(text))
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return {}
    throw error
  }
}

export async function writeRenewalState(paths: AppliancePaths, state: RenewalState): Promise<void> {
  const path = stateFile(paths)
  await touching(path, async () => {
    await ensureFolder(paths.acmeFolder, 0o700)
    await replaceFile(path, `${JSON.stringify(state)}\n`, 0o600)
  })
  await giveToOwner(paths.acmeFolder, paths)
}

export function failuresIn({ failure, unfinished }: RenewalState): Failures | undefined {
  if (failure) return { count: failure.count, at: new Date(failure.at), retryAfterSeconds: failure.retryAfterSeconds }
  return unfinished && { count: unfinished.count, at: new Date(unfinished.at) }
}

function stateFile({ acmeFolder }: AppliancePaths): string {
  return join(acmeFolder, 'renewal.json')
}

/** Undefined where the pair in place is not one an authority has issued to us: then it is its owner's to renew. */
export async function factsInPlace(
  place: AppliancePaths,
  { names }: AcmeSettings,
  now: Date,
): Promise<RenewalFacts | undefined> {
  const chain = await readChainInPlace(place, now)
  if (!chain) return undefined
  const { how } = await recordInPlace(place, await readPair(place))
  if (how !== 'acme') return undefined
  return readRenewalFacts(chain.leaf, names, failuresIn(await readRenewalState(place)))
}

export interface RenewalStatus {
  readonly directory: string
  readonly names: readonly string[]
  readonly challenge: 'http-01' | 'dns-01'
  /** Null where the pair in place did not come from an authority by this way: then nothing is renewed. */
  readonly next: string | null
  /** Since the last success. */
  readonly failure: NonNullable<RenewalState['failure']> | null
  /** Issued, and held back until pools trust its anchor. */
  readonly held: NonNullable<RenewalState['held']> | null
  /** Served, and a pool is not rid of the anchor before. */
  readonly unfinished: NonNullable<RenewalState['unfinished']> | null
}

/** Null where no authority is configured. */
export async function readRenewalStatus(
  place: AppliancePaths,
  acme: AcmeSettings | undefined,
  now: Date,
): Promise<RenewalStatus | null> {
  if (!acme) return null
  const state = await readRenewalState(place)
  const facts = await factsInPlace(place, acme, now)
  const chain = await readChainInPlace(place, now)
  return {
    directory: acme.directory,
    names: acme.names,
    challenge: acme.challenge.type,
    next: facts ? nextAttempt(facts, now).toISOString() : null,
    failure: state.failure ?? null,
    held: isInPlace(state, chain) ? null : (state.held ?? null),
    unfinished: state.unfinished ?? null,
  }
}

/** Put there by hand, or by somebody who had no time to say so. */
function isInPlace({ held }: RenewalState, chain: Chain | undefined): boolean {
  return chain?.leaf.fingerprint256 === held?.fingerprintSha256
}
