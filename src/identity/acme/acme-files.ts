/**
 * Files of an ACME authority, in a folder for each directory URL, since accounts and certificates of one (a test authority)
 * are of no use at another: the account key, the key of an order, and the chain issued for it. The key is written before the
 * order and the chain before it is installed, so that after a kill nothing has to be ordered twice.
 */
import { createHash, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse, stringify } from 'smol-toml'
import { WlbError } from '../../base/error.js'
import { ensureFolder, replaceFile, syncFolder } from '../../base/files/durable-file.js'
import { touching } from '../../base/files/file-failure.js'
import { readLimitedFile, readLimitedText, readOwnFile } from '../../base/files/limited-file.js'
import {
  type AcmeSettings,
  type AppliancePaths,
  giveFileToOwner,
  giveToOwner,
  readSettings,
  toAcmeFile,
  writeSettings,
} from '../../config/index.js'
import { createRsaKey, exportPrivateKey, readPrivateKey } from '../../x509/index.js'

export interface AcmeFiles {
  readonly folder: string
  readonly accountKey: string
  /** What the authority gave out for an account to be bound to. */
  readonly bindingKey: string
  /** Of the order under way, or of what it has brought. */
  readonly pendingKey: string
  /** Issued, and not in place yet. */
  readonly pendingChain: string
  /** Issued, but pools would refuse it; kept for inspection. */
  readonly refusedChain: string
}

export function acmeFiles({ acmeFolder }: AppliancePaths, directory: string): AcmeFiles {
  const { hostname } = new URL(directory)
  const digest = createHash('sha256').update(directory).digest('hex').slice(0, 8)
  const folder = join(acmeFolder, `${hostname.replace(/[^a-z0-9.-]/g, '')}-${digest}`)
  return {
    folder,
    accountKey: join(folder, 'account.key'),
    bindingKey: join(folder, 'eab.key'),
    pendingKey: join(folder, 'pending.key'),
    pendingChain: join(folder, 'pending.pem'),
    refusedChain: join(folder, 'refused.pem'),
  }
}

/** Readable by the appliance's user only. */
export async function prepareFolder(paths: AppliancePaths, { folder }: AcmeFiles): Promise<void> {
  await touching(folder, async () => {
    await ensureFolder(paths.acmeFolder, 0o700)
    await ensureFolder(folder, 0o700)
  })
  await giveToOwner(paths.acmeFolder, paths)
}

/** The account key; made when there is none. It may be elliptic: only the keys of certificates have to suit pools. */
export async function readAccountKey(paths: AppliancePaths, files: AcmeFiles): Promise<string> {
  return readOrMakeKey(paths, files.accountKey, async () => {
    const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
    return privateKey
  })
}

/** Kept under another name, since nothing says that the account's owner will not want it back. */
export async function retireAccountKey({ folder, accountKey }: AcmeFiles): Promise<void> {
  const digest = createHash('sha256')
    .update(await readLimitedFile(accountKey))
    .digest('hex')
  await touching(accountKey, () => rename(accountKey, join(folder, `account-deactivated-${digest.slice(0, 8)}.key`)))
}

/**
 * Copies the key that the authority gave out into the folder of that authority, for the appliance's user alone, and returns where
 * it is: `wlb serve` may need it when the file that was given is gone or unreadable to it.
 */
export async function keepBindingKey(paths: AppliancePaths, directory: string, key: string): Promise<string> {
  const files = acmeFiles(paths, directory)
  await prepareFolder(paths, files)
  await touching(files.bindingKey, () => replaceFile(files.bindingKey, `${key}\n`, 0o600))
  await giveToOwner(files.folder, paths)
  return files.bindingKey
}

/** The key of the order under way, or a new one: RSA, since pools offer cipher suites for no other kind. */
export async function readOrderKey(paths: AppliancePaths, files: AcmeFiles): Promise<KeyObject> {
  const pem = await readOrMakeKey(paths, files.pendingKey, () => createRsaKey(ORDER_KEY_BITS))
  return readPrivateKey(Buffer.from(pem), undefined, files.pendingKey)
}

export const ORDER_KEY_BITS = 2048

export async function keepIssued(paths: AppliancePaths, files: AcmeFiles, chainPem: string): Promise<void> {
  await touching(files.pendingChain, () => replaceFile(files.pendingChain, chainPem, 0o644))
  await giveToOwner(files.folder, paths)
}

/**
 * Called when what was issued is in place, or of no use. The chain is removed first: a key without one serves the next
 * order.
 */
export async function dropPending({ folder, pendingChain, pendingKey }: AcmeFiles): Promise<void> {
  if (!existsSync(folder)) return
  await touching(folder, async () => {
    await rm(pendingChain, { force: true })
    await rm(pendingKey, { force: true })
    await syncFolder(folder)
  })
}

/** The next order gets another key, since the key may be the reason for the refusal. */
export async function setAside(files: AcmeFiles): Promise<void> {
  await touching(files.pendingChain, () => rename(files.pendingChain, files.refusedChain))
  await dropPending(files)
}

/** A file that holds no usable key is replaced: only an edit by hand can have damaged it. */
async function readOrMakeKey(paths: AppliancePaths, file: string, make: () => Promise<KeyObject>): Promise<string> {
  if (existsSync(file)) {
    const bytes = await readLimitedFile(file)
    if (isKey(bytes, file)) return touching(file, () => readOwnFile(file))
  }
  const pem = exportPrivateKey(await make())
  await touching(file, () => replaceFile(file, pem, 0o600))
  await giveToOwner(paths.acmeFolder, paths)
  return pem
}

function isKey(bytes: Buffer, file: string): boolean {
  try {
    return createPublicKey(readPrivateKey(bytes, undefined, file)).type === 'public'
  } catch (error) {
    if (error instanceof WlbError) return false
    throw error
  }
}

/**
 * Writes the `[acme]` section into the settings, for renewals, and leaves the rest of the file, which people edit, as it is.
 * Nothing is written when it is there already.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, PATH_NOT_PERMITTED, DISK_FULL.
 */
export async function rememberAcme(paths: AppliancePaths, acme: AcmeSettings): Promise<void> {
  const path = paths.settings
  const before = await readSettings(path)
  const wanted = toAcmeFile(acme)
  if (before.acme && stringify(toAcmeFile(before.acme)) === stringify(wanted)) return
  const text = await readLimitedText(path)
  const changed = `${withoutSection(text).trimEnd()}\n\n${stringify({ acme: wanted })}`
  const { acme: _, ...others } = parse(text)
  // a section written in another way (acme.email = …) is not one block of lines
  if (rewrite(changed) === stringify({ ...others, acme: wanted }))
    await touching(path, () => replaceFile(path, changed, 0o600))
  else await writeSettings(path, { ...before, acme })
  await giveFileToOwner(path, paths)
}

function withoutSection(text: string): string {
  let isInside = false
  const kept = text.split('\n').filter((line) => {
    if (/^\s*\[/.test(line)) isInside = /^\s*\[\s*acme\s*\]/.test(line)
    return !isInside
  })
  return kept.join('\n')
}

/** In a canonical form, the same for files of the same content; undefined when it is not TOML. */
function rewrite(text: string): string | undefined {
  try {
    return stringify(parse(text))
  } catch {
    return undefined
  }
}
