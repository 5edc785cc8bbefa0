/**
 * The certificate files of one host: what a pool accepts into its stores, the folders of single files, and the bundles
 * made from them, with a pool's own rules for names, permissions, order and what is left behind (docs/trust-stores.md).
 *
 * Every host of a pool of 64 receives more than 64 files at each change. The code that goes through all of them uses
 * synchronous calls: that takes a tenth of the time that asynchronous calls take.
 */
import type { X509Certificate } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { replaceFile } from '../../base/files/durable-file.js'
import { decodeSingleCertificate, describeCertificate } from '../../x509/index.js'
import { ApiFailure } from '../../xapi/index.js'
import type { ApiRecord } from '../database/database.js'
import { type HostLayout, placesOf, STORE_KINDS, type StorePlace } from '../host/host-files.js'
import type { DistributionCommand, DistributionResult, StoredFile, StoreKind } from './distribution-command.js'
import { isHashLink, refreshHashLinks } from './hash-links.js'

/** Tells whether a pool takes a file name: no leading dot, `.pem` at the end, letters, digits, `.`, `_` and `-`. */
export function isAcceptableName(name: string): boolean {
  if (name === '') throw new ApiFailure('INTERNAL_ERROR', ['Invalid_argument("index out of bounds")'])
  return !name.startsWith('.') && name.endsWith('.pem') && /^[A-Za-z0-9._-]+$/.test(name)
}

