/**
 * Compares two snapshots of a pool and makes events: problems, recoveries, changes, certificates that expire soon. Pure. An
 * expiry is announced once for each threshold it passes (docs/watch.md).
 */
import type { Snapshot } from './snapshot.js'

export interface WatchEvent {
  readonly code: EventCode
  /** A `problem` lasts until `mended`; a `notice` is announced once. */
  readonly kind: 'problem' | 'mended' | 'notice'
  readonly pool: string
  /** A host, a file, a certificate; empty for the pool itself. */
  readonly subject: string
  /** A sentence. */
  readonly text: string
}

export type EventCode =
  | 'POOL_UNREACHABLE'
  | 'HOST_VERIFIES'
  | 'VERIFICATION'
  | 'STORE_CHANGED'
  | 'IDENTITY_CHANGED'
  | 'ADDRESS_CHANGED'
  | 'EXPIRY'
  | 'CLOCK'
  | 'RENEWAL_HELD_BACK'
  | 'TEST'

/** Days before the end; 0 is the end itself. */
export const THRESHOLD_DAYS = [30, 14, 7, 1, 0] as const
export const CLOCK_LIMIT_MS = 60_000
/** Far more entries than the certificates of a pool need, five for each. */
const ANNOUNCED_LIMIT = 1000
const DAY_MS = 86_400_000

export interface Comparison {
  readonly events: readonly WatchEvent[]
  /** What has been announced of ends, for the next time. */
  readonly announced: readonly string[]
}

/** `before` as `keepKnown` made it; undefined for the first snapshot, which reports only problems. */
export function compareSnapshots(
  before: Snapshot | undefined,
  after: Snapshot,
  announced: readonly string[],
  now: Date,
): Comparison {
  const { pool } = after
  const say = (code: EventCode, kind: WatchEvent['kind'], subject: string, text: string): WatchEvent => ({
    code,
    kind,
    pool,
    subject,
    text,
  })
  if (after.unreachable !== '') {
    const isNew = before?.unreachable !== after.unreachable
    const text = `The pool could not be looked at: ${after.unreachable}.`
    return { events: isNew ? [say('POOL_UNREACHABLE', 'problem', '', text)] : [], announced }
  }
  const known = before?.isKnown ? before : undefined
  const ends = compareEnds(after, announced, now)
  return {
    events: [
      ...(before && before.unreachable !== ''
        ? [say('POOL_UNREACHABLE', 'mended', '', 'The pool can be looked at again.')]
        : []),
      ...compareFlag(known, after).map(([kind, text]) => say('VERIFICATION', kind, '', text)),
      ...compareHosts(known, after).map(([kind, host, text]) => say('HOST_VERIFIES', kind, host, text)),
      ...compareStores(known, after).map(([name, text]) => say('STORE_CHANGED', 'notice', name, text)),
      ...compareValues(known, after).map(([code, text]) => say(code, 'notice', '', text)),
      ...compareHeld(known, after).map(([kind, text]) => say('RENEWAL_HELD_BACK', kind, '', text)),
      ...compareClocks(known, after).map(([kind, who, text]) => say('CLOCK', kind, who, text)),
      ...ends.said.map(([what, text]) => say('EXPIRY', 'problem', what, text)),
    ],
    announced: ends.announced,
  }
}

function compareHeld(before: Snapshot | undefined, { heldBack }: Snapshot): Said[] {
  if ((before?.heldBack ?? '') === heldBack) return []
  return heldBack === ''
    ? [['mended', 'No new certificate is held back any more.']]
    : [['problem', `A new certificate is held back: ${heldBack}`]]
}

type Said = [kind: WatchEvent['kind'], text: string]

function compareFlag(before: Snapshot | undefined, { verifies }: Snapshot): Said[] {
  if (before?.verifies === verifies || (!before && verifies)) return []
  return verifies
    ? [['mended', 'Verification is on again.']]
    : [['problem', 'Verification is off: whoever answers is believed.']]
}

function compareHosts(before: Snapshot | undefined, { hosts }: Snapshot): [...Said, string][] {
  return Object.entries(hosts).flatMap(([host, error]): [WatchEvent['kind'], string, string][] => {
    const was = before?.hosts[host]
    if (error === was || error === '?') return []
    if (error !== '') return [['problem', host, `${host} does not verify the appliance: ${error}.`]]
    return was === undefined || was === '?' ? [] : [['mended', host, `${host} verifies the appliance again.`]]
  })
}

