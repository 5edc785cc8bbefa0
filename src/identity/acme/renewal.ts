/**
 * When a certificate is renewed: at two thirds of its lifetime, which leaves a third for whatever may be in the way. After
 * a failure with growing pauses: authorities count failures, and an hour more or less is nothing to a third of a lifetime.
 */
import type { X509Certificate } from 'node:crypto'
import { checkHost, describeCertificate } from '../../x509/index.js'

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
