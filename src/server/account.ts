/** The account that pools authenticate with: shown, and given another password while the appliance runs. */

import { WlbError } from '../base/error.js'
import { lockDirectory } from '../base/files/directory-lock.js'
import {
  askAppliance,
  changePasswordHash,
  checkPassword,
  giveFileToOwner,
  hashPassword,
  paths,
  readSettings,
  verifyPassword,
} from '../config/index.js'
import { readStatus, type Status } from '../identity/index.js'
import { fail } from './errors.js'

export interface AccountReport {
  readonly userName: string
  /** Where the hash is. */
  readonly settingsFile: string
  /** Whether the running appliance takes what the file says; null where none runs, or it does not say. */
  readonly isInService: boolean | null
  /** The pools that present it; null where none runs. */
  readonly pools: Status['pools']
}

/** @throws NOT_SET_UP, SETTINGS_INVALID, APPLIANCE_SILENT */
export async function describeAccount(root: string): Promise<AccountReport> {
  const { settings } = paths(root)
  const { userName } = await readSettings(settings)
  const { pools, listener, settings: inUse, nextStart } = await readStatus(root)
  const differs = nextStart.changed.some(({ key }) => key.startsWith('account.'))
  return {
    userName,
    settingsFile: settings,
    isInService: listener.state === 'running' && inUse !== null ? !differs : null,
    pools,
  }
}

export interface PasswordChange extends AccountReport {
  readonly state: 'changed' | 'already so'
}

/**
 * Writes the hash of another password into the settings, and tells the running appliance, which takes it from the next request on.
 * Settings whose hash is unusable are mended by it; every other line of the file stays.
 *
 * @throws CHOICE_INVALID, NOT_SET_UP, SETTINGS_INVALID, DIRECTORY_IN_USE, APPLIANCE_SILENT
 */
export async function changePassword(root: string, password: string): Promise<PasswordChange> {
  const why = checkPassword(password)
  if (why !== undefined) throw fail('CHOICE_INVALID', { choice: 'password', why })
  const place = paths(root)
  const before = await readSettings(place.settings).catch((error: unknown) => {
    if (error instanceof WlbError && error.code === 'SETTINGS_INVALID') return undefined
    throw error
  })
  const isSame = before !== undefined && (await verifyPassword(password, before.passwordHash))
  if (!isSame) {
    const passwordHash = await hashPassword(password)
    const lock = await lockDirectory(place.settingsFolder)
    try {
      await changePasswordHash(place.settings, passwordHash)
      await giveFileToOwner(place.settings, place)
    } finally {
      await lock.release()
    }
  }
  await askAppliance(place.controlSocket, 'POST', '/account')
  return { state: isSame ? 'already so' : 'changed', ...(await describeAccount(root)) }
}
