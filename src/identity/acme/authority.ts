/** Requests to one ACME authority: errors in our words, lost connections taken up again, and polling (RFC 8555, 7.1). */

import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from 'acme-client'
import { WlbError } from '../../base/error.js'
import { readLimitedFile } from '../../base/files/limited-file.js'
import type { AcmeSettings } from '../../config/index.js'
import { fail } from '../errors.js'
import { type Directory, readDirectory } from './directory.js'
import { type Asked, explainRefusal } from './problem.js'
import { loadAcmeLibrary, type Wire, withWire } from './wire.js'

export interface Authority {
  readonly client: Client
  readonly wire: Wire
  readonly directory: string
  readonly offers: Directory
  readonly pace: Pace
  /** Calls the client; a lost connection is tried again, and an error is turned into one of ours. */
  ask<T>(asked: Asked, work: (client: Client) => Promise<T>): Promise<T>
}

export interface Conversation {
  readonly settings: AcmeSettings
  /** PEM. */
  readonly accountKey: string
  readonly signal: AbortSignal
  readonly binding?: AccountBinding | undefined
  readonly pace?: Pace | undefined
  /** How long an answer may take; half a minute by default. */
  readonly timeoutMs?: number | undefined
}

/** The key that the authority has given to somebody it knows (external account binding, RFC 8555, 7.3.4). */
export interface AccountBinding {
  readonly kid: string
  /** In base64url. */
  readonly hmacKey: string
}

const ANSWER_TIMEOUT_MS = 30_000

/**
 * Reads the directory and lets `work` talk to the authority.
 *
 * @throws ACME_DIRECTORY_UNREACHABLE, ACME_DIRECTORY_UNTRUSTED, ACME_DIRECTORY_UNUSABLE, ACME_INTERRUPTED, ACME_UNAVAILABLE,
 * FILE_MISSING.
 */
export async function withAuthority<T>(
  conversation: Conversation,
  work: (authority: Authority) => Promise<T>,
): Promise<T> {
  const { settings, accountKey, binding, pace = PACE } = conversation
  const { directory } = settings
  const acme = await loadAcmeLibrary()
  return withAuthorityWire(conversation, async (wire) => {
    const client = new acme.Client({ directoryUrl: directory, accountKey, externalAccountBinding: binding })
    const ask: Authority['ask'] = (asked, question) =>
      overLostConnections(wire, pace, async () => {
        try {
          return await question(client)
        } catch (error) {
          throw explainRefusal(error, wire.problem, asked, directory)
        }
      })
    const offers = await readDirectory(wire, directory)
    return work({ client, wire, directory, offers, pace, ask })
  })
}

/** Lets `work` ask what needs no account. @throws ACME_DIRECTORY_CA_UNUSABLE, FILE_MISSING. */
export async function withAuthorityWire<T>(
  { settings: { directoryCa }, signal, timeoutMs = ANSWER_TIMEOUT_MS }: Omit<Conversation, 'accountKey'>,
  work: (wire: Wire) => Promise<T>,
): Promise<T> {
  const ca = directoryCa === undefined ? undefined : (await readLimitedFile(directoryCa)).toString('utf8')
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw fail('ACME_DIRECTORY_CA_UNUSABLE', { file: directoryCa ?? '' })
  }
  return withWire({ ca, signal, timeoutMs }, work)
}

/** @throws what `withAuthority` throws. */
export function readDirectoryOf(settings: AcmeSettings): Promise<Directory> {
  const { signal } = new AbortController()
  return withAuthorityWire({ settings, signal }, (wire) => readDirectory(wire, settings.directory))
}

export interface Pace {
  /** How long one step of an order may take. */
  readonly patienceMs: number
  /** The first pause; each is half as long again as the one before. */
  readonly pauseMs: number
}

const PACE: Pace = { patienceMs: 180_000, pauseMs: 250 }
const LONGEST_PAUSE_MS = 10_000

const LOST_RETRIES = 3

/** Each pause is four times as long as the one before: 5 seconds in all, after which the authority counts as gone. */
async function overLostConnections<T>({ signal }: Wire, { pauseMs }: Pace, work: () => Promise<T>): Promise<T> {
  for (let lost = 0; ; lost++) {
    try {
      return await work()
    } catch (error) {
      const isLost = error instanceof WlbError && error.code === 'ACME_DIRECTORY_UNREACHABLE'
      if (!isLost || lost >= LOST_RETRIES) throw error
    }
    await pause(pauseMs * 4 ** lost, signal)
  }
}

/**
 * Asks again and again until `read` finds something. While the authority cannot be reached, or says that it cannot answer
 * now, nothing is decided yet, so that is asked again too.
 *
 * @throws ACME_ORDER_TIMEOUT, ACME_INTERRUPTED, and what `read` throws.
 */
export async function poll<T>(
  { wire, directory, pace: { patienceMs, pauseMs } }: Authority,
  what: string,
  read: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (let pauseNowMs = pauseMs; ; pauseNowMs = Math.min(pauseNowMs * 1.5, LONGEST_PAUSE_MS)) {
    const isOver = performance.now() >= deadline
    const found = await read().catch((error: unknown) => {
      if (isOver || !isPassing(error)) throw error
      return undefined
    })
    if (found !== undefined) return found
    if (isOver) {
      const seconds = Math.round(patienceMs / 1000)
      throw fail('ACME_ORDER_TIMEOUT', { directory, waitedFor: what, seconds })
    }
    const wishedMs = Math.min((wire.retryAfterSeconds ?? 0) * 1000, LONGEST_PAUSE_MS)
    const leftMs = Math.max(0, deadline - performance.now())
    await pause(Math.min(Math.max(pauseNowMs, wishedMs), leftMs), wire.signal)
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof WlbError && ['ACME_DIRECTORY_UNREACHABLE', 'ACME_UNAVAILABLE'].includes(error.code)
}

/** Ends early at an abort; the next request throws then. */
async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await wait(durationMs, undefined, { signal }).catch(() => {})
}
