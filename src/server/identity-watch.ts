/**
 * Serves a new certificate when the files change or somebody asks. The two files change one after the other: a pair that
 * does not fit is looked at again before anything is said, and the one in service stays until there is a better one.
 */

import { X509Certificate } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { basename } from 'node:path'
import { WlbError } from '../base/error.js'
import type { Log } from '../config/log.js'
import type { AppliancePaths } from '../config/paths.js'
import { settleIfLeft } from '../identity/store/identity-change.js'
import { contentOf, readIdentity } from '../identity/store/identity-files.js'
import type { ServedIdentity, TlsListener } from '../tls/index.js'

export interface IdentityWatch {
  /** Looks now; whatever is found is logged, and served if it can be. Tells why it cannot. */
  look(): Promise<Looked>
  close(): Promise<void>
}

/** What is on disk is in service now, or was before; or else why not. */
export type Looked = { readonly state: 'served' } | { readonly state: 'refused'; readonly error: unknown }

/** After the last of a series of changes. */
const QUIET_MS = 100
/** For the other file of a pair to follow. */
const SECOND_LOOK_MS = 1000
/** The system does not tell of every change (network file systems, a folder replaced as a whole). */
const ROUND_MS = 15_000

export function watchIdentity(options: {
  readonly paths: AppliancePaths
  readonly served: ServedIdentity
  readonly listener: Pick<TlsListener, 'replaceIdentity'>
  readonly log: Log
}): IdentityWatch {
  const { paths, listener, log } = options
  let served = contentOf(options.served)
  /** What was last found and could not be served: said once. */
  let refused: { readonly found: string; readonly error: unknown } | undefined
  let timer: NodeJS.Timeout | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let closed = false

  const takeIfNew = async (isLastLook: boolean): Promise<Looked> => {
    let found = 'unreadable'
    try {
      if (closed) throw new Error('the appliance is closing')
      await settleIfLeft(paths)
      const identity = await readIdentity(paths)
      found = contentOf(identity)
      if (found === served) return serves()
      if (found === refused?.found) return { state: 'refused', error: refused.error }
      await listener.replaceIdentity(identity)
      served = found
      const { fingerprint256 } = new X509Certificate(identity.certificatePem)
      log.info({ fingerprintSha256: fingerprint256 }, 'certificate replaced')
      return serves()
    } catch (error) {
      const looked = { state: 'refused', error } as const
      if (closed) return looked
      if (!isLastLook) lookIn(SECOND_LOOK_MS, true)
      else if (found !== refused?.found) {
        refused = { found, error }
        const facts = error instanceof WlbError ? { code: error.code, ...error.facts } : { err: error }
        log.error(
          { ...facts, path: paths.certificate },
          'the certificate on disk cannot be served; the one before stays',
        )
      }
      return looked
    }
  }

  const serves = (): Looked => {
    refused = undefined
    return { state: 'served' }
  }

  /** One look after the other: two at once could put the older pair last. */
  const look = (isLastLook: boolean): Promise<Looked> => {
    const looked = turn.then(() => takeIfNew(isLastLook))
    turn = looked
    return looked
  }

  const lookIn = (delayMs: number, isLastLook: boolean): void => {
    clearTimeout(timer)
    timer = setTimeout(() => void look(isLastLook), delayMs)
  }

  const watcher = watchFolder(paths, () => lookIn(QUIET_MS, false), log)
  const round = setInterval(() => void look(false), ROUND_MS).unref()

  return {
    look: () => look(true),
    close: async () => {
      closed = true
      clearTimeout(timer)
      clearInterval(round)
      watcher?.close()
      await turn
    },
  }
}

/** Without a watcher (no inotify instances left) the rounds still find what changed. */
function watchFolder(paths: AppliancePaths, changed: () => void, log: Log): FSWatcher | undefined {
  const names = [paths.certificate, paths.key].map((path) => basename(path))
  try {
    const watcher = watch(paths.certificateFolder, (_, name) => {
      if (name === null || names.includes(name)) changed()
    })
    return watcher.on('error', (error) => log.warn({ err: error }, 'the certificate folder is no longer watched'))
  } catch (error) {
    log.warn({ err: error }, 'the certificate folder is not watched')
    return undefined
  }
}
