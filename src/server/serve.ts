/** The running appliance: everything it needs is opened in order, proven, and closed in the other order. */
import { chmod } from 'node:fs/promises'
import { lockDirectory } from '../base/directory-lock.js'
import { ensureFolder } from '../base/durable-file.js'
import { touching } from '../base/file-failure.js'
import { VERSION } from '../base/version.js'
import { openControlDoor } from '../config/control.js'
import { type Log, openLog } from '../config/log.js'
import { paths } from '../config/paths.js'
import { describeRefusal, type Reloaded } from '../config/reloaded.js'
import { readSecretKey } from '../config/secret.js'
import { readSettings } from '../config/settings.js'
import { type AnchorInstaller, type KeeperOptions, startRenewalKeeper } from '../identity/acme/renewal-keeper.js'
import { describePool, type RunningStatus } from '../identity/appliance-status.js'
import { isUnsettled, lockedIdentity, settleIdentity } from '../identity/store/identity-change.js'
import { checkStoredIdentity, readIdentity } from '../identity/store/identity-files.js'
import { openStore, SCHEMA_VERSION } from '../store/index.js'
import { type CertificateSummary, describeCertificate } from '../x509/index.js'
import { watchIdentity } from './identity-watch.js'
import { moveRequests, startMovableListener } from './movable-listener.js'
import { listRegistered, type RegisteredPool } from './registered-pools.js'
import { Account } from './soap/account.js'
import { describeAppliance } from './soap/diagnostics.js'
import { BODY_TIMEOUT_MS, HTTP_OPTIONS, serviceListener } from './soap/service.js'
import { refuseUnreadable } from './soap/unreadable-request.js'
import { rememberAddresses } from './soap/used-addresses.js'

export interface ServeOptions {
  readonly root: string
  readonly log?: Log
  readonly now?: () => Date
  /** How long a body may take to arrive; 25 seconds unless said otherwise. */
  readonly bodyTimeoutMs?: number
  /** Given `process`, SIGHUP reloads the certificate, SIGTERM and SIGINT close the appliance. */
  readonly signals?: Pick<NodeJS.Process, 'on' | 'off'>
  /** How the certificate of an ACME authority is renewed, where that is not the usual way. */
  readonly renewal?: Partial<Omit<KeeperOptions, 'root' | 'now' | 'log'>>
  /** Brings another anchor to the pools before what it is for is served; unless said otherwise that waits for an operator. */
  readonly bringer?: (beside: Beside) => AnchorInstaller
  /** Started with the appliance, closed before anything it may use. What it throws later is its own affair. */
  readonly companion?: (beside: Beside) => { close(): Promise<void> }
}

/** What a companion may know of the appliance it runs beside. */
export interface Beside {
  readonly pools: () => Promise<readonly RegisteredPool[]>
  readonly address: string
  readonly port: number
}

export interface RunningAppliance {
  readonly address: string
  readonly port: number
  /** Looks at the certificate and key on disk now. */
  reload(): Promise<Reloaded>
  /** Takes no new connections, finishes the requests under way (ten seconds at most), and lets go of everything. */
  close(): Promise<void>
  /** Fulfilled when it is closed, by whomever. */
  readonly closed: Promise<void>
}

const DRAIN_MS = 10_000

/**
 * Starts the appliance; it accepts connections when this returns.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, IDENTITY_INCOMPLETE, SECRET_KEY_UNUSABLE, DIRECTORY_IN_USE, PORT_IN_USE, and what
 *   `checkStoredIdentity`, `openStore` and `startTlsListener` throw. Nothing stays open then.
 */
