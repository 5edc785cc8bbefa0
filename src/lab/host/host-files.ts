/**
 * The files of one host's root folder: where they lie (docs/trust-stores.md), and those that the lab itself reads and
 * writes.
 */
import { timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { z } from 'zod'
import { replaceFile } from '../../base/files/durable-file.js'
import { PURPOSES, type Purpose, type StoreKind } from '../certificates/distribution-command.js'
import { LOAD_KINDS } from '../vms/load/kind.js'

export interface HostLayout {
  readonly root: string
  readonly settings: string
  readonly poolConf: string
  readonly poolSecret: string
  readonly externalIdentity: string
  readonly internalIdentity: string
  readonly hosts: string
  readonly socket: string
  readonly database: string
  /** A database received in a handover, which takes effect once the sender has stepped down. */
  readonly incomingDatabase: string
  readonly log: string
  /** There while the host's program runs. */
  readonly running: string
  readonly verifySwitch: string
  /** Conditions that the lab simulates for this host; a real pool has no such file. */
  readonly conditions: string
  readonly stunnelFolder: string
  /** Of the lab, which all its hosts read. */
  readonly trace: string
}

export function layoutOf(root: string): HostLayout {
  return {
    root,
    settings: join(root, 'etc/xensource/lab.json'),
    poolConf: join(root, 'etc/xensource/pool.conf'),
    poolSecret: join(root, 'etc/xensource/ptoken'),
    externalIdentity: join(root, 'etc/xensource/xapi-ssl.pem'),
    internalIdentity: join(root, 'etc/xensource/xapi-pool-tls.pem'),
    hosts: join(root, 'etc/hosts'),
    socket: join(root, 'var/lib/xcp/xapi'),
    database: join(root, 'var/lib/xcp/state.db'),
    incomingDatabase: join(root, 'var/lib/xcp/state.db.incoming'),
    log: join(root, 'var/log/xensource.log'),
    running: join(root, 'var/xapi/lab-running'),
    verifySwitch: join(root, 'var/xapi/verify-certificates'),
    conditions: join(root, 'var/xapi/lab-conditions.json'),
    stunnelFolder: join(root, 'etc/stunnel'),
    trace: join(root, '../trace.csv'),
  }
}

/** One folder of certificate files, and the bundle made from it; CRLs have none. */
export interface StorePlace {
  readonly folder: string
  readonly bundle?: string
}

/** Returns the places of a store: one per purpose for the trusted stores. */
export function placesOf(layout: HostLayout, kind: StoreKind): StorePlace[] {
  const stunnel = (folder: string, bundle: string) => [
    { folder: join(layout.stunnelFolder, folder), bundle: join(layout.stunnelFolder, bundle) },
  ]
  switch (kind.store) {
    case 'HostPoolCert':
      return stunnel('certs-pool', 'xapi-pool-ca-bundle.pem')
    case 'LegacyRootCert':
      return stunnel('certs', 'xapi-stunnel-ca-bundle.pem')
    case 'CRL':
      return [{ folder: join(layout.stunnelFolder, 'crls') }]
    case 'RootCert':
      return purposeNames(kind.purposes).map((purpose) => trusted(layout, `ca-${purpose}`, `ca-bundle-${purpose}.pem`))
    case 'PinnedCert':
      return purposeNames(kind.purposes).map((purpose) =>
        trusted(layout, `pinned-${purpose}`, `pinned-bundle-${purpose}.pem`),
      )
  }
}

function purposeNames(purposes: readonly Purpose[]): readonly string[] {
  return purposes.length === 0 ? ['general'] : purposes
}

function trusted(layout: HostLayout, folder: string, bundle: string): StorePlace {
  const base = join(layout.root, 'etc/trusted-certs')
  return { folder: join(base, folder), bundle: join(base, bundle) }
}

const PURPOSE_SETS: readonly (readonly Purpose[])[] = [[], ...PURPOSES.map((purpose) => [purpose])]

/** Every kind of store, in the order of distribution. */
export const STORE_KINDS: readonly StoreKind[] = [
  { store: 'HostPoolCert' },
  { store: 'LegacyRootCert' },
  { store: 'CRL' },
  ...PURPOSE_SETS.flatMap((purposes): StoreKind[] => [
    { store: 'RootCert', purposes },
    { store: 'PinnedCert', purposes },
  ]),
]

const settingsSchema = z.object({
  name: z.string(),
  uuid: z.string(),
  poolUuid: z.string(),
  /** Its own, in 127.0.0.0/8. */
  address: z.string(),
  plainPort: z.number(),
  tlsPort: z.number(),
  username: z.string(),
  password: z.string(),
  /** A second user with the read-only role; older labs have none. */
  reader: z.object({ username: z.string(), password: z.string() }).optional(),
  tlsClient: z.enum(['node', 'stunnel']),
  /** Delay before a refused login is answered, as on a pool. */
  refusalDelayMs: z.number(),
  /** What decides about the pool's guests and their load. */
  seed: z.number().default(0),
  /** The day of the load passes, and migrations are done, this many times faster. */
  speed: z.number().default(1),
  load: z.enum(LOAD_KINDS).default('diurnal'),
  /** The lab has a file with recorded days, which take the place of generated ones. */
  trace: z.boolean().default(false),
})

/** What the launcher records for one host: who it is and where it listens. */
export type HostSettings = Readonly<z.infer<typeof settingsSchema>>

/** Throws the lower error when the file is missing or not settings. */
export async function readSettings(layout: HostLayout): Promise<HostSettings> {
  return settingsSchema.parse(JSON.parse(await readFile(layout.settings, 'utf8')))
}

export async function writeSettings(layout: HostLayout, settings: HostSettings): Promise<void> {
  await replaceFile(layout.settings, `${JSON.stringify(settings, undefined, 2)}\n`, 0o600)
}

/** pool.conf: `master`, or `slave:` and the coordinator's address. */
type Allegiance = { readonly kind: 'coordinator' } | { readonly kind: 'member'; readonly coordinatorAddress: string }

export async function readAllegiance(layout: HostLayout): Promise<Allegiance> {
  const text = (await readFile(layout.poolConf, 'utf8')).trim()
  return text.startsWith('slave:')
    ? { kind: 'member', coordinatorAddress: text.slice('slave:'.length) }
    : { kind: 'coordinator' }
}

/** This file alone decides which host is coordinator: it is replaced as a whole and flushed. */
export async function writeAllegiance(layout: HostLayout, allegiance: Allegiance): Promise<void> {
  const text = allegiance.kind === 'coordinator' ? 'master' : `slave:${allegiance.coordinatorAddress}`
  await replaceFile(layout.poolConf, text, 0o644)
}

/** Compares in constant time. */
export function isSameSecret(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)]
  return left.length === right.length && timingSafeEqual(left, right)
}

