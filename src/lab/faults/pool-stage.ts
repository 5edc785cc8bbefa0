/** What a fault of the pool's side works on: the lab as it is, the hosts it is for, their certificate files, and the pool's records. */

import { randomUUID, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../base/durable-file.js'
import { describeCertificate, readPemBlocks } from '../../x509/index.js'
import { NULL_REF } from '../../xapi/index.js'
import { listStore, rebuildStore } from '../certificates/trust-store.js'
import type { RecordChanges, Records, Rows } from '../database/records.js'
import { fail } from '../errors.js'
import { type HostLayout, layoutOf, placesOf } from '../host/host-files.js'
import { tellHost } from '../launcher/host-control.js'
import { hostRoot, type KnownHost } from '../launcher/lab-file.js'

export interface PoolStage {
  readonly root: string
  /** By the coordinator's clock. */
  readonly now: Date
  readonly hosts: readonly KnownHost[]
  readonly coordinator: KnownHost
  /** The one that was named, where one was. */
  readonly host: KnownHost | undefined
  readonly variant: string | undefined
  readonly records: Records
}

/** Which hosts a row is about when none is named: all, one member, the coordinator; `pool` is no host's business. */
export type Scope = 'every host' | 'a member' | 'the coordinator' | 'pool'

/** What a row changes, and what is put back: nothing else of the lab is touched. */
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
 * The hosts a row of that scope is injected on.
 *
 * @throws LAB_FAULT_HOST_UNFIT when the host named, or the lab, has no part in such a row.
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
  await tellHost(hostRoot(root, coordinator.name), '/lab/records', JSON.stringify(changes))
}

/** The pool has one record of its own. */
export function poolRecord({ records }: PoolStage): { readonly ref: string; readonly record: Records['pool'][string] } {
  const [first] = Object.entries(records.pool)
  if (!first) throw new Error('a database without a pool')
  return { ref: first[0], record: first[1] }
}

/** References of the certificates the pool has by name. */
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
  if (files.length === 0) throw fail('LAB_FAULT_NOTHING_INSTALLED', {})
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

/** A record of its own under a name. */
export function newRecord(name: string, certificate: X509Certificate): Rows {
  const row = { uuid: randomUUID(), type: 'ca', name, host: NULL_REF, purpose: [], ...certificateRow(certificate) }
  return { [`OpaqueRef:${randomUUID()}`]: row }
}
