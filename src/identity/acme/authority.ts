/** A conversation with one authority: its directory, its terms of service, and an account there (RFC 8555, 7.1 and 7.3). */

import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from 'acme-client'
import { z } from 'zod'
import { WlbError } from '../../base/error.js'
import { readLimitedFile } from '../../base/limited-file.js'
import type { AcmeSettings } from '../../config/acme-settings.js'
import { type Asked, explainRefusal } from './problem.js'
import { loadAcmeLibrary, readDocument, type Wire, withWire } from './wire.js'

export interface Authority {
  readonly client: Client
  readonly wire: Wire
  readonly directory: string
  /** Where the terms of service can be read; undefined where there are none. */
  readonly terms: string | undefined
  /** Asks by the client; a refusal comes out in an operator's words. */
  ask<T>(asked: Asked, work: (client: Client) => Promise<T>): Promise<T>
}

export interface Conversation {
  readonly settings: AcmeSettings
  /** PEM. */
  readonly accountKey: string
  readonly signal: AbortSignal
  /** How long an answer may take; half a minute unless said otherwise. */
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
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) throw caUnusable(directoryCa ?? '')
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

/** The library takes any answer for a directory. */
async function readTerms(wire: Wire, directory: string): Promise<string | undefined> {
  const document = await readDocument(wire, directory)
  const { data, error } = DIRECTORY.safeParse(document)
  if (data) return data.meta?.termsOfService
  const why =
    document === undefined ? 'there is no JSON document' : `it has no usable ${error.issues[0]?.path.join('.')}`
  throw directoryUnusable(directory, wire.problem?.words ?? why)
}

/**
 * Makes the account, or finds that it is there.
 *
 * @throws ACME_TERMS_NOT_AGREED, ACME_ACCOUNT_REFUSED, ACME_RATE_LIMITED.
 */
export async function openAccount({ directory, terms, ask }: Authority, settings: AcmeSettings): Promise<void> {
  const { agreedTerms, email } = settings
  if (terms !== undefined && agreedTerms !== terms) throw termsNotAgreed(directory, terms, agreedTerms)
  await ask('the account', (client) =>
    client.createAccount({
      ...(terms !== undefined && { termsOfServiceAgreed: true }),
      contact: [`mailto:${email}`],
    }),
  )
}

function directoryUnusable(url: string, why: string): WlbError {
  return new WlbError(
    'ACME_DIRECTORY_UNUSABLE',
    'What is at this address is not the directory of an ACME authority.',
    { url, why },
    'wlb cert acme --directory URL',
  )
}

function termsNotAgreed(directory: string, terms: string, agreedBefore: string | undefined): WlbError {
  return new WlbError(
    'ACME_TERMS_NOT_AGREED',
    'The authority issues certificates only to those who agree to its terms of service.',
    { directory, terms, ...(agreedBefore !== undefined && { agreedBefore }) },
    'wlb cert acme --agree-tos',
  )
}

function caUnusable(file: string): WlbError {
  return new WlbError(
    'ACME_DIRECTORY_CA_UNUSABLE',
    'The file that the directory is to be verified with holds no certificate in PEM.',
    { file },
    'wlb cert acme --directory-ca FILE',
  )
}

/** Undefined where there are none. @throws what `withAuthority` throws. */
export function readTermsOf(settings: AcmeSettings): Promise<string | undefined> {
  // reading a directory takes no account, and leaves none behind
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
    if (performance.now() >= deadline) throw orderTimeout(directory, what, patienceMs)
    const wished = Math.min((wire.retryAfterSeconds ?? 0) * 1000, LONGEST_PAUSE_MS)
    const leftMs = Math.max(0, deadline - performance.now())
    // broken off: the next question says so
    await wait(Math.min(Math.max(pause, wished), leftMs), undefined, { signal: wire.signal }).catch(() => {})
  }
}

function orderTimeout(directory: string, waitedFor: string, patienceMs: number): WlbError {
  return new WlbError(
    'ACME_ORDER_TIMEOUT',
    'The authority has not made up its mind in the time it is given.',
    { directory, waitedFor, seconds: Math.round(patienceMs / 1000) },
    'wlb cert acme',
  )
}
