/** Observes pools at intervals, reports what changed, and delivers the events; undelivered events are kept. */
import { mapBounded } from '../../base/bounded.js'
import { lockDirectory } from '../../base/files/directory-lock.js'
import { ensureFolder } from '../../base/files/durable-file.js'
import { onceUntilOver } from '../../base/once-until-over.js'
import { tlsReason } from '../../base/text/tls-reason.js'
import { type FleetMember, lookAtFleet } from '../connection/fleet.js'
import type { Channel } from './channels.js'
import { compareSnapshots, isWell } from './compare.js'
import { type DatedEvent, OUTBOX_LIMIT, readMemory, type WatchMemory, writeMemory } from './memory.js'
import { keepKnown, snapshotOf } from './snapshot.js'

export interface WatchOptions {
  readonly pools: () => Promise<readonly FleetMember[]>
  /** Of the memory. */
  readonly folder: string
  readonly channels: readonly Channel[]
  readonly now: () => Date
  readonly onEvent: (event: DatedEvent) => void
  /** A channel that did not accept its events; they are kept. */
  readonly onUndelivered: (channel: string, count: number, why: string) => void
}

export interface Round {
  /** 0: all is well; 1: something is wrong; 2: a pool could not be observed. */
  readonly exitCode: 0 | 1 | 2
  readonly events: readonly DatedEvent[]
}

const AT_ONCE = 8
/** Two rounds at once would each overwrite what the other has recorded. */
const LOCK_WAIT_MS = 120_000

/**
 * Observes every pool once. A channel or pool that fails is reported, not thrown.
 *
 * @throws DIRECTORY_IN_USE when another process uses that folder for two minutes; what `pools` and the file system throw.
 */
export async function watchOnce(options: WatchOptions): Promise<Round> {
  await ensureFolder(options.folder, 0o700)
  const lock = await lockDirectory(options.folder, LOCK_WAIT_MS)
  try {
    return await runRound(options)
  } finally {
    await lock.release()
  }
}

async function runRound(options: WatchOptions): Promise<Round> {
  const { pools, folder, channels, now, onEvent } = options
  const memory = await readMemory(folder)
  const lines = await lookAtFleet(await pools(), { atOnce: AT_ONCE, now })
  const at = now()
  const events: DatedEvent[] = []
  const known: Record<string, WatchMemory['pools'][string]> = { ...memory.pools }
  const snapshots = lines.map(snapshotOf)
  for (const snapshot of snapshots) {
    const before = memory.pools[snapshot.pool]
    const found = compareSnapshots(before?.snapshot, snapshot, before?.announced ?? [], at)
    events.push(...found.events.map((event) => ({ ...event, at: at.toISOString() })))
    known[snapshot.pool] = { snapshot: keepKnown(before?.snapshot, snapshot), announced: [...found.announced] }
  }
  const outbox = Object.fromEntries(
    channels.map(({ key }) => [key, [...(memory.outbox[key] ?? []), ...events].slice(-OUTBOX_LIMIT)]),
  )
  // saved before delivery: a kill in between repeats events rather than loses them
  await writeMemory(folder, { pools: known, outbox })
  for (const event of events) onEvent(event)
  const left = await deliver(options, outbox)
  await writeMemory(folder, { pools: known, outbox: left })

  const isOpen = snapshots.some(({ unreachable, hosts }) => unreachable !== '' || Object.values(hosts).includes('?'))
  const isWrong = snapshots.some((snapshot) => snapshot.unreachable === '' && !isWell(withoutOpen(snapshot), at))
  return { exitCode: isWrong ? 1 : isOpen ? 2 : 0, events }
}

function withoutOpen<T extends { readonly hosts: Readonly<Record<string, string>> }>(snapshot: T): T {
  return { ...snapshot, hosts: Object.fromEntries(Object.entries(snapshot.hosts).filter(([, error]) => error !== '?')) }
}

async function deliver(
  { channels, onUndelivered }: WatchOptions,
  outbox: Readonly<Record<string, readonly DatedEvent[]>>,
): Promise<Record<string, DatedEvent[]>> {
  const left = await mapBounded(channels, channels.length, async (channel): Promise<[string, DatedEvent[]]> => {
    const waiting = outbox[channel.key] ?? []
    if (waiting.length === 0) return [channel.key, []]
    try {
      await channel.deliver(waiting)
      return [channel.key, []]
    } catch (error) {
      onUndelivered(channel.name, waiting.length, describeFailure(error))
      return [channel.key, [...waiting]]
    }
  })
  return Object.fromEntries(left)
}

/** The error of `fetch` says only that it failed; its cause says why. */
function describeFailure(error: unknown): string {
  const said = tlsReason(error)
  const cause = error instanceof Error && error.cause instanceof Error ? tlsReason(error.cause) : ''
  return cause === '' ? said : `${said}: ${cause}`
}

export interface Watch {
  /** Ends after the round under way. */
  close(): Promise<void>
}

/** Observes at once, then every `everyMs`. A round that failed as a whole is tried again; the same failure is reported once. */
export function startWatch(
  options: WatchOptions & { readonly everyMs: number; readonly onFailure: (error: unknown) => void },
): Watch {
  const { everyMs } = options
  const failure = onceUntilOver(options.onFailure)
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const round = async (): Promise<void> => {
    await watchOnce(options).then(failure.over, failure.failed)
    if (!closed) timer = setTimeout(() => (running = round()), everyMs).unref()
  }
  let running = round()
  return {
    close: async () => {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}
