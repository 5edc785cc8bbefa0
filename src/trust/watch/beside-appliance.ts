/** The watch inside a running appliance: its own certificate always, and pools where its settings ask for it. It never stops serving. */
import type { Log } from '../../appliance/index.js'
import type { FleetMember } from '../fleet.js'
import type { Channel } from './channels.js'
import { findOwnEnd } from './own-certificate.js'
import { startWatch, type Watch } from './watch.js'

export interface ApplianceWatch {
  readonly root: string
  readonly log: Log
  readonly now: () => Date
  /** Undefined: no pools are watched. */
  readonly pools?: {
    readonly everyMs: number
    readonly members: () => Promise<readonly FleetMember[]>
    readonly channels: readonly Channel[]
    readonly folder: string
  }
  /** Between two looks at the own certificate; an hour unless said otherwise. */
  readonly ownEveryMs?: number
}

const HOUR_MS = 3_600_000

export function watchBesideAppliance({ root, log, now, pools, ownEveryMs = HOUR_MS }: ApplianceWatch): Watch {
  const said = new Set<string>()
  const look = async () => {
    const end = await findOwnEnd(root, now(), said)
    if (!end) return
    const { leftDays, ...rest } = end
    const facts = { ...rest, daysLeft: Math.floor(leftDays) }
    if (leftDays <= 0) log.error(facts, 'the certificate has expired')
    else log.warn(facts, 'the certificate ends soon')
  }
  const lookSafely = () =>
    look().catch((error: unknown) => log.error({ err: error }, 'the certificate could not be looked at'))
  let running = lookSafely()
  const timer = setInterval(() => {
    running = lookSafely()
  }, ownEveryMs).unref()
  const watch =
    pools &&
    startWatch({
      pools: pools.members,
      folder: pools.folder,
      channels: pools.channels,
      now,
      everyMs: pools.everyMs,
      onEvent: ({ kind, text, ...facts }) => (kind === 'problem' ? log.warn(facts, text) : log.info(facts, text)),
      onUndelivered: (channel, count, why) =>
        log.warn({ channel, count, why }, 'events could not be delivered and wait'),
      onFailure: (error) => log.error({ err: error }, 'the pools could not be looked at'),
    })
  return {
    close: async () => {
      clearInterval(timer)
      await Promise.all([running, watch?.close()])
    },
  }
}
