/** Puts in place what an authority has issued, and forgets then, and not before, that it was waiting. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { lockDirectory } from '../../base/directory-lock.js'
import { WlbError } from '../../base/error.js'
import type { AcmeSettings } from '../../config/acme-settings.js'
import { type AppliancePaths, paths } from '../../config/paths.js'
import { readSettings } from '../../config/settings.js'
import { readPair } from '../identity-store.js'
import { installCertificate } from '../install/install-certificate.js'
import type { Replacement, ReplaceOptions } from '../replace-identity.js'
import { acmeFiles, dropPending } from './acme-files.js'
import type { Obtained } from './obtain.js'
import { readRenewalState, writeRenewalState } from './renewal-state.js'

/** @throws DIRECTORY_IN_USE, and what `replaceIdentity` throws; what was issued waits then for the next time. */
export async function installObtained(
  root: string,
  { plan }: Obtained,
  settings: AcmeSettings,
  options: Omit<ReplaceOptions, 'how'>,
): Promise<Replacement> {
  const place = paths(root)
  const lock = await lockDirectory(place.acmeFolder)
  try {
    const done = await installCertificate(root, plan, { ...options, how: 'acme' })
    await forget(place, settings)
    return done
  } finally {
    await lock.release()
  }
}

/**
 * What was issued came into its place by another way, `wlb trust renew`: nothing waits any more, and nothing is held back.
 * Where something else is in place, it goes on waiting; where somebody is ordering, he finds out himself.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID
 */
export async function settleObtained(root: string): Promise<void> {
  const place = paths(root)
  const { acme } = await readSettings(place.settings)
  if (!acme) return
  const { pendingKey } = acmeFiles(place, acme.directory)
  if (!existsSync(pendingKey)) return
  const lock = await lockDirectory(place.acmeFolder).catch((error: unknown) => {
    if (error instanceof WlbError && error.code === 'DIRECTORY_IN_USE') return undefined
    throw error
  })
  if (!lock) return
  try {
    const { privateKeyPem } = await readPair(place)
    if (privateKeyPem === (await readFile(pendingKey, 'utf8').catch(() => ''))) await forget(place, acme)
  } finally {
    await lock.release()
  }
}

async function forget(place: AppliancePaths, { directory }: AcmeSettings): Promise<void> {
  await dropPending(acmeFiles(place, directory))
  const { failure, held, unfinished } = await readRenewalState(place)
  if (failure || held || unfinished) await writeRenewalState(place, {})
}
