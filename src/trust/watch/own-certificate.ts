/** The appliance's own certificate, looked at while it serves: its end is announced in time, once for each threshold. */
import { readStatus } from '../../appliance/index.js'
import { THRESHOLD_DAYS } from './compare.js'

const DAY_MS = 86_400_000

export interface OwnEnd {
  readonly fingerprintSha256: string
  readonly notAfter: Date
  readonly leftDays: number
}

/** Of the certificate in place in that folder; `said` keeps what was announced, and is added to. */
export async function findOwnEnd(root: string, now: Date, said: Set<string>): Promise<OwnEnd | undefined> {
  const { identity } = await readStatus(root)
  if ('error' in identity) return undefined
  const { fingerprintSha256, notAfter } = identity
  const leftDays = (notAfter.getTime() - now.getTime()) / DAY_MS
  const nearest = THRESHOLD_DAYS.filter((days) => leftDays <= days).at(-1)
  const key = `${fingerprintSha256} ${nearest}`
  if (nearest === undefined || said.has(key)) return undefined
  said.add(key)
  return { fingerprintSha256, notAfter, leftDays }
}
