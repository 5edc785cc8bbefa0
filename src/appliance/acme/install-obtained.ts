/** Puts in place what an authority has issued, and forgets then, and not before, that it was waiting. */
import { lockDirectory } from '../../directory-lock.js'
import { installCertificate } from '../install-certificate.js'
import { paths } from '../paths.js'
import type { Replacement, ReplaceOptions } from '../replace-identity.js'
import { acmeFiles, dropPending } from './acme-files.js'
import type { AcmeSettings } from './acme-settings.js'
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
    await dropPending(acmeFiles(place, settings.directory))
    const { failure, held } = await readRenewalState(place)
    if (failure || held) await writeRenewalState(place, {})
    return done
  } finally {
    await lock.release()
  }
}
