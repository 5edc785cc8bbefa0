/**
 * Creates a small authority in a folder of its own. All files are written to a folder with another name, which is then
 * renamed, so that an interruption at any point leaves either the complete authority or none.
 */
import { existsSync } from 'node:fs'
import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { LOCK_FILE, lockDirectory } from '../base/files/directory-lock.js'
import { ensureFolder, replaceFile, syncFolder } from '../base/files/durable-file.js'
import { systemCode, touching } from '../base/files/file-failure.js'
import { type Authority, createAuthority, createSerialNumber } from '../x509/index.js'
import { fail } from './errors.js'
import {
  type AuthorityReport,
  authorityFolder,
  checkPassphrase,
  encryptKey,
  FOLDER_MODE,
  PUBLIC_MODE,
  README,
  reportAuthority,
  SECRET_MODE,
  writeIndex,
} from './folder.js'

export interface CreateOptions {
  readonly folder: string
  readonly name?: string | undefined
  /** Lifetime of the root; 20 years by default. */
  readonly lifetimeDays?: number | undefined
  readonly withIntermediate: boolean
  readonly passphrase: string
  readonly now: Date
  /** For tests, because generating long keys is slow. */
  readonly keyBits?: number
}

const LIFETIME_DAYS = 7300
const LIFETIME_LIMIT_DAYS = 36_500
const DEFAULT_NAME = 'OpenWLB'
/** `ub-common-name` is 64 (RFC 5280, appendix A.1), and ` Issuing CA` is appended. */
const NAME_LIMIT = 50

/**
 * Creates an authority. An existing one is kept unchanged, and its passphrase is not checked.
 *
 * @throws AUTHORITY_FOLDER_OCCUPIED when the folder holds other files.
 * @throws AUTHORITY_NAME_DIFFERS when the existing authority has another name.
 * @throws USAGE_AUTHORITY when the name, the lifetime or the passphrase cannot be used.
 */
export async function createSmallAuthority(
  options: CreateOptions,
): Promise<AuthorityReport & { readonly already: boolean }> {
  checkOptions(options)
  const place = authorityFolder(options.folder)
  return touching(place.folder, async () => {
    if (existsSync(place.index)) return keepExisting(options)
    const making = join(dirname(place.folder), `.${basename(place.folder)}.making`)
    await ensureFolder(making, FOLDER_MODE)
    await checkOwn(making)
    const lock = await lockDirectory(making)
    try {
      if (!existsSync(place.index)) {
        if (!(await isFree(place.folder))) throw fail('AUTHORITY_FOLDER_OCCUPIED', { folder: place.folder })
        for (const left of (await readdir(making)).filter((name) => name !== LOCK_FILE))
          await rm(join(making, left), { recursive: true }) // from an earlier attempt
        await writeAuthority(making, options)
        await moveIntoPlace(making, place.folder)
        return { ...(await reportAuthority(place.folder)), already: false }
      }
      await rm(making, { recursive: true, force: true }) // another process was faster
      return await keepExisting(options)
    } catch (error) {
      await rm(making, { recursive: true, force: true })
      throw error
    } finally {
      await lock.release()
    }
  })
}

/** Its name can be guessed: where others may write, one of them may have made it, and the keys would be theirs to read. */
async function checkOwn(making: string): Promise<void> {
  const { uid, mode } = await lstat(making)
  const isOwn = uid === process.geteuid?.() && (mode & 0o022) === 0
  if (!isOwn) throw fail('AUTHORITY_FOLDER_OCCUPIED', { folder: making })
}

async function keepExisting({ folder, name }: CreateOptions): Promise<AuthorityReport & { readonly already: boolean }> {
  const report = await reportAuthority(folder)
  if (name !== undefined && name !== report.name)
    throw fail('AUTHORITY_NAME_DIFFERS', { folder, name: report.name, asked: name })
  return { ...report, already: true }
}

async function writeAuthority(folder: string, options: CreateOptions): Promise<void> {
  const { name = DEFAULT_NAME, lifetimeDays = LIFETIME_DAYS, withIntermediate, passphrase, now, keyBits } = options
  const { root, intermediate }: Authority = await createAuthority({
    name,
    now,
    lifetimeDays,
    rootSerial: createSerialNumber(),
    intermediateSerial: withIntermediate ? createSerialNumber() : undefined,
    keyBits,
  })
  const place = authorityFolder(folder)
  await replaceFile(place.readme, README, PUBLIC_MODE)
  await replaceFile(place.rootKey, encryptKey(root.privateKey, passphrase), SECRET_MODE)
  await replaceFile(place.rootCertificate, root.certificate.toString(), PUBLIC_MODE)
  if (intermediate) {
    await replaceFile(place.intermediateKey, encryptKey(intermediate.privateKey, passphrase), SECRET_MODE)
    await replaceFile(place.intermediateCertificate, intermediate.certificate.toString(), PUBLIC_MODE)
  }
  await writeIndex(place, {
    format: 1,
    name,
    issuer: intermediate ? 'intermediate' : 'root',
    crlNumber: { intermediate: 0, root: 0 },
    issued: [],
  })
}

async function moveIntoPlace(making: string, folder: string): Promise<void> {
  try {
    await rename(making, folder)
  } catch (error) {
    if (['EBUSY', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? ''))
      throw fail('AUTHORITY_FOLDER_OCCUPIED', { folder })
    throw error
  }
  await syncFolder(dirname(folder))
}

async function isFree(folder: string): Promise<boolean> {
  return !existsSync(folder) || (await readdir(folder)).length === 0
}

function checkOptions({ name = DEFAULT_NAME, lifetimeDays = LIFETIME_DAYS, passphrase }: CreateOptions): void {
  const isName = name.trim() === name && name !== '' && name.length <= NAME_LIMIT && !/\p{C}/u.test(name)
  if (!isName)
    throw fail('USAGE_AUTHORITY', {
      what: 'name',
      why: `must have 1 to ${NAME_LIMIT} characters, none of them invisible`,
    })
  if (lifetimeDays < 2 || lifetimeDays > LIFETIME_LIMIT_DAYS)
    throw fail('USAGE_AUTHORITY', { what: 'days', why: `must be from 2 to ${LIFETIME_LIMIT_DAYS}` })
  const objection = checkPassphrase(passphrase)
  if (objection !== undefined) throw fail('USAGE_AUTHORITY', { what: 'passphrase', why: objection })
}
