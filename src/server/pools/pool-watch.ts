/**
 * The part that watches while the appliance serves: the end of its own certificate and the clocks of its pools always,
 * everything else of the pools where `[watch]` in the settings asks for it. What fails here is logged and stops nothing.
 */
import { join } from 'node:path'
import { mapBounded, within } from '../../base/bounded.js'
import { onceUntilOver } from '../../base/once-until-over.js'
import type { FleetMember } from '../../trust/index.js'
import { parseWlbAddress } from '../../xapi/index.js'
import type { Given, SettingsPart } from '../appliance-files.js'
import type { Opened } from '../part-list.js'
import type { PoolsPart } from './registered-pools.js'

type Needs = Given & SettingsPart & PoolsPart
type Trust = typeof import('../../trust/index.js')

const HOUR_MS = 3_600_000
const POOLS_AT_ONCE = 8
/** A round under way when the appliance stops gets this long; what it has not reported is reported after the next start. */
const CLOSE_WAIT_MS = 2000

/** Loads the code for pools after the appliance accepts connections: it is large. */
export async function poolWatch(context: Needs): Promise<Opened<object>> {
  const starting = import('../../trust/index.js')
    .then((trust) => startWatching(trust, context))
    .catch((error: unknown) => context.log.error({ err: error }, 'nothing is watched'))
  return { provides: {}, close: async () => (await starting)?.close() }
}

function startWatching(trust: Trust, context: Needs): { close(): Promise<void> } {
  const { root, log, clock, place, settings, registered } = context
  const { watch } = settings
  const folder = join(place.stateFolder, 'watch')
  const channels = watch && trust.openChannels({ ...watch, smtp: watch.smtp ? parseWlbAddress(watch.smtp) : undefined })
  const wrongClocks = new Set<string>()

  const checkOwnEnd = () =>
    trust.announceOwnEnd(root, folder, clock.now(), ({ leftDays, ...rest }) => {
      const facts = { ...rest, daysLeft: Math.floor(leftDays) }
      if (leftDays > 0) log.warn(facts, 'the certificate ends soon') // the end itself: identity/served-dates.ts
    })
  const ownEnd = onceUntilOver((error) => log.error({ err: error }, 'the certificate could not be looked at'))
  const clocks = onceUntilOver((error) => log.error({ err: error }, 'the clocks of the pools could not be looked at'))
  const round = async () => {
    await checkOwnEnd().then(ownEnd.over, ownEnd.failed)
    if (watch) return
    await registered()
      .then((members) => compareClocks(trust, members, wrongClocks, log))
      .then(clocks.over, clocks.failed)
  }
  let running = Promise.resolve()
  let cancel = () => {}
  const startRound = () => {
    cancel = clock.schedule(startRound, HOUR_MS)
    running = round()
  }
  startRound()

  const watching =
    watch &&
    channels &&
    trust.startWatch({
      pools: registered,
      folder,
      channels,
      now: clock.now,
      everyMs: watch.everySeconds * 1000,
      onEvent: ({ text, ...facts }) => (facts.kind === 'problem' ? log.warn(facts, text) : log.info(facts, text)),
      onUndelivered: (channel, count, why) =>
        log.warn({ channel, count, why }, 'events could not be delivered and wait'),
      onFailure: (error) => log.error({ err: error }, 'the pools could not be looked at'),
    })
  return {
    close: async () => {
      cancel()
      await within(CLOSE_WAIT_MS, Promise.all([running, watching?.close()]))
    },
  }
}

/** A clock that becomes wrong is logged once, and once more when it is right again. */
async function compareClocks(
  { readPoolClock, CLOCK_LIMIT_MS }: Trust,
  members: readonly FleetMember[],
  wrong: Set<string>,
  log: Given['log'],
): Promise<void> {
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
