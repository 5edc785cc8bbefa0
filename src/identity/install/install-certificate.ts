/** Carries out an installation on this machine: the pair is put in place and into service, or nothing changes. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { WlbError } from '../../base/error.js'
import { touching } from '../../base/files/file-failure.js'
import { readLimitedFile } from '../../base/files/limited-file.js'
import { type AppliancePaths, paths } from '../../config/index.js'
import { readPrivateKey } from '../../x509/index.js'
import { lockedIdentity } from '../store/identity-change.js'
import { type Replacement, type ReplaceOptions, replaceIdentity } from '../store/replace-identity.js'
import { listPendingKeys } from './install-key.js'
import type { InstallPlan } from './install-plan.js'

/**
 * The copy of the key that waited for this certificate is removed once the pair is in service. After a kill in between,
 * the same command removes it.
 *
 * @throws what `replaceIdentity` throws.
 */
export async function installCertificate(
  root: string,
  { identity }: InstallPlan,
  options: Omit<ReplaceOptions, 'how'> & Partial<Pick<ReplaceOptions, 'how'>>,
): Promise<Replacement> {
  const replacement = await replaceIdentity(root, identity, { how: 'install', ...options })
  await removePendingKey(paths(root), identity.privateKeyPem)
  return replacement
}

/** Only the installed key is removed: another request may have been made since. */
async function removePendingKey(place: AppliancePaths, privateKeyPem: string): Promise<void> {
  const installed = createPublicKey(privateKeyPem)
  const waiting = (await listPendingKeys(place)).length > 0
  if (!waiting) return
  try {
    await lockedIdentity(place, async () => {
      for (const file of await listPendingKeys(place)) {
        if (await holdsKey(file, installed)) await touching(file, () => rm(file, { force: true }))
      }
    })
  } catch (error) {
    // the certificate is in service, and a waiting key that is left over does no harm
    if (!(error instanceof WlbError)) throw error
  }
}

async function holdsKey(file: string, publicKey: KeyObject): Promise<boolean> {
  try {
    const key = readPrivateKey(await readLimitedFile(file), undefined, file)
    return createPublicKey(key).equals(publicKey)
  } catch (error) {
    if (error instanceof WlbError) return false
    throw error
  }
}
