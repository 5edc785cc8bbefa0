/**
 * When a certificate is renewed, and how earlier attempts ended: when the authority says, or at two thirds of its lifetime,
 * which leaves a third for problems. After a failure the pauses grow, since authorities limit the number of failures.
 */
import type { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { systemCode, touching } from '../../base/files/file-failure.js'
import { readOwnFile } from '../../base/files/limited-file.js'
import { type AcmeSettings, type AppliancePaths, giveToOwner } from '../../config/index.js'
import { type Chain, checkHost, describeCertificate } from '../../x509/index.js'
import { recordInPlace } from '../store/identity-change.js'
import { readPair } from '../store/identity-files.js'
import { readChainInPlace } from './anchor.js'
import { momentIn, RENEWAL_ADVICE, renewalId } from './renewal-info.js'

export interface RenewalFacts {
  readonly notBefore: Date
  readonly notAfter: Date
  /** A configured name is not in it. */
  readonly lacksName: boolean
  /** When the authority wishes it; two thirds of the lifetime where it says nothing. */
  readonly suggested?: Date | undefined
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
/** Also how often the settings and the pair in place are read again. */
export const LOOK_MS = HOUR_MS
const FIRST_PAUSE_MS = HOUR_MS / 4
const LONGEST_PAUSE_MS = 12 * HOUR_MS
/** However long an authority asks to wait: the certificate must not expire meanwhile. */
const LONGEST_WISH_MS = 48 * HOUR_MS

/** Two thirds of the lifetime. */
export function renewalTime({ notBefore, notAfter }: Pick<RenewalFacts, 'notBefore' | 'notAfter'>): Date {
  return new Date(notBefore.getTime() + ((notAfter.getTime() - notBefore.getTime()) * 2) / 3)
}

/** When to try; it may be past. */
export function nextAttempt(facts: RenewalFacts, now: Date): Date {
  const { notBefore, lacksName, suggested, failures } = facts
  const due = lacksName ? notBefore : (suggested ?? renewalTime(facts))
  if (!failures || failures.count === 0 || failures.at > now) return due // a clock that was set back must not delay it
  return new Date(Math.max(due.getTime(), failures.at.getTime() + pauseMs(failures)))
}

export function isRenewalDue(facts: RenewalFacts, now: Date): boolean {
  return nextAttempt(facts, now) <= now
}

/** Whether the pause after the last failure is over. */
export function mayTryAgain(failures: Failures | undefined, now: Date): boolean {
  return !failures || failures.at > now || now.getTime() >= failures.at.getTime() + pauseMs(failures)
}

/** When to check again: in an hour, or when it is due; never at once, since a wrong clock can make everything due for ever. */
export function nextLookMs(facts: RenewalFacts | undefined, now: Date): number {
  const leftMs = facts ? nextAttempt(facts, now).getTime() - now.getTime() : LOOK_MS
  return leftMs > 0 ? Math.min(leftMs, LOOK_MS) : FIRST_PAUSE_MS
}

/** A quarter of an hour, then twice as long each time, up to half a day. */
function pauseMs({ count, retryAfterSeconds = 0 }: Failures): number {
  const own = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(count - 1, 20), LONGEST_PAUSE_MS)
  return Math.max(own, Math.min(retryAfterSeconds * 1000, LONGEST_WISH_MS))
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
      /** In which pool the anchor could not be installed, and why. */
      because: BLOCKER.optional(),
    })
    .optional(),
  /** The certificate is served, but the anchor before could not be removed from a pool. */
  unfinished: BLOCKER.extend({ at: z.iso.datetime(), count: z.number() }).optional(),
  advice: RENEWAL_ADVICE.optional(),
})
export type RenewalState = z.infer<typeof STATE>

/** Empty where the file is missing or damaged: the next renewal writes it again. */
export async function readRenewalState(paths: AppliancePaths): Promise<RenewalState> {
  const path = stateFile(paths)
  try {
    const text = await touching(path, () => readOwnFile(path))
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

/** Undefined where the pair in place was not issued by ACME: then its owner renews it. */
export async function leafByAcme(place: AppliancePaths, now: Date): Promise<X509Certificate | undefined> {
  const chain = await readChainInPlace(place, now)
  if (!chain) return undefined
  const { how } = await recordInPlace(place, await readPair(place))
  return how === 'acme' ? chain.leaf : undefined
}

/** Undefined where the pair in place was not issued by ACME. */
export async function factsInPlace(
  place: AppliancePaths,
  { names }: AcmeSettings,
  now: Date,
): Promise<RenewalFacts | undefined> {
  const leaf = await leafByAcme(place, now)
  if (!leaf) return undefined
  const { notBefore, notAfter } = describeCertificate(leaf)
  const state = await readRenewalState(place)
  const advice = state.advice?.id === renewalId(leaf) ? state.advice : undefined
  return {
    notBefore,
    notAfter,
    lacksName: !carriesNames(leaf, names),
    suggested: momentIn(advice, notAfter),
    failures: failuresIn(state),
  }
}

export interface RenewalStatus {
  readonly directory: string
  readonly names: readonly string[]
  readonly challenge: 'http-01' | 'dns-01'
  /** Null where the pair in place was not issued by ACME: then nothing is renewed. */
  readonly next: string | null
  /** Since the last success. */
  readonly failure: NonNullable<RenewalState['failure']> | null
  /** Issued, and not installed until pools trust its anchor. */
  readonly held: NonNullable<RenewalState['held']> | null
  /** Served, but the anchor before is not removed from every pool. */
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

/** It was put in place by hand, or by a process that was killed before it updated the state. */
function isInPlace({ held }: RenewalState, chain: Chain | undefined): boolean {
  return chain?.leaf.fingerprint256 === held?.fingerprintSha256
}
