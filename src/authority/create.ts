/**
 * Makes a small authority in a folder of its own: all of it is written beside the place, complete, and renamed there in
 * one step. A kill at any point leaves the whole authority or none.
 */
import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { lockDirectory } from '../base/directory-lock.js'
import { ensureFolder, replaceFile, syncFolder } from '../base/durable-file.js'
import { WlbError } from '../base/error.js'
import { systemCode, touching } from '../base/file-failure.js'
import { type Authority, createAuthority, createSerialNumber } from '../x509/index.js'
import { authorityFolder, FOLDER_MODE, PUBLIC_MODE, README, SECRET_MODE } from './folder.js'
import { writeIndex } from './index-file.js'
import { checkPassphrase, encryptKey } from './keys.js'
import { type AuthorityReport, reportAuthority } from './report.js'

export interface CreateOptions {
  readonly folder: string
  readonly name?: string | undefined
  /** The root's; 20 years by default. */
  readonly lifetimeDays?: number | undefined
  readonly withIntermediate: boolean
  readonly passphrase: string
  readonly now: Date
  /** For tests, which cannot wait for long keys. */
  readonly keyBits?: number
}

const LIFETIME_DAYS = 7300
const LIFETIME_LIMIT_DAYS = 36_500
const DEFAULT_NAME = 'OpenWLB'
/** `ub-common-name` is 64, and ` Issuing CA` has to fit. */
const NAME_LIMIT = 50

/**
 * Makes an authority; one that is there is kept, whatever its passphrase.
 *
 * @throws AUTHORITY_FOLDER_OCCUPIED when something else is in the folder.
 * @throws AUTHORITY_NAME_DIFFERS when the authority that is there goes by another name.
 * @throws USAGE_AUTHORITY when the name, the lifetime or the passphrase is of no use.
 */
export async function createSmallAuthority(
  options: CreateOptions,
): Promise<AuthorityReport & { readonly already: boolean }> {
  checkOptions(options)
  const place = authorityFolder(options.folder)
  return touching(place.folder, async () => {
    if (existsSync(place.index)) return keep(options)
    const making = join(dirname(place.folder), `.${basename(place.folder)}.making`)
    await ensureFolder(making, FOLDER_MODE)
    const lock = await lockDirectory(making)
    try {
      if (!existsSync(place.index)) {
        if (!(await isFree(place.folder))) throw folderOccupied(place.folder)
        for (const left of await readdir(making)) await rm(join(making, left), { recursive: true }) // of an earlier attempt
        await write(making, options)
        await settle(making, place.folder)
        return { ...(await reportAuthority(place.folder)), already: false }
      }
      await rm(making, { recursive: true }) // somebody was faster
      return await keep(options)
    } catch (error) {
      await rm(making, { recursive: true, force: true })
      throw error
    } finally {
      await lock.release()
    }
  })
}

async function keep({ folder, name }: CreateOptions): Promise<AuthorityReport & { readonly already: boolean }> {
  const report = await reportAuthority(folder)
  if (name !== undefined && name !== report.name) throw nameDiffers(folder, report.name, name)
  return { ...report, already: true }
}

async function write(folder: string, options: CreateOptions): Promise<void> {
  const { name = DEFAULT_NAME, lifetimeDays = LIFETIME_DAYS, withIntermediate, passphrase, now, keyBits } = options
  const { root, intermediate }: Authority = await createAuthority({
    name,
    now,
    lifetimeDays,
    rootSerial: createSerialNumber(),
    intermediateSerial: withIntermediate ? createSerialNumber() : undefined,
    ...(keyBits !== undefined && { keyBits }),
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

async function settle(making: string, folder: string): Promise<void> {
  try {
    await rename(making, folder)
  } catch (error) {
    if (['EBUSY', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw folderOccupied(folder)
    throw error
  }
  await syncFolder(dirname(folder))
}

async function isFree(folder: string): Promise<boolean> {
  return !existsSync(folder) || (await readdir(folder)).length === 0
}

function checkOptions({ name = DEFAULT_NAME, lifetimeDays = LIFETIME_DAYS, passphrase }: CreateOptions): void {
  const isName = name.trim() === name && name !== '' && name.length <= NAME_LIMIT && !/\p{C}/u.test(name)
  if (!isName) throw unusable('name', `must have 1 to ${NAME_LIMIT} characters, none of them invisible`)
  if (lifetimeDays < 2 || lifetimeDays > LIFETIME_LIMIT_DAYS)
    throw unusable('days', `must be from 2 to ${LIFETIME_LIMIT_DAYS}`)
  const objection = checkPassphrase(passphrase)
  if (objection !== undefined) throw unusable('passphrase', objection)
}

function unusable(what: string, why: string): WlbError {
  return new WlbError(
    'USAGE_AUTHORITY',
    'An authority cannot be made with that.',
    { what, why },
    'wlb ca create --help',
  )
}

function folderOccupied(folder: string): WlbError {
  return new WlbError(
    'AUTHORITY_FOLDER_OCCUPIED',
    'An authority gets a folder of its own, and something else is there already (or a disk is mounted there).',
    { folder },
    `wlb ca create --dir ${join(folder, 'ca')} --passphrase-file FILE --yes`,
  )
}

function nameDiffers(folder: string, name: string, asked: string): WlbError {
  return new WlbError(
    'AUTHORITY_NAME_DIFFERS',
    'There is an authority of another name in this folder; it was not touched.',
    { folder, name, asked },
    `wlb ca list --dir ${folder}`,
  )
}
