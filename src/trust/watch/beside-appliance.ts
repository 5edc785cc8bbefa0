/**
 * The watch inside a running appliance: its own certificate and the clocks of its pools always, everything else of the pools
 * where its settings ask for it. It never stops serving.
 */

import { mapBounded } from '../../base/bounded.js'
import type { Log } from '../../config/index.js'
import type { FleetMember } from '../connection/fleet.js'
import type { Channel } from './channels.js'
import { CLOCK_LIMIT_MS } from './compare.js'
import { announceOwnEnd, type OwnEnd } from './own-certificate.js'
import { readPoolClock } from './pool-clock.js'
import { startWatch, type Watch } from './watch.js'

export interface ApplianceWatch {
  readonly root: string
  readonly log: Log
  readonly now: () => Date
  /** The pools that have registered. */
  readonly members: () => Promise<readonly FleetMember[]>
  /** Of what was said; below the appliance's own state. */
  readonly folder: string
  /** Undefined: of the pools only the clocks are looked at. */
  readonly pools?: { readonly everyMs: number; readonly channels: readonly Channel[] }
  /** Between two looks at what is always looked at; an hour unless said otherwise. */
  readonly ownEveryMs?: number
}

const HOUR_MS = 3_600_000
const POOLS_AT_ONCE = 8
/** A look under way when the appliance stops gets this long; what it has not said yet is said at the next start. */
const CLOSE_WAIT_MS = 2000

export function watchBesideAppliance(options: ApplianceWatch): Watch {
  const { root, log, now, members, folder, pools, ownEveryMs = HOUR_MS } = options
  const wrongClocks = new Set<string>()
  const look = async () => {
    await announceOwnEnd(root, folder, now(), (end) => announce(log, end)).catch((error: unknown) =>
      log.error({ err: error }, 'the certificate could not be looked at'),
    )
    if (!pools) {
      await compareClocks(await members(), wrongClocks, log).catch((error: unknown) =>
        log.error({ err: error }, 'the clocks of the pools could not be looked at'),
      )
    }
  }
  const lookSafely = () => look().catch((error: unknown) => log.error({ err: error }, 'the watch failed'))
  let running = lookSafely()
  const timer = setInterval(() => {
    running = lookSafely()
  }, ownEveryMs).unref()
  const watch =
    pools &&
    startWatch({
      pools: members,
      folder,
      channels: pools.channels,
      now,
      everyMs: pools.everyMs,
      onEvent: ({ text, ...facts }) => (facts.kind === 'problem' ? log.warn(facts, text) : log.info(facts, text)),
      onUndelivered: (channel, count, why) =>
        log.warn({ channel, count, why }, 'events could not be delivered and wait'),
      onFailure: (error) => log.error({ err: error }, 'the pools could not be looked at'),
    })
  return {
    close: async () => {
      clearInterval(timer)
      await within(CLOSE_WAIT_MS, Promise.all([running, watch?.close()]))
    },
  }
}

function announce(log: Log, { leftDays, ...rest }: OwnEnd): void {
  const facts = { ...rest, daysLeft: Math.floor(leftDays) }
  if (leftDays <= 0) log.error(facts, 'the certificate has expired')
  else log.warn(facts, 'the certificate ends soon')
}

/** A clock that is wrong is said once, and once more when it is right again. */
async function compareClocks(members: readonly FleetMember[], wrong: Set<string>, log: Log): Promise<void> {
  await mapBounded(members, POOLS_AT_ONCE, async (member) => {
    const offsetMs = await readPoolClock(member)
    if (offsetMs === undefined) return
    const facts = { poolUuid: member.name, clockOffsetSeconds: Math.round(offsetMs / 1000) }
    const isWrong = Math.abs(offsetMs) > CLOCK_LIMIT_MS
    if (isWrong && !wrong.has(member.name)) log.warn(facts, 'the clocks of pool and appliance differ')
    if (!isWrong && wrong.delete(member.name)) log.info(facts, 'the clocks of pool and appliance agree again')
    if (isWrong) wrong.add(member.name)
  })
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([work, limit])
  clearTimeout(timer)
}
