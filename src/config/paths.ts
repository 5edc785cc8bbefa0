/** Where an appliance keeps what, below its root (docs/setup.md, what it makes). */
import { join } from 'node:path'

export interface AppliancePaths {
  readonly root: string
  readonly certificateFolder: string
  readonly certificate: string
  readonly key: string
  /** The pair that the one in place replaced. */
  readonly originalCertificate: string
  readonly originalKey: string
  /** The key of a request that an authority has not answered yet. */
  readonly pendingKey: string
  /** Every identity that was ever in place. */
  readonly identities: string
  /** Identities that wait for the pools to trust them. */
  readonly staged: string
  readonly settingsFolder: string
  readonly settings: string
  readonly secretKey: string
  /** Account keys, and what an ACME authority has issued and is not in place yet. */
  readonly acmeFolder: string
  readonly stateFolder: string
  readonly database: string
  readonly controlSocket: string
  /** The small authority, unless another folder is named. */
  readonly authority: string
}

export function paths(root: string): AppliancePaths {
  const certificateFolder = join(root, 'etc/ssl/certs')
  const settingsFolder = join(root, 'etc/openwlb')
  const stateFolder = join(root, 'var/lib/openwlb')
  return {
    root,
    certificateFolder,
    certificate: join(certificateFolder, 'server.pem'),
    key: join(certificateFolder, 'server.key'),
    originalCertificate: join(certificateFolder, 'server.pem_orig'),
    originalKey: join(certificateFolder, 'server.key_orig'),
    pendingKey: join(certificateFolder, 'server.key_pending'),
    identities: join(stateFolder, 'identities'),
    staged: join(stateFolder, 'staged'),
    settingsFolder,
    settings: join(settingsFolder, 'openwlb.toml'),
    secretKey: join(settingsFolder, 'secret.key'),
    acmeFolder: join(settingsFolder, 'acme'),
    stateFolder,
    database: join(stateFolder, 'db'),
    controlSocket: join(stateFolder, 'control.sock'),
    authority: join(stateFolder, 'ca'),
  }
}
