/** Installs a new pool: root folders, secrets, server certificates, and the coordinator's first database. */
import { type KeyObject, randomUUID, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { createRsaKey, createSelfSigned, type Identity } from '../../x509/index.js'
import { carryOut, certificateFields } from '../certificates/trust-store.js'
import { type HostSettings, layoutOf, writeAllegiance, writeSettings } from '../host/host-files.js'
import { addPool } from '../vms/inventory/inventory.js'
import { Database } from './database.js'

interface NewHost {
  readonly settings: HostSettings
  readonly root: string
}

interface Equipped extends NewHost {
  readonly external: Identity
  readonly internal: Identity
}

/**
 * Generating keys takes most of the time: a host uses one key for both certificates, and hosts of a large lab share
 * keys.
 */
const MOST_KEYS = 8
const KEY_BITS = 2048

interface NewPool {
  /** The first one is coordinator. */
  readonly hosts: readonly NewHost[]
  readonly addHosts: readonly { readonly name: string; readonly address: string }[]
  /** How many guests run on all of them together. */
  readonly vms: number
  /** What decides about the guests. */
  readonly seed: number
  readonly now: Date
}

/** Writes everything the hosts need to start. */
export async function installPool({ hosts, addHosts, vms, seed, now }: NewPool): Promise<void> {
  const keys = await Promise.all(hosts.slice(0, MOST_KEYS).map(() => createRsaKey(KEY_BITS)))
  const equipped = await Promise.all(hosts.map((host, index) => equip(host, keys[index % keys.length], now)))
  const poolSecret = [randomUUID(), randomUUID(), randomUUID()].join('/')
  const known = [...hosts.map(({ settings }) => settings), ...addHosts].map(
    ({ name, address }) => `${address}\t${name}`,
  )
  await Promise.all(equipped.map((host) => writeRoot(host, equipped, poolSecret, ['127.0.0.1\tlocalhost', ...known])))
  const [coordinator] = equipped
  if (coordinator) await writeDatabase(coordinator, equipped, { vms, seed, now })
}

async function equip(host: NewHost, key: KeyObject | undefined, now: Date): Promise<Equipped> {
  const made = { addresses: [host.settings.address], now, key }
  const { name, uuid } = host.settings
  const [external, internal] = await Promise.all([
    createSelfSigned({ hostname: name, ...made }),
    createSelfSigned({ hostname: uuid, ...made }),
  ])
  return { ...host, external, internal }
}

async function writeRoot(
  { root, settings, external, internal }: Equipped,
  all: readonly Equipped[],
  poolSecret: string,
  hostLines: readonly string[],
): Promise<void> {
  const layout = layoutOf(root)
  for (const path of [layout.settings, layout.database, layout.log]) await ensureFolder(dirname(path), 0o755)
  await ensureFolder(join(root, 'var/xapi'), 0o755)
  await writeSettings(layout, settings)
  await replaceFile(layout.poolSecret, poolSecret, 0o600)
  await replaceFile(layout.externalIdentity, `${external.privateKeyPem}${external.certificatePem}`, 0o600)
  await replaceFile(layout.internalIdentity, `${internal.privateKeyPem}${internal.certificatePem}`, 0o600)
  await writeFile(layout.hosts, `${hostLines.join('\n')}\n`)
  const files = all.map((host) => ({
    filename: `${host.settings.uuid}.pem`,
    content: host.internal.certificatePem.trimEnd(),
  }))
  await carryOut(layout, { kind: 'Write', into: { store: 'HostPoolCert' }, strategy: 'Erase_old', files })
  await carryOut(layout, { kind: 'GenBundle' })
  const [coordinator] = all
  const isFirst = coordinator?.settings.uuid === settings.uuid
  const coordinatorAddress = coordinator?.settings.address ?? settings.address
  await writeAllegiance(layout, isFirst ? { kind: 'coordinator' } : { kind: 'member', coordinatorAddress })
}

async function writeDatabase(
  coordinator: Equipped,
  all: readonly Equipped[],
  { vms, seed, now }: Pick<NewPool, 'vms' | 'seed' | 'now'>,
): Promise<void> {
  const database = new Database(layoutOf(coordinator.root).database, { generation: 1, internals: {}, tables: {} })
  const { poolUuid } = coordinator.settings
  const refs = addPool(database, { uuid: poolUuid, hosts: all.map(({ settings }) => settings), vms, seed, now })
  for (const [index, { external, internal }] of all.entries()) {
    const host = refs[index] ?? ''
    const certificates = [
      addCertificate(database, host, 'host', external),
      addCertificate(database, host, 'host_internal', internal),
    ]
    database.update('host', host, { certificates })
  }
  await database.durable()
}

function addCertificate(database: Database, host: string, type: string, { certificatePem }: Identity): string {
  return database.create('Certificate', { type, host, ...certificateFields(new X509Certificate(certificatePem)) })
}
