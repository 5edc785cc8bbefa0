/** Certificate and revocation files of a host, changed behind the pool's back: on its disk, and in nobody's records. */
import type { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../../base/durable-file.js'
import { WlbError } from '../../../base/error.js'
import { readPemBlocks } from '../../../x509/index.js'
import { listStore, rebuildStore } from '../../certificates/trust-store.js'
import { placesOf } from '../../host/layout.js'
import type { KnownHost } from '../../launcher/lab-file.js'
import { layoutFor, type PoolStage, parseCertificate } from './stage.js'

export interface StoreFile {
  readonly name: string
  readonly content: Buffer
  /** Those it holds, as far as it can be read. */
  readonly certificates: readonly X509Certificate[]
}

type Store = 'LegacyRootCert' | 'CRL'

/** The certificate files of a host that pools look at: `NAME.pem`. */
export async function readFiles(
  stage: PoolStage,
  host: KnownHost,
  store: Store = 'LegacyRootCert',
): Promise<StoreFile[]> {
  const layout = layoutFor(stage, host)
  const [place] = placesOf(layout, { store })
  const names = await listStore(layout, { store })
  return Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(place?.folder ?? '', name))
      return { name, content, certificates: certificatesIn(content) }
    }),
  )
}

/** @throws LAB_FAULT_NOTHING_INSTALLED when the coordinator's store is empty. */
export async function readInstalled(stage: PoolStage): Promise<StoreFile[]> {
  const files = (await readFiles(stage, stage.coordinator)).filter(({ certificates }) => certificates.length > 0)
  if (files.length === 0) throw nothingInstalled()
  return files
}

/** Writes files, or takes away those that are undefined, then builds the bundle and the links anew as a host does. */
export async function changeFiles(
  stage: PoolStage,
  hosts: readonly KnownHost[],
  changes: Readonly<Record<string, Buffer | string | undefined>>,
  store: Store = 'LegacyRootCert',
): Promise<void> {
  for (const host of hosts) {
    const layout = layoutFor(stage, host)
    const [place] = placesOf(layout, { store })
    if (!place) continue
    await mkdir(place.folder, { recursive: true, mode: 0o700 })
    for (const [name, content] of Object.entries(changes)) {
      if (content === undefined) await rm(join(place.folder, name), { force: true })
      else await replaceFile(join(place.folder, name), content, 0o644)
    }
    await rebuildStore(layout, { store })
  }
}

/** The same for files chosen by what they hold: what `change` gives for a file is its new content. */
export async function changeEachFile(
  stage: PoolStage,
  hosts: readonly KnownHost[],
  change: (file: StoreFile) => Buffer | string | undefined,
): Promise<void> {
  for (const host of hosts) {
    const files = await readFiles(stage, host)
    await changeFiles(stage, [host], Object.fromEntries(files.map((file) => [file.name, change(file)])))
  }
}

function certificatesIn(content: Buffer): X509Certificate[] {
  try {
    const blocks = readPemBlocks(content.toString('latin1'))
    return blocks.flatMap(({ label, der }) => (label === 'CERTIFICATE' ? (parseCertificate(der) ?? []) : []))
  } catch {
    return []
  }
}

function nothingInstalled(): WlbError {
  return new WlbError(
    'LAB_FAULT_NOTHING_INSTALLED',
    'The pool has no certificate installed that the fault could be about.',
    {},
    'wlb lab status',
  )
}
