/**
 * The certificate files of one host: folders of single files and the bundles made from them, with a pool's own rules
 * for names, permissions, order and what is left behind (docs/trust-stores.md).
 */
import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { replaceFile } from '../durable-file.js'
import { ApiFailure } from '../xapi/index.js'
import type { DistributionCommand, DistributionResult, StoredFile, StoreKind } from './distribution-command.js'
import { type HostLayout, placesOf, STORE_KINDS, type StorePlace } from './layout.js'

/** Tells whether a pool takes a file name: no leading dot, `.pem` at the end, letters, digits, `.`, `_` and `-`. */
export function isAcceptableName(name: string): boolean {
  if (name === '') throw new ApiFailure('INTERNAL_ERROR', ['Invalid_argument("index out of bounds")'])
  return !name.startsWith('.') && name.endsWith('.pem') && /^[A-Za-z0-9._-]+$/.test(name)
}

/** Lists the regular files of a store's first folder, making the folder when it is missing; hash links do not show. */
export async function listStore(layout: HostLayout, kind: StoreKind): Promise<string[]> {
  const [place] = placesOf(layout, kind)
  if (!place) return []
  await makeFolder(place.folder)
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
    await makeFolder(place.folder)
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
      for (const place of placesOf(layout, command.into)) await writeAll(place, command.strategy, command.files)
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
      await makeFolder(place.folder)
      await rehash(place.folder)
      if (place.bundle) await removeIfEmpty(place.bundle)
    }
  }
}

/** A folder is replaced as a whole; when writing fails the previous one comes back. */
async function writeAll(
  place: StorePlace,
  strategy: 'Erase_old' | 'Merge',
  files: readonly StoredFile[],
): Promise<void> {
  const backup = `${place.folder}.bk`
  const erase = strategy === 'Erase_old'
  await makeFolder(place.folder)
  if (erase) {
    await rm(backup, { recursive: true, force: true })
    await rename(place.folder, backup)
    await makeFolder(place.folder)
  }
  try {
    for (const { filename, content } of files) {
      if (filename.includes('/')) throw new Error(`${filename} is not a file name`)
      await writeFile(join(place.folder, filename), content, { mode: 0o644 })
      await chmod(join(place.folder, filename), 0o644)
    }
  } catch (error) {
    if (erase) {
      await rm(place.folder, { recursive: true, force: true })
      await rename(backup, place.folder)
    }
    throw new ApiFailure('INTERNAL_ERROR', [error instanceof Error ? error.message : String(error)])
  }
  if (erase) await rm(backup, { recursive: true, force: true })
}

/** Builds the bundle and the hash links of a store whose files somebody else has changed. Throws the lower error. */
export async function rebuildStore(layout: HostLayout, kind: StoreKind): Promise<void> {
  for (const place of placesOf(layout, kind)) await rebuild(place)
}

async function rebuild(place: StorePlace): Promise<void> {
  await buildBundle(place)
  await rehash(place.folder)
}

/**
 * The pool's bundle script: first all `*.new.pem` (one that cannot be read is left out), then every other `*.pem` (one
 * that cannot be read ends it), an empty line after each. An empty bundle is removed. The script leaves the order to
 * the file system; here it is by name.
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
  await makeFolder(folder)
  const found = await readdir(folder, { recursive: true })
  const names = found.filter((name) => name.endsWith('.pem')).sort()
  const pieces: Buffer[] = []
  for (const name of names.filter((candidate) => candidate.endsWith('.new.pem'))) {
    const content = await readFile(join(folder, name)).catch(() => undefined)
    if (content) pieces.push(content, NEWLINE)
  }
  for (const name of names.filter((candidate) => !candidate.endsWith('.new.pem'))) {
    pieces.push(await readFile(join(folder, name)), NEWLINE)
  }
  if (pieces.length === 0) return rm(bundle, { force: true })
  await mkdir(dirname(bundle), { recursive: true, mode: 0o700 })
  await replaceFile(bundle, Buffer.concat(pieces), 0o644)
}

const NEWLINE = Buffer.from('\n')

async function removeIfEmpty(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.size === 0) await rm(path, { force: true })
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
}

const run = promisify(execFile)

/** OpenSSL's own program makes the links; it complains about files it cannot use, which changes nothing. */
async function rehash(folder: string): Promise<void> {
  if ((await readdir(folder)).length === 0) return
  await run('openssl', ['rehash', folder]).catch((error: NodeJS.ErrnoException) => {
    console.error(`no hash links in ${folder}: ${error.code === 'ENOENT' ? 'openssl is not installed' : error.message}`)
  })
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
