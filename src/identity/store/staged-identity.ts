/**
 * Pairs that wait until every host of the pool trusts them. Each has a folder named after its content, its key readable by its
 * owner only; a kill leaves a complete pair or none.
 */
import { existsSync } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureFolder, syncFolder, writeNewFile } from '../../base/files/durable-file.js'
import { touching } from '../../base/files/file-failure.js'
import { readOwnFile } from '../../base/files/limited-file.js'
import { paths } from '../../config/index.js'
import { checkIdentity, type ServedIdentity } from '../../tls/index.js'
import { fail } from '../errors.js'
import { CERTIFICATE_FILE, KEY_FILE } from './identity-files.js'
import { identityId } from './identity-history.js'

/** Keeps a pair and returns its name. @throws the codes of `checkIdentity`, PATH_NOT_PERMITTED, DISK_FULL */
export async function stageIdentity(root: string, identity: ServedIdentity): Promise<string> {
  checkIdentity(identity)
  const id = identityId(identity)
  const { staged } = paths(root)
  const folder = join(staged, id)
  return touching(staged, async () => {
    await ensureFolder(staged, 0o700)
    if (existsSync(folder)) return id
    const writing = join(staged, `.writing-${id}`)
    await rm(writing, { recursive: true, force: true })
    await ensureFolder(writing, 0o700)
    await writeNewFile(join(writing, CERTIFICATE_FILE), identity.certificatePem, 0o644)
    await writeNewFile(join(writing, KEY_FILE), identity.privateKeyPem, 0o600)
    await syncFolder(writing)
    await rename(writing, folder)
    await syncFolder(staged)
    return id
  })
}

/** @throws IDENTITY_NOT_STAGED */
export async function readStaged(root: string, id: string): Promise<ServedIdentity> {
  const folder = join(paths(root).staged, id)
  if (!/^[0-9a-f]+$/.test(id) || !existsSync(folder)) throw fail('IDENTITY_NOT_STAGED', { id })
  return touching(folder, async () => ({
    certificatePem: await readOwnFile(join(folder, CERTIFICATE_FILE)),
    privateKeyPem: await readOwnFile(join(folder, KEY_FILE)),
  }))
}

/** Called when it is in service, or not wanted any more. */
export async function dropStaged(root: string, id: string): Promise<void> {
  if (/^[0-9a-f]+$/.test(id)) await rm(join(paths(root).staged, id), { recursive: true, force: true })
}

/** As long as a person may take to answer the question that a renewal asks before it writes its journal. */
const ABANDONED_MS = 86_400_000

/** Drops the pairs of renewals that were killed before they wrote a journal: all but `named`, and recent ones. */
export async function dropAbandoned(root: string, named: ReadonlySet<string>, now: Date): Promise<void> {
  const { staged } = paths(root)
  for (const name of existsSync(staged) ? await readdir(staged) : []) {
    if (named.has(name)) continue
    const { mtimeMs } = await stat(join(staged, name))
    if (now.getTime() - mtimeMs > ABANDONED_MS) await rm(join(staged, name), { recursive: true, force: true })
  }
}
