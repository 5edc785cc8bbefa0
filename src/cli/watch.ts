/** `wlb watch`: prints events as lines on stdout until a signal ends it; with `--once` it checks every pool once. */

import { once } from 'node:events'
import { join } from 'node:path'
import { WlbError } from '../base/error.js'
import { openLineSink } from '../base/text/line-sink.js'
import { visibleJson, visibleLine } from '../base/text/printable.js'
import { paths, readSettings } from '../config/index.js'
import {
  audienceOf,
  type ChannelChoices,
  type DatedEvent,
  deliverTest,
  type FleetMember,
  lineOf,
  openChannels,
  startWatch,
  watchOnce,
} from '../trust/index.js'
import { configFolder, parseWlbAddress, readKnownPools } from '../xapi/index.js'
import type { WatchFlags } from './commands.js'
import { fail } from './errors.js'
import { EXIT, printError, printJson, printText } from './terminal/print.js'
import { readFleetMembers } from './trust/fleet.js'
import { choosePool } from './trust/open-pool.js'

const EVERY_SECONDS = 3600
const LEAST_SECONDS = 10

/** @throws USAGE_WEBHOOK, USAGE_NOBODY_TO_TELL, USAGE_WATCH_INTERVAL, USAGE_NOTHING_TO_WATCH, and what reading the pools throws. */
export async function watch(root: string, flags: WatchFlags): Promise<void> {
  const { every = EVERY_SECONDS, json = false } = flags
  if (every < LEAST_SECONDS) throw fail('USAGE_WATCH_INTERVAL', { every, leastSeconds: LEAST_SECONDS })
  if (flags.test) return sendTest(root, flags)
  const channels = openChannels(flags)
  const pools = await choosePools(flags)
  const answer = openLineSink(1, { describeLoss: (lines) => describeLoss(lines, json) })
  const notes = openLineSink(2, { describeLoss: (lines) => describeLoss(lines, false) })
  const options = {
    pools,
    folder: join(configFolder(), 'watch', audienceOf(channels)),
    channels,
    now: () => new Date(),
    onEvent: (event: DatedEvent) => answer.write(`${json ? visibleJson(JSON.stringify(event)) : lineOf(event)}\n`),
    onUndelivered: (channel: string, count: number, why: string) =>
      notes.write(`${visibleLine(`wlb: ${channel}: ${count} events wait, ${why}`)}\n`),
  }
  if (flags.once) {
    const { exitCode } = await watchOnce(options)
    process.exitCode = exitCode
    return
  }
  notes.write(`watching ${visibleLine((await pools()).map(({ name }) => name).join(', '))}, every ${every} s\n`)
  const watching = startWatch({
    ...options,
    everyMs: every * 1000,
    onFailure: (error) => printError(error, 'text', { root }, answer, notes),
  })
  const alive = setInterval(() => {}, 2 ** 30) // the watch's own timers do not keep the process running
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  clearInterval(alive)
  await watching.close()
}

/** Exits 1 where a channel did not take it. */
async function sendTest(root: string, flags: WatchFlags): Promise<void> {
  const given = openChannels(flags)
  const channels = given.length > 0 ? given : openChannels(await readOwnChoices(root))
  if (channels.length === 0) throw fail('USAGE_NOBODY_TO_TELL', { missing: '--webhook, or --mail-to' })
  const results = await deliverTest(channels, new Date())
  if (flags.json) printJson({ test: results.map(({ channel, failure = null }) => ({ channel, failure })) })
  else
    for (const { channel, failure } of results)
      printText(`${visibleLine(failure === undefined ? `${channel}: it arrived` : `${channel}: FAILED, ${failure}`)}\n`)
  if (results.some(({ failure }) => failure !== undefined)) process.exitCode = EXIT.no
}

/** As the running appliance has them. */
async function readOwnChoices(root: string): Promise<ChannelChoices> {
  const settings = await readSettings(paths(root).settings).catch((error: unknown) => {
    if (error instanceof WlbError && error.code === 'NOT_SET_UP') return undefined
    throw error
  })
  const { smtp, ...choices } = settings?.watch ?? {}
  return { ...choices, smtp: smtp === undefined ? undefined : parseWlbAddress(smtp) }
}

/** Said in the place of events that nobody took in time, which channels may have delivered all the same. */
function describeLoss(lines: number, json: boolean): string {
  const at = new Date().toISOString()
  return json ? `${JSON.stringify({ at, kind: 'lost', lines })}\n` : `${at} ${lines} lines were lost\n`
}

async function choosePools(flags: WatchFlags): Promise<() => Promise<readonly FleetMember[]>> {
  const { fleet } = flags
  if (fleet !== undefined) {
    const members = await readFleetMembers(fleet)
    return async () => members
  }
  if ((flags.pool ?? process.env.WLB_POOL ?? '') !== '') {
    const choice = await choosePool(flags)
    const name = flags.pool ?? process.env.WLB_POOL ?? ''
    return async () => [{ name, access: async () => choice.access, appliance: choice.appliance }]
  }
  if ((await readKnownPools()).size === 0) throw fail('USAGE_NOTHING_TO_WATCH', { missing: '--pool, or --fleet' })
  return knownMembers
}

/** Every pool in this user's list of known pools, read again for each check. */
async function knownMembers(): Promise<readonly FleetMember[]> {
  const names = [...(await readKnownPools()).keys()]
  return Promise.all(
    names.map(async (name): Promise<FleetMember> => {
      const access = async () => (await choosePool({ pool: name })).access
      const appliance = await choosePool({ pool: name }).then(
        (choice) => choice.appliance,
        () => undefined, // a missing password file is reported when this pool is checked
      )
      return { name, access, appliance }
    }),
  )
}
