/**
 * The part that serves a new certificate when the files on disk change or a reload is asked for. The two files change one
 * after the other, so a pair that does not fit is read a second time before an error is logged. A pair that cannot be
 * served changes nothing: the one in service stays.
 */

import { X509Certificate } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { basename } from 'node:path'
import { WlbError } from '../../base/error.js'
import { type AppliancePaths, describeRefusal, type Log, type Reloaded } from '../../config/index.js'
import { contentOf, readIdentity, settleIfLeft } from '../../identity/index.js'
import type { Given, IdentityPart, SettingsPart } from '../appliance-files.js'
import type { Opened } from '../part-list.js'
import type { ListenerPart } from '../soap-listener.js'
import type { DatesPart } from './served-dates.js'

export interface ReloadPart {
  /** Reads the certificate and key on disk now, serves them if it can, and says what is served. */
  reload(): Promise<Reloaded>
}

/** `served`: what is on disk is in service now, or was before. */
type Outcome = { readonly state: 'served' } | { readonly state: 'refused'; readonly error: unknown }

/** Waited after the last of a series of changes. */
const QUIET_MS = 100
/** Waited for the other file of a pair. */
const SECOND_READ_MS = 1000
/** The system does not report every change (network file systems, a folder replaced as a whole). */
const ROUND_MS = 15_000

export async function identityWatch(
  context: Given & SettingsPart & IdentityPart & ListenerPart & DatesPart,
): Promise<Opened<ReloadPart>> {
  const { place, listener, logDates, log } = context
  let served = contentOf(context.identity)
  /** What was found last and could not be served; it is logged once. */
  let refused: { readonly found: string; readonly error: unknown } | undefined
  let timer: NodeJS.Timeout | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let closed = false

  const serveIfNew = async (isLastRead: boolean): Promise<Outcome> => {
    let found = 'unreadable'
    try {
      if (closed) throw new Error('the appliance is closing')
      await settleIfLeft(place)
      const identity = await readIdentity(place)
      found = contentOf(identity)
      if (found !== served) {
        if (found === refused?.found) return { state: 'refused', error: refused.error }
        await listener.replaceIdentity(identity)
        served = found
        const { fingerprint256 } = new X509Certificate(identity.certificatePem)
        log.info({ fingerprintSha256: fingerprint256 }, 'certificate replaced')
        logDates()
      }
      refused = undefined
      return { state: 'served' }
    } catch (error) {
      const outcome = { state: 'refused', error } as const
      if (closed) return outcome
      if (!isLastRead) readIn(SECOND_READ_MS, true)
      else if (found !== refused?.found) {
        refused = { found, error }
        const facts = error instanceof WlbError ? { code: error.code, ...error.facts } : { err: error }
        log.error(
          { ...facts, path: place.certificate },
          'the certificate on disk cannot be served; the one before stays',
        )
      }
      return outcome
    }
  }

  /** One after the other: two at once could put the older pair last. */
  const read = (isLastRead: boolean): Promise<Outcome> => {
    const outcome = turn.then(() => serveIfNew(isLastRead))
    turn = outcome
    return outcome
  }

  const readIn = (delayMs: number, isLastRead: boolean): void => {
    clearTimeout(timer)
    timer = setTimeout(() => void read(isLastRead), delayMs)
  }

  const watcher = watchFolder(place, () => readIn(QUIET_MS, false), log)
  const round = setInterval(() => void read(false), ROUND_MS).unref()

  const reload = async (): Promise<Reloaded> => {
    const before = served
    const outcome = await read(true)
    if (served === before) logDates() // of another one it is said already
    const now = { ...listener.where(), fingerprintSha256: listener.served() }
    return { ...now, refused: outcome.state === 'served' ? null : describeRefusal(outcome.error) }
  }
  const close = async () => {
    closed = true
    clearTimeout(timer)
    clearInterval(round)
    watcher?.close()
    await turn
  }
  return { provides: { reload }, close }
}

/** Without a watcher (no inotify instances left) the rounds still find what changed. */
function watchFolder(place: AppliancePaths, changed: () => void, log: Log): FSWatcher | undefined {
  const names = [place.certificate, place.key].map((path) => basename(path))
  try {
    const watcher = watch(place.certificateFolder, (_, name) => {
      if (name === null || names.includes(name)) changed()
    })
    return watcher.on('error', (error) => log.warn({ err: error }, 'the certificate folder is no longer watched'))
  } catch (error) {
    log.warn({ err: error }, 'the certificate folder is not watched')
    return undefined
  }
}
