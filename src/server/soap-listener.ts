/** The part that listens for pools: TLS with the appliance's identity, and the service behind it. */
import { isIP, type Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import { networkOf } from '../base/names/network.js'
import { VERSION } from '../base/version.js'
import type { Log } from '../config/index.js'
import { type PoolStore, SCHEMA_VERSION } from '../store/index.js'
import type { Given, IdentityPart, SettingsPart } from './appliance-files.js'
import { type DatabasePart, isDatabaseFailure } from './database.js'
import { type MovableListener, startMovableListener } from './movable-listener.js'
import type { Opened } from './part-list.js'
import { Account } from './soap/account.js'
import { describeAppliance } from './soap/diagnostics.js'
import { HTTP_OPTIONS, refuseUnreadable, serviceListener } from './soap/service.js'
import { recordAddresses, type UsedAddresses } from './soap/used-addresses.js'

export interface ListenerPart {
  readonly listener: MovableListener
  readonly startedAt: Date
  readonly account: Account
  readonly usedAddresses: UsedAddresses
}

/** How long requests under way may take to finish when the appliance closes. */
const DRAIN_MS = 10_000

export async function soapListener(
  context: Given & SettingsPart & IdentityPart & DatabasePart,
): Promise<Opened<ListenerPart>> {
  const { settings, identity, store, database, secretKey, clock, log } = context
  const account = new Account({ ...settings, registered: await registeredNetworks(store.pools) })
  const usedAddresses = recordAddresses()
  const startedAt = clock.now()
  const describe = async () =>
    describeAppliance({
      version: VERSION,
      now: clock.now(),
      startedAt,
      schemaVersion: SCHEMA_VERSION,
      database,
      pools: await store.pools.count().catch(unlessDatabaseFails),
      troubleSince: store.trouble()?.since,
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
        now: clock.now,
        clock,
        log,
        describe,
        account,
        usedAddresses,
        vouch: (socket) => listener.vouch(socket),
      }),
      isKnown: (network) => account.isKnown(network),
      onGivenUp: reportGivenUp(log, clock),
      onHandshakeError: (error, socket) =>
        log.info({ remote: socket.remoteAddress, reason: error.message }, 'handshake failed'),
      onUnreadableRequest: (error, socket) => refuseUnreadable(error, socket, log),
    },
    DRAIN_MS,
  )
  return {
    provides: { listener, startedAt, account, usedAddresses },
    close: () => listener.close({ drainMs: DRAIN_MS }),
  }
}

/** Where registered pools live. Those that registered by name are known as soon as they have asked once. */
async function registeredNetworks(pools: PoolStore): Promise<string[]> {
  const addresses = (await pools.list()).flatMap(({ address, coordinatorAddress }) => [address, coordinatorAddress])
  return addresses.filter((address) => isIP(address) !== 0).map(networkOf)
}

const REPORT_EVERY_MS = 60_000

/** Logs the first connection that is given up at once, and those of the next minute as a number: an attack must not fill the log. */
function reportGivenUp(log: Log, clock: Clock) {
  let unreported: number | undefined
  return (why: string, socket: Socket) => {
    if (unreported !== undefined) {
      unreported++
      return
    }
    log.warn({ remote: socket.remoteAddress, why }, 'a connection was given up')
    unreported = 0
    clock.schedule(() => {
      if (unreported) log.warn({ count: unreported }, 'more connections were given up in the last minute')
      unreported = undefined
    }, REPORT_EVERY_MS)
  }
}

/** The number of pools is what the diagnostics can do without. */
function unlessDatabaseFails(error: unknown): undefined {
  if (!isDatabaseFailure(error)) throw error
}
