/** Carries out what was planned: the pair comes into its place and into service, or everything stays as it was. */
import { rm } from 'node:fs/promises'
import type { InstallPlan } from './install-plan.js'
import { paths } from './paths.js'
import { type Replacement, type ReplaceOptions, replaceIdentity } from './replace-identity.js'

/**
 * The key made for the request has found its certificate: it no longer waits.
 *
 * @throws what `replaceIdentity` throws.
 */
export async function installCertificate(
  root: string,
  { identity, key }: InstallPlan,
  options: Omit<ReplaceOptions, 'how'>,
): Promise<Replacement> {
  const replacement = await replaceIdentity(root, identity, { ...options, how: 'install' })
  if (key.source === 'made for the request') await rm(paths(root).pendingKey, { force: true })
  return replacement
}
