/** Where things are inside a host's root folder (docs/trust-stores.md). */
import { join } from 'node:path'
import { PURPOSES, type Purpose, type StoreKind } from '../certificates/distribution-command.js'

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
  /** A database another host handed over, which does not count before that host has stepped down. */
  readonly incomingDatabase: string
  readonly log: string
  readonly verifySwitch: string
  /** What this host is made to believe of its surroundings; no file of a real pool. */
  readonly conditions: string
  readonly stunnelFolder: string
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
    verifySwitch: join(root, 'var/xapi/verify-certificates'),
    conditions: join(root, 'var/xapi/lab-conditions.json'),
    stunnelFolder: join(root, 'etc/stunnel'),
  }
}

/** One folder of certificate files, and the bundle made from it; CRLs have none. */
export interface StorePlace {
  readonly folder: string
  readonly bundle?: string
}

/** The places of a store: several for a trusted one with several purposes. */
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

/** Every kind of store, in the order certificates travel. */
export const STORE_KINDS: readonly StoreKind[] = [
  { store: 'HostPoolCert' },
  { store: 'LegacyRootCert' },
  { store: 'CRL' },
  ...PURPOSE_SETS.flatMap((purposes): StoreKind[] => [
    { store: 'RootCert', purposes },
    { store: 'PinnedCert', purposes },
  ]),
]
