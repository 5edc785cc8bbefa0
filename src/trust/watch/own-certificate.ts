/**
 * Announces the expiry of the appliance's own certificate while it serves, once for each threshold, also across restarts.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { readOwnFile } from '../../base/files/limited-file.js'
import { readStatus } from '../../identity/index.js'
import { THRESHOLD_DAYS } from './compare.js'

const DAY_MS = 86_400_000
const SAID = z.array(z.string())

export interface OwnEnd {
  readonly fingerprintSha256: string
  readonly notAfter: Date
  readonly leftDays: number
}

/**
 * Reads the certificate in place below `root`. `folder` keeps what was announced; it is written after the announcement, so
 * that a kill in between repeats it rather than loses it.
 */
export async function announceOwnEnd(
  root: string,
  folder: string,
  now: Date,
  tell: (end: OwnEnd) => void,
): Promise<void> {
  const { identity } = await readStatus(root)
  if ('error' in identity) return
  const { fingerprintSha256, notAfter } = identity
  const leftDays = (notAfter.getTime() - now.getTime()) / DAY_MS
  const passed = THRESHOLD_DAYS.filter((days) => leftDays <= days).map((days) => `${fingerprintSha256} ${days}`)
  const nearest = passed.at(-1)
  if (nearest === undefined || (await readSaid(folder)).includes(nearest)) return
  tell({ fingerprintSha256, notAfter, leftDays })
  await ensureFolder(folder, 0o700)
  await replaceFile(join(folder, FILE), `${JSON.stringify(passed)}\n`, 0o600)
}

const FILE = 'own-certificate.json'

/** Empty where there is no file, or none that can be read: then the expiry is announced once more. */
async function readSaid(folder: string): Promise<readonly string[]> {
  try {
    return SAID.parse(JSON.parse(await readOwnFile(join(folder, FILE))))
  } catch {
    return []
  }
}