export async function serve(options: ServeOptions): Promise<RunningAppliance> {
  const { root, log = openLog(), now = () => new Date(), bodyTimeoutMs = BODY_TIMEOUT_MS, signals } = options
  const { renewal, companion, bringer } = options
  const place = paths(root)
  const settings = await readSettings(place.settings)
  const opened: (() => Promise<void>)[] = []
  const closeAll = async () => {
    for (const close of opened.splice(0).reverse())
      await close().catch((error: unknown) => log.error({ err: error }, 'something did not close'))
  }

  try {
    await touching(place.stateFolder, () => ensureFolder(place.stateFolder, 0o700))
    await touching(place.stateFolder, () => chmod(place.stateFolder, 0o700)) // the control socket relies on it
    const lock = await lockDirectory(place.stateFolder)
    opened.push(() => lock.release())

    if (isUnsettled(place)) await lockedIdentity(place, () => settleIdentity(place))
    const identity = await readIdentity(place)
    warn(describeCertificate(checkStoredIdentity(place, identity)), now(), log)
    const secretKey = await readSecretKey(place.secretKey)

    const { databaseUrl } = settings
    const store = await openStore(
      databaseUrl === undefined
        ? { kind: 'embedded', directory: place.database }
        : { kind: 'server', url: databaseUrl },
    )
    opened.push(() => store.close())

    const account = new Account(settings)
    const usedAddresses = rememberAddresses()
    const startedAt = now()
    const database = databaseUrl === undefined ? 'embedded' : 'server'
    const describe = async () =>
      describeAppliance({
        version: VERSION,
        now: now(),
        startedAt,
        schemaVersion: SCHEMA_VERSION,
        database,
        pools: await store.pools.count(),
        listener: listener.where(),
        served: listener.identity(),
      })
    const listener = await startMovableListener(
      {
        address: settings.address,
        port: settings.port,
        ...identity,
        http: HTTP_OPTIONS,
        requestListener: serviceListener({
          pools: store.pools,
          secretKey,
          now,
          log,
          describe,
          account,
          usedAddresses,
          bodyTimeoutMs,
        }),
        onHandshakeError: (error, socket) =>
          log.info({ remote: socket.remoteAddress, reason: error.message }, 'handshake failed'),
        onUnreadableRequest: (error, socket) => refuseUnreadable(error, socket, log),
      },
      DRAIN_MS,
    )
    opened.push(() => listener.close({ drainMs: DRAIN_MS }))

    const watcher = watchIdentity({ paths: place, served: identity, listener, log })
    opened.push(() => watcher.close())

    const readStatus = async (): Promise<RunningStatus> => {
      const state = { state: 'running', pid: process.pid, startedAt: startedAt.toISOString() } as const
      return {
        listener: { ...state, ...listener.where(), fingerprintSha256: listener.served() },
        database,
        pools: (await store.pools.list()).map(describePool),
        addressesUsed: usedAddresses.list(),
      }
    }
    const forgetPool = async (uuid: string) => {
      const forgotten = await store.pools.remove(uuid)
      log.info({ poolUuid: uuid, forgotten }, 'asked to forget a pool')
      return { forgotten }
    }
    const reload = async (): Promise<Reloaded> => {
      const looked = await watcher.look()
      const where = { ...listener.where(), fingerprintSha256: listener.served() }
      return looked.state === 'served'
        ? { ...where, refused: null }
        : { ...where, refused: describeRefusal(looked.error) }
    }
    const reloadAccount = async () => {
      const { userName, passwordHash } = await readSettings(place.settings)
      account.replace({ userName, passwordHash })
      log.info('user name and password were read again')
      return { userName }
    }
    const control = await openControlDoor(place.controlSocket, {
      readStatus,
      forgetPool,
      reload,
      reloadAccount,
      ...moveRequests(listener, log),
    })
    opened.push(() => control.close())

    const { address, port } = listener.where()
    const beside = { pools: () => listRegistered(store.pools, secretKey), address, port }
    const keeper = startRenewalKeeper({ anchorInstaller: bringer?.(beside), ...renewal, root, now, log })
    opened.push(() => keeper.close())

    let tellClosed = () => {}
    const closed = new Promise<void>((resolve) => {
      tellClosed = resolve
    })
    let closing: Promise<void> | undefined
    const close = () => {
      closing ??= closeAll()
        .then(() => log.info('stopped'))
        .finally(tellClosed)
      return closing
    }
    if (signals) opened.push(obeySignals(signals, reload, close))
    if (companion) {
      const accompanying = companion(beside)
      opened.push(() => accompanying.close())
    }
    log.info({ address, port, fingerprintSha256: listener.served(), pid: process.pid }, 'ready')
    return { address, port, reload, close, closed }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Returns what stops obeying. A second SIGTERM while the first is draining changes nothing; SIGKILL is always safe. */
function obeySignals(
  signals: NonNullable<ServeOptions['signals']>,
  reload: () => Promise<unknown>,
  close: () => Promise<void>,
): () => Promise<void> {
  const stop = () => void close()
  const look = () => void reload()
  signals.on('SIGHUP', look).on('SIGTERM', stop).on('SIGINT', stop)
  return async () => {
    signals.off('SIGHUP', look).off('SIGTERM', stop).off('SIGINT', stop)
  }
}

/** Served all the same: a pool may not verify, and an appliance that does not start helps nobody. */
function warn({ notAfter, key, fingerprintSha256 }: CertificateSummary, now: Date, log: Log): void {
  if (notAfter < now) log.warn({ notAfter, fingerprintSha256 }, 'the certificate has expired')
  if (key.type !== 'rsa') log.warn({ key: key.type, fingerprintSha256 }, 'pools can connect to RSA keys only')
}
