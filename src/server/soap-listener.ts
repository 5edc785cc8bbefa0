/** The part that listens for pools: TLS with the appliance's identity, and the service behind it. */
import { VERSION } from '../base/version.js'
import { SCHEMA_VERSION } from '../store/index.js'
import type { DatabasePart, Given, IdentityPart, SettingsPart } from './appliance-files.js'
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
  const account = new Account(settings)
  const usedAddresses = recordAddresses()
  const startedAt = clock.now()
  const describe = async () =>
    describeAppliance({
      version: VERSION,
      now: clock.now(),
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
        now: clock.now,
        clock,
        log,
        describe,
        account,
        usedAddresses,
      }),
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
