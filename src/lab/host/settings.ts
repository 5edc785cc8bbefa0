/** What the launcher writes down for one host of the lab: who it is and where it listens. */
import { timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { replaceFile } from '../../base/durable-file.js'
import type { HostLayout } from './layout.js'

const schema = z.object({
  name: z.string(),
  uuid: z.string(),
  poolUuid: z.string(),
  /** Its own, in 127.0.0.0/8. */
  address: z.string(),
  plainPort: z.number(),
  tlsPort: z.number(),
  username: z.string(),
  password: z.string(),
  /** A second user, who may look and change nothing; labs of before have none. */
  reader: z.object({ username: z.string(), password: z.string() }).optional(),
  tlsClient: z.enum(['node', 'stunnel']),
  /** How late a refused login is answered, as a pool does it. */
  refusalDelayMs: z.number(),
})

export type HostSettings = Readonly<z.infer<typeof schema>>

/** Throws the lower error when the file is missing or not settings. */
export async function readSettings(layout: HostLayout): Promise<HostSettings> {
  return schema.parse(JSON.parse(await readFile(layout.settings, 'utf8')))
}

export async function writeSettings(layout: HostLayout, settings: HostSettings): Promise<void> {
  await replaceFile(layout.settings, `${JSON.stringify(settings, undefined, 2)}\n`, 0o600)
}

/** pool.conf: `master`, or `slave:` and the coordinator's address. */
export type Allegiance =
  | { readonly kind: 'coordinator' }
  | { readonly kind: 'member'; readonly coordinatorAddress: string }

export async function readAllegiance(layout: HostLayout): Promise<Allegiance> {
  const text = (await readFile(layout.poolConf, 'utf8')).trim()
  return text.startsWith('slave:')
    ? { kind: 'member', coordinatorAddress: text.slice('slave:'.length) }
    : { kind: 'coordinator' }
}

/** Which host is coordinator hangs on this one file: it is replaced as a whole and flushed. */
export async function writeAllegiance(layout: HostLayout, allegiance: Allegiance): Promise<void> {
  const text = allegiance.kind === 'coordinator' ? 'master' : `slave:${allegiance.coordinatorAddress}`
  await replaceFile(layout.poolConf, text, 0o644)
}

/** Compares without telling how much of a guess was right. */
export function isSameSecret(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)]
  return left.length === right.length && timingSafeEqual(left, right)
}