const conditionsSchema = z.object({
  /** How far this host's clock is ahead of the machine's; negative where it is behind. */
  clockOffsetMs: z.number().default(0),
  unroutable: z.array(z.string()).default([]),
})

/**
 * Conditions that the lab simulates for a host. They outlive its process; it reads them when it starts and on request.
 */
export type Conditions = Readonly<z.infer<typeof conditionsSchema>>

/** Reads the conditions; without a file they are those of the machine. */
export async function readConditions({ conditions }: HostLayout): Promise<Conditions> {
  const text = await readFile(conditions, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  return conditionsSchema.parse(JSON.parse(text))
}

export async function writeConditions({ conditions }: HostLayout, changes: Partial<Conditions>): Promise<void> {
  await replaceFile(conditions, `${JSON.stringify(changes)}\n`, 0o644)
}

/**
 * Makes a resolver that knows the names in a host's etc/hosts and `localhost`, in any letter case. It reads the file
 * each time, so that edits take effect at once.
 */
export function resolveByHostsFile(path: string): (name: string) => Promise<string | undefined> {
  return async (name) => {
    if (isIP(name)) return name
    const text = await readFile(path, 'utf8').catch(() => '')
    return findAddress(text, name)
  }
}

/** The first line that has the name wins, as in the system's own file. */
export function findAddress(hostsFile: string, name: string): string | undefined {
  const wanted = name.toLowerCase().replace(/\.$/, '')
  for (const line of hostsFile.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (address && isIP(address) && names.some((known) => known.toLowerCase() === wanted)) return address
  }
  return wanted === 'localhost' ? '127.0.0.1' : undefined
}
