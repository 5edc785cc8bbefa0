/** Requests to one ACME authority: its directory, its terms of service, an account, and polling (RFC 8555, 7.1 and 7.3). */

import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from 'acme-client'
import { z } from 'zod'
import { readLimitedFile } from '../../base/limited-file.js'
import type { AcmeSettings } from '../../config/index.js'
import { fail } from '../errors.js'
import { type Asked, explainRefusal } from './problem.js'
import { loadAcmeLibrary, readDocument, type Wire, withWire } from './wire.js'

export interface Authority {
  readonly client: Client
  readonly wire: Wire
  readonly directory: string
  /** Where the terms of service can be read; undefined where there are none. */
  readonly terms: string | undefined
  /** Calls the client; an error is turned into one of ours. */
  ask<T>(asked: Asked, work: (client: Client) => Promise<T>): Promise<T>
}

export interface Conversation {
  readonly settings: AcmeSettings
  /** PEM. */
  readonly accountKey: string
  readonly signal: AbortSignal
  /** How long an answer may take; half a minute by default. */
  readonly timeoutMs?: number | undefined
}

const ANSWER_TIMEOUT_MS = 30_000

/**
 * Reads the directory and lets `work` talk to the authority.
 *
 * @throws ACME_DIRECTORY_UNREACHABLE, ACME_DIRECTORY_UNTRUSTED, ACME_DIRECTORY_UNUSABLE, ACME_INTERRUPTED, FILE_MISSING.
 */
export async function withAuthority<T>(
  { settings, accountKey, signal, timeoutMs = ANSWER_TIMEOUT_MS }: Conversation,
  work: (authority: Authority) => Promise<T>,
): Promise<T> {
  const { directory, directoryCa } = settings
  const ca = directoryCa === undefined ? undefined : (await readLimitedFile(directoryCa)).toString('utf8')
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw fail('ACME_DIRECTORY_CA_UNUSABLE', { file: directoryCa ?? '' })
  }
  const acme = await loadAcmeLibrary()
  return withWire({ ca, signal, timeoutMs }, async (wire) => {
    const client = new acme.Client({ directoryUrl: directory, accountKey })
    const ask: Authority['ask'] = async (asked, question) => {
      try {
        return await question(client)
      } catch (error) {
        throw explainRefusal(error, wire.problem, asked, directory)
      }
    }
    const terms = await readTerms(wire, directory)
    return work({ client, wire, directory, terms, ask })
  })
}

const DIRECTORY = z.object({
  newNonce: z.url(),
  newAccount: z.url(),
  newOrder: z.url(),
  meta: z.object({ termsOfService: z.url().optional() }).optional(),
})

/** Checked here, since the library accepts any answer as a directory. */
async function readTerms(wire: Wire, directory: string): Promise<string | undefined> {
  const document = await readDocument(wire, directory)
  const { data, error } = DIRECTORY.safeParse(document)
  if (data) return data.meta?.termsOfService
  const why =
    document === undefined ? 'there is no JSON document' : `it has no usable ${error.issues[0]?.path.join('.')}`
  throw fail('ACME_DIRECTORY_UNUSABLE', { url: directory, why: wire.problem?.words ?? why })
}

/**
 * Makes the account, or finds that it is there.
 *
 * @throws ACME_TERMS_NOT_AGREED, ACME_ACCOUNT_REFUSED, ACME_RATE_LIMITED.
 */
export async function openAccount({ directory, terms, ask }: Authority, settings: AcmeSettings): Promise<void> {
  const { agreedTerms, email } = settings
  if (terms !== undefined && agreedTerms !== terms) {
    throw fail('ACME_TERMS_NOT_AGREED', { directory, terms, agreedBefore: agreedTerms })
  }
  await ask('the account', (client) =>
    client.createAccount({
      termsOfServiceAgreed: terms === undefined ? undefined : true,
      contact: [`mailto:${email}`],
    }),
  )
}

/** Undefined where there are none. @throws what `withAuthority` throws. */
export function readTermsOf(settings: AcmeSettings): Promise<string | undefined> {
  // reading a directory needs no account: the key is not registered
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const accountKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const signal = new AbortController().signal
  return withAuthority({ settings, accountKey, signal }, async ({ terms }) => terms)
}

export interface Pace {
  /** How long one step of an order may take. */
  readonly patienceMs: number
  /** The first pause; each is half as long again as the one before. */
  readonly pauseMs: number
}

export const PACE: Pace = { patienceMs: 180_000, pauseMs: 250 }
const LONGEST_PAUSE_MS = 10_000

/** @throws ACME_ORDER_TIMEOUT, ACME_INTERRUPTED, and what `read` throws. */
export async function poll<T>(
  { wire, directory }: Authority,
  { patienceMs, pauseMs }: Pace,
  what: string,
  read: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (let pause = pauseMs; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const found = await read()
    if (found !== undefined) return found
    if (performance.now() >= deadline) {
      const seconds = Math.round(patienceMs / 1000)
      throw fail('ACME_ORDER_TIMEOUT', { directory, waitedFor: what, seconds })
    }
    const wished = Math.min((wire.retryAfterSeconds ?? 0) * 1000, LONGEST_PAUSE_MS)
    const leftMs = Math.max(0, deadline - performance.now())
    // after an abort the next request throws
    await wait(Math.min(Math.max(pause, wished), leftMs), undefined, { signal: wire.signal }).catch(() => {})
  }
}