/** Lists the regular files of a store's first folder, creating the folder when it is missing; hash links are left out. */
export async function listStore(layout: HostLayout, kind: StoreKind): Promise<string[]> {
  const [place] = placesOf(layout, kind)
  if (!place) return []
  makeFolder(place.folder)
  const entries = await readdir(place.folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort()
}

/** Tells whether a file of that name lies in the store. */
export async function isStored(layout: HostLayout, kind: StoreKind, name: string): Promise<boolean> {
  const [place] = placesOf(layout, kind)
  return place !== undefined && (await exists(join(place.folder, name)))
}

/** Writes one file into each folder of the store, then rebuilds bundles and hash links. Throws the lower error. */
export async function addToStore(layout: HostLayout, kind: StoreKind, name: string, content: string): Promise<void> {
  for (const place of placesOf(layout, kind)) {
    makeFolder(place.folder)
    await replaceFile(join(place.folder, name), content, 0o644)
    await rebuild(place)
  }
}

/** Removes one file from each folder of the store, then rebuilds. Throws the lower error. */
export async function removeFromStore(layout: HostLayout, kind: StoreKind, name: string): Promise<void> {
  for (const place of placesOf(layout, kind)) {
    await rm(join(place.folder, name), { force: true })
    await rebuild(place)
  }
}

/** Carries out what the coordinator asks of a host about its files. */
export async function carryOut(layout: HostLayout, command: DistributionCommand): Promise<DistributionResult> {
  switch (command.kind) {
    case 'Write':
      for (const place of placesOf(layout, command.into)) writeAll(place, command.strategy, command.files)
      return { kind: 'WriteResult' }
    case 'GenBundle':
      for (const kind of STORE_KINDS) for (const place of placesOf(layout, kind)) await buildBundle(place)
      return { kind: 'GenBundleResult' }
    case 'CollectOne':
      return { kind: 'CollectOneResult', file: await collect(layout, command.from, `${command.name}.pem`) }
    case 'CollectMany': {
      const files: StoredFile[] = []
      for (const name of command.names) files.push(await collect(layout, command.from, name))
      return { kind: 'CollectManyResult', files }
    }
  }
}

/** Reads what a coordinator sends of a store: names that end in `pem` but not in `new.pem`, without the last newline. */
export async function readForDistribution(layout: HostLayout, kind: StoreKind): Promise<StoredFile[]> {
  const names = (await listStore(layout, kind)).filter((name) => name.endsWith('pem') && !name.endsWith('new.pem'))
  return Promise.all(names.map((name) => collect(layout, kind, name)))
}

async function collect(layout: HostLayout, kind: StoreKind, filename: string): Promise<StoredFile> {
  const [place] = placesOf(layout, kind)
  if (!place) throw new ApiFailure('INTERNAL_ERROR', [`no folder for ${filename}`])
  const content = await readFile(join(place.folder, filename), 'utf8')
  return { filename, content: content.replace(/\n$/, '') }
}

/** host.certificate_sync: folders exist, hash links are fresh, an empty bundle is gone. Bundles are not rebuilt. */
export async function tidyStores(layout: HostLayout): Promise<void> {
  for (const kind of STORE_KINDS) {
    for (const place of placesOf(layout, kind)) {
      makeFolder(place.folder)
      await refreshHashLinks(place.folder)
      if (place.bundle) removeIfEmpty(place.bundle)
    }
  }
}

/** Replaces a folder as a whole; when writing fails the previous one is restored. */
function writeAll({ folder }: StorePlace, strategy: 'Erase_old' | 'Merge', files: readonly StoredFile[]): void {
  const backup = `${folder}.bk`
  const erase = strategy === 'Erase_old'
  makeFolder(folder)
  if (erase && holdsJust(folder, files)) {
    eraseLinks(folder)
    return
  }
  if (erase) {
    rmSync(backup, { recursive: true, force: true })
    renameSync(folder, backup)
    makeFolder(folder)
  }
  try {
    for (const { filename, content } of files) {
      if (filename.includes('/')) throw new Error(`${filename} is not a file name`)
      writeFileSync(join(folder, filename), content, { mode: 0o644 })
      chmodSync(join(folder, filename), 0o644)
    }
  } catch (error) {
    if (erase) {
      rmSync(folder, { recursive: true, force: true })
      renameSync(backup, folder)
    }
    throw new ApiFailure('INTERNAL_ERROR', [error instanceof Error ? error.message : String(error)])
  }
  if (erase) rmSync(backup, { recursive: true, force: true })
}

/**
 * Tells whether the folder already holds exactly these files, links aside: most files that are sent are there already.
 */
function holdsJust(folder: string, files: readonly StoredFile[]): boolean {
  if ((statSync(folder).mode & 0o7777) !== 0o700) return false
  const wanted = new Map(files.map(({ filename, content }) => [filename, content]))
  const found = readdirSync(folder, { withFileTypes: true }).filter((entry) => !isHashLink(entry))
  return (
    found.length === wanted.size && found.every((entry) => entry.isFile() && isSame(join(folder, entry.name), wanted))
  )
}

function isSame(path: string, wanted: ReadonlyMap<string, string>): boolean {
  return (statSync(path).mode & 0o7777) === 0o644 && wanted.get(basename(path)) === readFileSync(path, 'utf8')
}

function eraseLinks(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (isHashLink(entry)) rmSync(join(folder, entry.name))
}

/** Rebuilds the bundle and the hash links of a store whose files were changed from outside. Throws the lower error. */
export async function rebuildStore(layout: HostLayout, kind: StoreKind): Promise<void> {
  for (const place of placesOf(layout, kind)) await rebuild(place)
}

async function rebuild(place: StorePlace): Promise<void> {
  await buildBundle(place)
  await refreshHashLinks(place.folder)
}

/**
 * The pool's bundle script: first all `*.new.pem` (an unreadable one is skipped), then every other `*.pem` (an
 * unreadable one is an error), an empty line after each. An empty bundle is removed. The script leaves the order to the
 * file system; here it is by name.
 */
function buildBundle({ folder, bundle }: StorePlace): Promise<void> {
  if (!bundle) return Promise.resolve()
  const building = previousBundle.then(() => writeBundle(folder, bundle))
  previousBundle = building.catch(() => {})
  return building
}

/** One bundle at a time, or an older list of files could overwrite a newer one. */
let previousBundle: Promise<void> = Promise.resolve()

async function writeBundle(folder: string, bundle: string): Promise<void> {
  makeFolder(folder)
  const names = readdirSync(folder, { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.pem'))
    .sort()
  const pieces: Buffer[] = []
  for (const name of names.filter((candidate) => candidate.endsWith('.new.pem'))) {
    const content = readIfPossible(join(folder, name))
    if (content) pieces.push(content, NEWLINE)
  }
  for (const name of names.filter((candidate) => !candidate.endsWith('.new.pem'))) {
    pieces.push(readFileSync(join(folder, name)), NEWLINE)
  }
  if (pieces.length === 0) return rm(bundle, { force: true })
  mkdirSync(dirname(bundle), { recursive: true, mode: 0o700 })
  await replaceFile(bundle, Buffer.concat(pieces), 0o644)
}

function readIfPossible(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

const NEWLINE = Buffer.from('\n')

function removeIfEmpty(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) rmSync(path, { force: true })
}

function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** The codes of one kind of certificate: `CA_CERTIFICATE`, `TRUSTED_CERTIFICATE` and `SERVER_CERTIFICATE` + an ending. */
type Family = 'CA_CERTIFICATE' | 'TRUSTED_CERTIFICATE' | 'SERVER_CERTIFICATE'

/**
 * Reads exactly one certificate that is valid now. Nothing else is checked: no authority flag, no key, no usage.
 *
 * @throws ApiFailure <family>_INVALID, <family>_NOT_VALID_YET or <family>_EXPIRED.
 */
export function readInstallable(text: string, family: Family, now: Date): X509Certificate {
  const decoded = decodeSingleCertificate(text)
  if (decoded.state === 'refused') throw new ApiFailure(`${family}_INVALID`, [])
  const { notBefore, notAfter } = describeCertificate(decoded.certificate)
  if (now < notBefore) throw new ApiFailure(`${family}_NOT_VALID_YET`, [formatInstant(now), formatInstant(notBefore)])
  if (now > notAfter) throw new ApiFailure(`${family}_EXPIRED`, [formatInstant(now), formatInstant(notAfter)])
  return decoded.certificate
}

/** The fields of a Certificate record that come from the certificate itself. */
export function certificateFields(certificate: X509Certificate): ApiRecord {
  const { notBefore, notAfter, fingerprintSha1, fingerprintSha256 } = describeCertificate(certificate)
  return {
    not_before: notBefore,
    not_after: notAfter,
    fingerprint: fingerprintSha256,
    fingerprint_sha256: fingerprintSha256,
    fingerprint_sha1: fingerprintSha1,
  }
}

/** RFC 3339, UTC, whole seconds. */
function formatInstant(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
