/** Records and logs why a renewed certificate is not in service, so that an operator knows what to do. */
import { WlbError } from '../../base/error.js'
import type { AppliancePaths, Log } from '../../config/index.js'
import { describeCertificate } from '../../x509/index.js'
import { anchorOf, readChainInPlace } from './anchor.js'
import type { Obtained } from './obtain.js'
import { type Blocker, type RenewalState, readRenewalState, writeRenewalState } from './renewal.js'

export interface NoteContext {
  readonly place: AppliancePaths
  readonly now: () => Date
  readonly log: Log
}

const ANCHOR_CHANGED = 'ACME_ANCHOR_CHANGED'
const DAY_MS = 86_400_000

type Held = NonNullable<RenewalState['held']>

/** Called before pools are changed: after a kill the next run knows which certificate it is about. */
export async function noteHeld({ place, now }: NoteContext, { plan, anchor }: Obtained): Promise<void> {
  const { fingerprintSha256 } = describeCertificate(plan.chain.leaf)
  const state = await readRenewalState(place)
  if (state.held?.fingerprintSha256 === fingerprintSha256) return
  const held = { since: now().toISOString(), fingerprintSha256, anchor: anchor.name }
  await writeRenewalState(place, { ...state, held })
}

/** Logged once for each certificate and reason, and again after a day. */
export async function holdBack({ place, now, log }: NoteContext, because: Blocker): Promise<void> {
  const state = await readRenewalState(place)
  const { held } = state
  if (!held) return
  const at = now()
  const isSaid = isSame(held, because) && at.getTime() - Date.parse(held.since) < DAY_MS
  if (isSaid) return
  await writeRenewalState(place, { ...state, held: { ...held, since: at.toISOString(), because } })
  const { fingerprintSha256, anchor } = held
  const chain = await readChainInPlace(place, at)
  const anchorBefore = chain ? anchorOf(chain).name : 'none'
  const { pool, code, message, remedy } = because
  const facts = {
    fingerprintSha256,
    anchor,
    anchorBefore,
    ...(pool !== '' && { pool }),
    because: code,
    why: message,
    remedy,
  }
  log.warn(
    { code: ANCHOR_CHANGED, ...facts },
    'a new certificate is held back: pools have to trust another anchor before it is served',
  )
}

function isSame({ because }: Held, { pool, code }: Blocker): boolean {
  return because?.pool === pool && because.code === code
}

/** Only an operator may install the new anchor in pools. */
export const BY_OPERATOR: Blocker = {
  pool: '',
  code: ANCHOR_CHANGED,
  message: 'Pools are told of another anchor by an operator.',
  remedy: 'wlb trust renew',
}

/** It is served, but an anchor that only the certificate before needed is still in a pool. */
export async function noteUnfinished({ place, now, log }: NoteContext, because: Blocker): Promise<void> {
  const { unfinished: before } = await readRenewalState(place)
  const count = (before?.count ?? 0) + 1
  await writeRenewalState(place, { unfinished: { ...because, count, at: now().toISOString() } })
  log.warn({ ...because, failures: count }, 'the certificate before is still trusted by a pool; it is tried again')
}

/** Counts the failure, so that the pauses grow. */
export async function noteFailure(context: NoteContext, error: unknown): Promise<void> {
  const isKnown = error instanceof WlbError
  const code = isKnown ? error.code : 'INTERNAL_ERROR'
  const message = error instanceof Error ? error.message : String(error)
  const facts = isKnown ? { ...error.facts, remedy: error.remedy } : { err: error }
  const wished = isKnown ? error.facts.retryAfterSeconds : undefined
  await countFailure(context, { code, message }, facts, typeof wished === 'number' ? wished : undefined)
}

/** A pool refused after others were changed. */
export async function noteBlocker(context: NoteContext, { pool, code, message, remedy }: Blocker): Promise<void> {
  await countFailure(context, { code, message }, { pool, remedy }, undefined)
}

async function countFailure(
  { place, now, log }: NoteContext,
  { code, message }: Pick<Blocker, 'code' | 'message'>,
  facts: object,
  retryAfterSeconds: number | undefined,
): Promise<void> {
  const before = await readRenewalState(place)
  const count = (before.failure?.count ?? 0) + 1
  await writeRenewalState(place, {
    ...before,
    failure: { count, at: now().toISOString(), code, message, retryAfterSeconds },
  })
  log.error({ code, ...facts, failures: count }, 'the certificate was not renewed; it is tried again')
}
