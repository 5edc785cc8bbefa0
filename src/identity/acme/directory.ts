/** What an ACME authority says of itself: its directory (RFC 8555, 7.1.1; RFC 9773, 4; certificate profiles). */
import { z } from 'zod'
import { fail } from '../errors.js'
import { readDocument, type Wire } from './wire.js'

export interface Directory {
  /** Where the terms of service can be read; undefined where there are none. */
  readonly terms: string | undefined
  /** Accounts are given to those only who have a key from the authority (RFC 8555, 7.3.4). */
  readonly wantsBinding: boolean
  /** The kinds of certificates that can be asked for by name. */
  readonly profiles: readonly string[]
  /** Where it says when a certificate should be renewed. */
  readonly renewalInfo: string | undefined
}

const DOCUMENT = z.object({
  newNonce: z.url(),
  newAccount: z.url(),
  newOrder: z.url(),
  renewalInfo: z.url().optional().catch(undefined),
  meta: z
    .object({
      termsOfService: z.url().optional(),
      externalAccountRequired: z.boolean().optional().catch(undefined),
      profiles: z.record(z.string(), z.unknown()).optional().catch(undefined),
    })
    .optional(),
})

/** Checked here, since the library accepts any answer as a directory. */
export async function readDirectory(wire: Wire, url: string): Promise<Directory> {
  const document = await readDocument(wire, url)
  const { data, error } = DOCUMENT.safeParse(document)
  if (data) {
    const { renewalInfo, meta = {} } = data
    return {
      terms: meta.termsOfService,
      wantsBinding: meta.externalAccountRequired ?? false,
      profiles: Object.keys(meta.profiles ?? {}),
      renewalInfo,
    }
  }
  const { problem } = wire
  if (problem && problem.status >= 500) {
    const { words: authoritySays, retryAfterSeconds } = problem
    throw fail('ACME_UNAVAILABLE', { directory: url, asked: 'the directory', authoritySays, retryAfterSeconds })
  }
  const why =
    document === undefined ? 'there is no JSON document' : `it has no usable ${error.issues[0]?.path.join('.')}`
  throw fail('ACME_DIRECTORY_UNUSABLE', { url, why: problem?.words ?? why })
}
