/**
 * The trust stores on the hosts' disks, compared with one another and with the pool's database. Certificates are compared,
 * not bytes: a coordinator's copies to its members lose the last newline (docs/trust-stores.md).
 */
import type { X509Certificate } from 'node:crypto'
import { type InstalledFile, loadBundle, readInstalledFile } from '../../x509/index.js'
import type { HostStoreFacts, OddEntry } from '../remote/host-store.js'

export interface DiskFile extends InstalledFile {
  readonly name: string
  readonly changedMs: number
}

/**
 * `built`: from the installed files, or neither exists. `gone`: it should be there. `unusable`: the TLS client does
 * not start with it. `spoilt`: it starts, and trusts nothing. `outdated`: it holds other certificates than the files.
 */
export type BundleState = 'built' | 'gone' | 'unusable' | 'spoilt' | 'outdated'

export interface Disk {
  readonly files: readonly DiskFile[]
  readonly bundle: BundleState
  /** Why it is unusable; empty otherwise. */
  readonly bundleFault: string
  /** In files, and not in the bundle; the other way round. Empty unless the bundle is `outdated`. */
  readonly bundleLacks: readonly X509Certificate[]
  readonly bundleKeeps: readonly X509Certificate[]
  readonly trusted: readonly X509Certificate[]
  readonly crls: readonly string[]
  readonly odd: readonly OddEntry[]
  /** When files were last added or taken away. */
  readonly changedMs: number | undefined
}

/** What a diagnosis needs of a store. */
export type StoreOnDisk = Pick<
  HostStoreFacts,
  'certificates' | 'certificatesChangedMs' | 'bundle' | 'crls' | 'links' | 'odd' | 'resolved'
>

/** The trust store on a host's disk, or why it was not read. */
export type StoreSeen =
  | { readonly state: 'seen'; readonly store: StoreOnDisk }
  | { readonly state: 'not seen'; readonly why: string }

/** By the UUID of the host. */
export type StoresSeen = ReadonlyMap<string, StoreSeen>

export function describeDisk({ certificates, certificatesChangedMs, bundle, crls, odd }: StoreOnDisk): Disk {
  const files = certificates.map(({ name, bytes, changedMs }) => ({ name, changedMs, ...readInstalledFile(bytes) }))
  return {
    files,
    ...describeBundle(bundle, files),
    crls: crls.map(({ name }) => name),
    odd,
    changedMs: certificatesChangedMs,
  }
}

type BundleFacts = Pick<Disk, 'bundle' | 'bundleFault' | 'bundleLacks' | 'bundleKeeps' | 'trusted'>

function describeBundle(bytes: Buffer | undefined, files: readonly DiskFile[]): BundleFacts {
  const facts = { bundleFault: '', bundleLacks: [], bundleKeeps: [], trusted: [] }
  if (!bytes) return { ...facts, bundle: files.length === 0 ? 'built' : 'gone' }
  const loaded = loadBundle(bytes)
  if (loaded.state === 'unusable') return { ...facts, bundle: 'unusable', bundleFault: loaded.why }
  if (loaded.anchors.length === 0) return { ...facts, bundle: 'spoilt' }
  const trusted = loaded.anchors.map(({ certificate }) => certificate)
  const expected = files.filter(({ kind }) => kind !== 'not PEM').flatMap((file) => file.certificates)
  const bundleLacks = without(expected, trusted)
  const bundleKeeps = without(trusted, expected)
  const isBuilt = bundleLacks.length === 0 && bundleKeeps.length === 0
  return { ...facts, trusted, bundleLacks, bundleKeeps, bundle: isBuilt ? 'built' : 'outdated' }
}

function without(certificates: readonly X509Certificate[], others: readonly X509Certificate[]): X509Certificate[] {
  const prints = new Set(others.map(({ fingerprint256 }) => fingerprint256))
  return certificates.filter(({ fingerprint256 }) => !prints.has(fingerprint256))
}

/** Certificates under a file name, on disk or in a record; no fingerprint where it is not known. */
export interface Held {
  readonly name: string
  readonly fingerprintsSha256: readonly string[]
}

export interface Comparison {
  /** What should be held and is not. */
  readonly lacks: readonly Held[]
  /** What is held under the same name, and is another. */
  readonly differs: readonly Held[]
  /** What is held in addition. */
  readonly more: readonly Held[]
}

export function compareHeld(held: readonly Held[], wanted: readonly Held[]): Comparison {
  const names = (list: readonly Held[]) => new Set(list.map(({ name }) => name))
  const prints = (list: readonly Held[]) => new Set(list.flatMap(({ fingerprintsSha256 }) => fingerprintsSha256))
  const beyond = (one: readonly Held[], other: readonly Held[]) => {
    const [known, found] = [names(other), prints(other)]
    return one.filter(
      ({ name, fingerprintsSha256: own }) =>
        !known.has(name) && (own.length === 0 || own.some((print) => !found.has(print))),
    )
  }
  const differs = held.filter(({ name, fingerprintsSha256: own }) => {
    const other = wanted.find((one) => one.name === name)?.fingerprintsSha256 ?? []
    return own.length > 0 && other.some((print) => !own.includes(print))
  })
  return { lacks: beyond(wanted, held), differs, more: beyond(held, wanted) }
}

export function heldOn({ files }: Disk): readonly Held[] {
  return files.map(({ name, certificates }) => ({
    name,
    fingerprintsSha256: certificates.map(({ fingerprint256 }) => fingerprint256),
  }))
}

/** Only names that end in .pem count: bundles are built from those alone. */
export function heldByRecords(
  installed: readonly { readonly name: string; readonly fingerprintSha256: string }[],
): readonly Held[] {
  return installed
    .filter(({ name }) => name.endsWith('.pem'))
    .map(({ name, fingerprintSha256 }) => ({
      name,
      fingerprintsSha256: fingerprintSha256 === '' ? [] : [fingerprintSha256],
    }))
}

/** The installed certificates themselves, which the pool does not list. */
export function storedCertificates(stores: StoresSeen | undefined): readonly X509Certificate[] {
  return [...(stores?.values() ?? [])].flatMap((sight) =>
    sight.state === 'seen' ? describeDisk(sight.store).files.flatMap(({ certificates }) => certificates) : [],
  )
}

/** Contents of the revocation lists OpenSSL finds, which are those with a link; undefined where the folder is empty. */
export function linkedCrls({ crls, links, odd }: StoreOnDisk): readonly Buffer[] | undefined {
  const inFolder = links.filter(({ folder }) => folder === 'crls')
  if (crls.length === 0 && inFolder.length === 0 && !odd.some(({ path }) => path.startsWith('crls/'))) return undefined
  const targets = new Set(inFolder.map(({ target }) => target.split('/').at(-1)))
  return crls.filter(({ name }) => targets.has(name)).map(({ bytes }) => bytes)
}
