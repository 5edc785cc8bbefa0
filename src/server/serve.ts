/** The running appliance: a list of parts, opened in order and closed in the other order. */
import { type Clock, SYSTEM_CLOCK } from '../base/clock.js'
import { type Log, openLog } from '../config/index.js'
import { type Given, identity, settings, stateFolder } from './appliance-files.js'
import { controlSocket } from './control-socket.js'
import { database } from './database.js'
import { identityWatch, type ReloadPart } from './identity/identity-watch.js'
import { servedDates } from './identity/served-dates.js'
import { type Opened, type PartList, partList } from './part-list.js'
import { poolWatch } from './pools/pool-watch.js'
import { registeredPools } from './pools/registered-pools.js'
import { anchorInstaller, renewal } from './renewal.js'
import { type ListenerPart, soapListener } from './soap-listener.js'

/** Answers pools and the commands of this machine, and reaches the pools that registered. */
export const serviceParts = partList<Given>()
  .add(settings)
  .add(stateFolder)
  .add(identity)
  .add(database)
  .add(soapListener)
  .add(servedDates)
  .add(identityWatch)
  .add(controlSocket)
  .add(registeredPools)

/** What `wlb serve` runs: the service, and everything that acts without being asked. */
export const applianceParts = serviceParts //
  .add(anchorInstaller)
  .add(renewal)
  .add(signals)
  .add(poolWatch)

export interface ServeOptions {
  readonly root: string
  /** Standard error by default. */
  readonly log?: Log
  readonly clock?: Clock
}

export interface RunningAppliance {
  readonly address: string
  readonly port: number
  /** Reads the certificate and key on disk now, and serves them if they are new and usable. */
  readonly reload: ReloadPart['reload']
  /** Takes no new connections, finishes the requests under way (ten seconds at most), and closes every part. */
  close(): Promise<void>
  /** Fulfilled when it is closed, by whichever way. */
  readonly closed: Promise<void>
}

/**
 * Starts the appliance; it accepts connections when this returns.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, IDENTITY_INCOMPLETE, SECRET_KEY_UNUSABLE, DIRECTORY_IN_USE, PORT_IN_USE, and what
 *   `checkStoredIdentity`, `openStore` and `startTlsListener` throw. Nothing stays open then.
 */
export async function serve(
  { root, log = openLog(), clock = SYSTEM_CLOCK }: ServeOptions,
  parts: PartList<Given, ListenerPart & ReloadPart> = serviceParts,
): Promise<RunningAppliance> {
  let reportClosed = () => {}
  const closed = new Promise<void>((resolve) => {
    reportClosed = resolve
  })
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= opening
      .then((opened) => opened.close())
      .then(() => log.info('stopped'))
      .finally(reportClosed)
    return closing
  }
  const stop = () => void close().catch(() => {}) // fails only where opening fails, which is reported below
  const opening = parts.open({ root, log, clock, stop })
  const { listener, reload } = (await opening).context
  const { address, port } = listener.where()
  log.info({ address, port, fingerprintSha256: listener.served(), pid: process.pid }, 'ready')
  return { address, port, reload, close, closed }
}

/**
 * The part that obeys the process's signals: SIGHUP reloads the certificate, SIGTERM and SIGINT close the appliance. A second
 * SIGTERM while requests are being finished changes nothing; SIGKILL is always safe.
 */
async function signals({ stop, reload }: Given & ReloadPart): Promise<Opened<object>> {
  const reloadOnHangup = () => void reload()
  process.on('SIGHUP', reloadOnHangup).on('SIGTERM', stop).on('SIGINT', stop)
  return {
    provides: {},
    close: async () => {
      process.off('SIGHUP', reloadOnHangup).off('SIGTERM', stop).off('SIGINT', stop)
    },
  }
}