function compareStores(before: Snapshot | undefined, after: Snapshot): [string, string][] {
  if (!before) return []
  const key = ({ name, fingerprintSha256 }: Snapshot['installed'][number]) => `${name} ${fingerprintSha256}`
  const [was, is] = [new Set(before.installed.map(key)), new Set(after.installed.map(key))]
  return [
    ...before.installed
      .filter((one) => !is.has(key(one)))
      .map((one): [string, string] => [one.name, `${one.name} is not installed any more, or is another certificate.`]),
    ...after.installed
      .filter((one) => !was.has(key(one)))
      .map((one): [string, string] => [one.name, `${one.name} is installed now.`]),
  ]
}

function compareValues(before: Snapshot | undefined, after: Snapshot): [EventCode, string][] {
  if (!before) return []
  return [
    ...(before.served !== after.served && after.served !== '' && before.served !== ''
      ? [
          ['IDENTITY_CHANGED', `The appliance serves another certificate: ${after.served}.`] satisfies [
            EventCode,
            string,
          ],
        ]
      : []),
    ...(before.wlbUrl === after.wlbUrl
      ? []
      : [['ADDRESS_CHANGED', `The pool connects to ${after.wlbUrl || 'nothing'} now.`] satisfies [EventCode, string]]),
  ]
}

function compareClocks(before: Snapshot | undefined, after: Snapshot): [...Said, string][] {
  const isWrong = (ms: number | undefined) => ms !== undefined && Math.abs(ms) > CLOCK_LIMIT_MS
  return Object.entries(after.clockOffsetsMs).flatMap(([who, ms]): [WatchEvent['kind'], string, string][] => {
    const was = isWrong(before?.clockOffsetsMs[who])
    if (isWrong(ms) === was) return []
    const seconds = Math.round(ms / 1000)
    return was
      ? [['mended', who, `The clock of ${who} is right again.`]]
      : [['problem', who, `The clock of ${who} differs by ${seconds} seconds.`]]
  })
}

/** The nearest threshold passed is announced; those before it count as announced too. */
function compareEnds({ expiries }: Snapshot, announced: readonly string[], now: Date) {
  const known = new Set(announced)
  const kept: string[] = []
  const said: [string, string][] = []
  const inTime = new Set<string>()
  for (const { what, fingerprintSha256, notBefore, notAfter } of expiries) {
    const early = `${fingerprintSha256} early`
    if (isEarly(notBefore, now)) {
      kept.push(early)
      if (!known.has(early)) said.push([what, `Not valid yet: ${what}, before ${notBefore}; is the clock right?`])
    } else inTime.add(early)
    const leftDays = (new Date(notAfter).getTime() - now.getTime()) / DAY_MS
    const passed = THRESHOLD_DAYS.filter((days) => leftDays <= days)
    const nearest = passed.at(-1)
    if (nearest === undefined) continue
    const isSaid = known.has(`${fingerprintSha256} ${nearest}`)
    for (const days of passed) kept.push(`${fingerprintSha256} ${days}`)
    if (!isSaid) said.push([what, describeEnd(what, notAfter, leftDays)])
  }
  // also of those not seen this time: an appliance that was down for a while announces nothing twice
  const stillTrue = announced.filter((one) => !inTime.has(one))
  return { said, announced: [...new Set([...stillTrue, ...kept])].slice(-ANNOUNCED_LIMIT) }
}

function isEarly(notBefore: string, now: Date): boolean {
  return notBefore !== '' && now < new Date(notBefore)
}

function describeEnd(what: string, notAfter: string, leftDays: number): string {
  if (leftDays <= 0) return `Expired: ${what}, on ${notAfter}.`
  const days = Math.floor(leftDays)
  return `${what} ends in ${days === 1 ? '1 day' : `${days} days`}, on ${notAfter}.`
}

/** Whether nothing is wrong, whatever was announced before. */
export function isWell(snapshot: Snapshot, now: Date): boolean {
  const { verifies, hosts, unreachable, clockOffsetsMs, expiries, heldBack } = snapshot
  const soon = expiries.some(
    ({ notBefore, notAfter }) =>
      isEarly(notBefore, now) || new Date(notAfter).getTime() - now.getTime() <= THRESHOLD_DAYS[0] * DAY_MS,
  )
  const clocks = Object.values(clockOffsetsMs).every((ms) => Math.abs(ms) <= CLOCK_LIMIT_MS)
  const isServed = unreachable === '' && verifies && heldBack === ''
  return isServed && clocks && !soon && Object.values(hosts).every((error) => error === '')
}
