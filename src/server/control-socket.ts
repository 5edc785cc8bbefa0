/**
 * The part that answers this machine's own commands: HTTP with JSON over a Unix socket that only the appliance's user can
 * open. Commands ask the running appliance through it and never read its database.
 */
import { chmod, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { z } from 'zod'
import { touching } from '../base/files/file-failure.js'
import { shortenSocketPath } from '../base/files/local-socket.js'
import { readSettings, settingsInUse } from '../config/index.js'
import type { RunningStatus } from '../identity/index.js'
import { reachable } from '../tls/index.js'
import type { Given, SettingsPart } from './appliance-files.js'
import { type DatabasePart, readDatabaseStatus } from './database.js'
import type { ReloadPart } from './identity/identity-watch.js'
import { moveRequests } from './movable-listener.js'
import type { Opened } from './part-list.js'
import { readOutlooks } from './pools/pool-outlook.js'
import { plainRoute, type Routes, route, router } from './router.js'
import type { ListenerPart } from './soap-listener.js'

type Needs = Given & SettingsPart & DatabasePart & ListenerPart & ReloadPart

/** Only the appliance's user can connect; a program of theirs that hangs must not use up what pools need. */
export const CONTROL_CONNECTIONS = 32
const CONTROL_LIMITS = { headersTimeout: 10_000, requestTimeout: 20_000, connectionsCheckingInterval: 1_000 } as const
/** Longer than a request takes: setting the listener aside waits ten seconds for requests under way. */
const SILENCE_MS = 60_000

/** The state folder's lock is held, so a socket found there belongs to a process that is gone. */
export async function controlSocket(context: Needs): Promise<Opened<object>> {
  const path = context.place.controlSocket
  const server = createServer(CONTROL_LIMITS, router(controlRoutes(context))).setTimeout(SILENCE_MS)
  server.maxConnections = CONTROL_CONNECTIONS
  await touching(path, () => rm(path, { force: true }))
  const place = shortenSocketPath(path)
  await touching(
    path,
    () =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(place.path, () => {
          server.off('error', reject).on('error', () => {})
          resolve()
        })
      }),
  )
  await chmod(path, 0o600) // no other user could open it before: the folder has mode 0700
  return {
    provides: {},
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          place.close()
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function controlRoutes({
  place,
  settings,
  store,
  secretKey,
  database,
  listener,
  startedAt,
  account,
  usedAddresses,
  reload,
  clock,
  log,
}: Needs): Routes {
  const { setAside, bringBack } = moveRequests(listener, log)
  let inUse = settingsInUse(settings)
  return {
    'GET /status': plainRoute(async (): Promise<RunningStatus> => {
      const state = { state: 'running', pid: process.pid, startedAt: startedAt.toISOString() } as const
      return {
        listener: { ...state, ...listener.where(), fingerprintSha256: listener.served() },
        connections: listener.connections(),
        database,
        ...(await readDatabaseStatus(store, clock.now())),
        addressesUsed: usedAddresses.list(),
        settings: inUse,
        log: { lostLines: log.lostLines() },
      }
    }),
    'DELETE /pools/{uuid}': route(z.object({ uuid: z.string().regex(/^[0-9a-f-]+$/) }), async ({ uuid }) => {
      const forgotten = await store.pools.remove(uuid)
      log.info({ poolUuid: uuid, forgotten }, 'asked to forget a pool')
      return { forgotten }
    }),
    'POST /pools/outlook': route(z.object({ certificatePem: z.string() }), async ({ certificatePem }) => {
      const { address, port } = listener.where()
      const appliance = { host: reachable(address), port }
      return { pools: await readOutlooks({ place, store, secretKey }, appliance, certificatePem, clock) }
    }),
    'POST /reload': plainRoute(reload),
    'POST /account': plainRoute(async () => {
      const { userName, passwordHash } = await readSettings(place.settings)
      account.replace({ userName, passwordHash })
      const { username, passwordDigest } = settingsInUse({ ...settings, userName, passwordHash })
      inUse = { ...inUse, username, passwordDigest }
      log.info('user name and password were read again')
      return { userName }
    }),
    'POST /listener/aside': plainRoute(setAside),
    'POST /listener/back': plainRoute(bringBack),
  }
}
