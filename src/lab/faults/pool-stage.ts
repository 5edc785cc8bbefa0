/**
 * What a fault of the pool's side works on: the lab as it is, the hosts it is for, their certificate files, and the
 * pool's records.
 */
import { randomUUID, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../base/files/durable-file.js'
import { describeCertificate, readPemBlocks } from '../../x509/index.js'
import { NULL_REF } from '../../xapi/index.js'
import { listStore, rebuildStore } from '../certificates/trust-store.js'
import type { RecordChanges, Records, Rows } from '../database/records.js'
import { fail } from '../errors.js'
import { type HostLayout, layoutOf, placesOf } from '../host/host-files.js'
import { postToHost } from '../launcher/host-control.js'
import { hostRoot, type KnownHost } from '../launcher/lab-file.js'

export interface PoolStage {
  readonly root: string
  /** By the coordinator's clock. */
  readonly now: Date
  readonly hosts: readonly KnownHost[]
  readonly coordinator: KnownHost
  /** The host that was named, if any. */
  readonly host: KnownHost | undefined
  readonly variant: string | undefined
  readonly records: Records
}

/** The hosts that a row affects when none is named; a row of scope `pool` belongs to no single host. */
type Scope = 'every host' | 'a member' | 'the coordinator' | 'pool'

/** What a row changes and what is restored afterwards. */
export type Part = 'stores' | 'names' | 'conditions' | 'records'

export interface PoolFault {
  readonly row: number
  readonly scope: Scope
  readonly parts: readonly Part[]
  /** What happens, in one line. */
  readonly what: string
  /** Other forms of the row; the first one is taken where none is named. */
  readonly variants?: readonly string[]
  inject(stage: PoolStage): Promise<void>
}

export function layoutFor({ root }: Pick<PoolStage, 'root'>, { name }: KnownHost): HostLayout {
  return layoutOf(hostRoot(root, name))
}

/**
 * Returns the hosts on which a row of that scope is injected.
 *
 * @throws LAB_FAULT_HOST_UNFIT when the row cannot be injected on the host named, or the lab has no suitable host.
 */
export function targetsOf(stage: PoolStage, scope: Scope): readonly KnownHost[] {
  const { host, hosts, coordinator } = stage
  switch (scope) {
    case 'pool':
      if (host) throw fail('LAB_FAULT_HOST_UNFIT', { host: host.name, where: scope })
      return hosts
    case 'every host':
      return host ? [host] : hosts
    case 'the coordinator':
      return [host ?? coordinator]
    case 'a member': {
      const member = host ?? hosts.findLast(({ uuid }) => uuid !== coordinator.uuid)
      if (!member || member.uuid === coordinator.uuid) {
        throw fail('LAB_FAULT_HOST_UNFIT', { host: coordinator.name, where: scope })
      }
      return [member]
    }
  }
}

export async function changeRecords({ root, coordinator }: PoolStage, changes: RecordChanges): Promise<void> {
  await postToHost(hostRoot(root, coordinator.name), '/lab/records', JSON.stringify(changes))
}

/** The pool has one record of its own. */
export function poolRecord({ records }: PoolStage): { readonly ref: string; readonly record: Records['pool'][string] } {
  const [first] = Object.entries(records.pool)
  if (!first) throw new Error('a database without a pool')
  return { ref: first[0], record: first[1] }
}

/** Returns references of the certificates that are installed by name. */
export function installedRefs({ records }: PoolStage, name?: string): string[] {
  return Object.entries(records.Certificate).flatMap(([ref, record]) =>
    record.type === 'ca' && record.name !== '' && (name === undefined || record.name === name) ? [ref] : [],
  )
}

export function parseCertificate(bytes: Buffer | string): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes)
  } catch {
    return undefined
  }
}

export interface StoreFile {
  readonly name: string
  readonly content: Buffer
  /** The certificates in it that can be read. */
  readonly certificates: readonly X509Certificate[]
}

type Store = 'LegacyRootCert' | 'CRL'

/** Reads the files of a host's store that pools use: `NAME.pem`. */
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
  if (files.length === 0) throw fail('LAB_FAULT_NOTHING_INSTALLED', {})
  return files
}

/** Writes files, removes those that are undefined, then rebuilds bundle and links as a host does. */
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

/** Changes each file of a store: what `change` returns is its new content, undefined removes it. */
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

type Row = Rows[string]

/** The fields that come from the certificate itself. */
export function certificateRow(certificate: X509Certificate): Row {
  const { notBefore, notAfter, fingerprintSha1, fingerprintSha256 } = describeCertificate(certificate)
  return {
    not_before: notBefore.toISOString(),
    not_after: notAfter.toISOString(),
    fingerprint: fingerprintSha256,
    fingerprint_sha256: fingerprintSha256,
    fingerprint_sha1: fingerprintSha1,
  }
}

/** Makes the record of a certificate installed under a name. */
export function newRecord(name: string, certificate: X509Certificate): Rows {
  const row = { uuid: randomUUID(), type: 'ca', name, host: NULL_REF, purpose: [], ...certificateRow(certificate) }
  return { [`OpaqueRef:${randomUUID()}`]: row }
}
