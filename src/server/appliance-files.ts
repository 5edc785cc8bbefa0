/** The parts that open what the appliance keeps on disk: settings, state folder, identity. */
import { chmod } from 'node:fs/promises'
import type { Clock } from '../base/clock.js'
import { fail } from '../base/errors.js'
import { type DirectoryLock, lockDirectory } from '../base/files/directory-lock.js'
import { ensureFolder } from '../base/files/durable-file.js'
import { touching } from '../base/files/file-failure.js'
import { type AppliancePaths, askAppliance, type Log, paths, readSettings, type Settings } from '../config/index.js'
import { checkStoredIdentity, isUnsettled, lockedIdentity, readIdentity, settleIdentity } from '../identity/index.js'
import type { ServedIdentity } from '../tls/index.js'
import { describeCertificate } from '../x509/index.js'
import type { Opened } from './part-list.js'

/** What every part may use. */
export interface Given {
  readonly root: string
  readonly log: Log
  readonly clock: Clock
  /** Closes the appliance; returns at once. */
  readonly stop: () => void
}

export interface SettingsPart {
  readonly place: AppliancePaths
  readonly settings: Settings
}

export async function settings({ root }: Given): Promise<Opened<SettingsPart>> {
  const place = paths(root)
  return { provides: { place, settings: await readSettings(place.settings) } }
}

/** The state folder belongs to this process until it is closed. */
export async function stateFolder({ place }: SettingsPart): Promise<Opened<object>> {
  await touching(place.stateFolder, () => ensureFolder(place.stateFolder, 0o700))
  await touching(place.stateFolder, () => chmod(place.stateFolder, 0o700)) // the control socket relies on it
  const lock = await lockDirectory(place.stateFolder)
  await refuseRunning(place, lock)
  return { provides: {}, close: () => lock.release() }
}

/** An appliance whose lock file was removed under it, or of a version that had another lock, still answers its commands. */
async function refuseRunning(place: AppliancePaths, lock: DirectoryLock): Promise<void> {
  try {
    const isRunning = (await askAppliance(place.controlSocket)) !== undefined
    if (isRunning) throw fail('DIRECTORY_IN_USE', { directory: place.stateFolder })
  } catch (error) {
    await lock.release()
    throw error
  }
}

export interface IdentityPart {
  /** What is on disk at the start. */
  readonly identity: ServedIdentity
}

/**
 * Completes a change of identity that was cut short, then reads the pair. A key that pools cannot use is served all the same
 * and logged: other clients may use it.
 */
export async function identity({ place, log }: Given & SettingsPart): Promise<Opened<IdentityPart>> {
  if (isUnsettled(place)) await lockedIdentity(place, () => settleIdentity(place))
  const stored = await readIdentity(place)
  const { key, fingerprintSha256 } = describeCertificate(checkStoredIdentity(place, stored))
  if (key.type !== 'rsa') log.warn({ key: key.type, fingerprintSha256 }, 'pools can connect to RSA keys only')
  return { provides: { identity: stored } }
}
