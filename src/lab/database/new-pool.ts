/** Installs a new pool: root folders, secrets, server certificates, and the coordinator's first database. */
import { type KeyObject, randomBytes, randomUUID, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { createRsaKey, createSelfSigned, type Identity } from '../../x509/index.js'
import { carryOut, certificateFields } from '../certificates/trust-store.js'
import { type HostSettings, layoutOf, writeAllegiance, writeSettings } from '../host/host-files.js'
import { Database } from './database.js'

interface NewHost {
  readonly settings: HostSettings
  readonly root: string
}

interface Equipped extends NewHost {
  readonly external: Identity
  readonly internal: Identity
}

const GIB = 1024n ** 3n
/**
 * Generating keys takes most of the time: a host uses one key for both certificates, and hosts of a large lab share
 * keys.
 */
const MOST_KEYS = 8
const KEY_BITS = 2048

/** Writes everything the hosts need to start; the first one is coordinator. */
export async function installPool(
  hosts: readonly NewHost[],
  addHosts: readonly { readonly name: string; readonly address: string }[],
  now: Date,
): Promise<void> {
  const keys = await Promise.all(hosts.slice(0, MOST_KEYS).map(() => createRsaKey(KEY_BITS)))
  const equipped = await Promise.all(hosts.map((host, index) => equip(host, keys[index % keys.length], now)))
  const poolSecret = [randomUUID(), randomUUID(), randomUUID()].join('/')
  const known = [...hosts.map(({ settings }) => settings), ...addHosts].map(
    ({ name, address }) => `${address}\t${name}`,
  )
  await Promise.all(equipped.map((host) => writeRoot(host, equipped, poolSecret, ['127.0.0.1\tlocalhost', ...known])))
  const [coordinator] = equipped
  if (coordinator) await writeDatabase(coordinator, equipped)
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

async function writeDatabase(coordinator: Equipped, all: readonly Equipped[]): Promise<void> {
  const database = new Database(layoutOf(coordinator.root).database, { generation: 1, internals: {}, tables: {} })
  const refs = all.map((host, index) => addHost(database, host, index))
  database.create('pool', {
    uuid: coordinator.settings.poolUuid,
    name_label: 'lab',
    master: refs[0] ?? '',
    // As pools are installed today, against the field's own default: verification is on from the start.
    wlb_verify_cert: true,
    restrictions: { restrict_wlb: 'false' },
    cpu_info: { cpu_count: String(all.length * 2), socket_count: String(all.length), vendor: 'GenuineIntel' },
  })
  await database.durable()
}

function addHost(database: Database, { settings, external, internal }: Equipped, index: number): string {
  const metrics = database.create('host_metrics', { memory_total: 16n * GIB, memory_free: 10n * GIB })
  const host = database.create('host', {
    uuid: settings.uuid,
    name_label: settings.name,
    name_description: 'Host of the lab',
    hostname: settings.name,
    address: settings.address,
    metrics,
    software_version: {
      product_brand: 'OpenWLB lab',
      product_version: '8.4.0',
      platform_name: 'XCP',
      platform_version: '3.4.0',
      xapi: '26.13',
      xapi_build: '26.13.0',
      hostname: settings.name,
    },
    cpu_info: { cpu_count: '2', socket_count: '1', vendor: 'GenuineIntel', speed: '2400' },
  })
  const [controlDomain, ...guests] = [
    addVm(database, host, `Control domain on host: ${settings.name}`, 2n, true),
    addVm(database, host, `guest-${index + 1}a`, 2n, false),
    addVm(database, host, `guest-${index + 1}b`, 1n, false),
  ]
  const cpus = [0n, 1n].map((number) => database.create('host_cpu', { host, number }))
  const certificates = [
    addCertificate(database, host, 'host', external),
    addCertificate(database, host, 'host_internal', internal),
  ]
  database.update('host', host, {
    control_domain: controlDomain ?? '',
    resident_VMs: [controlDomain ?? '', ...guests],
    host_CPUs: cpus,
    certificates,
  })
  return host
}

function addVm(database: Database, host: string, name: string, gib: bigint, isControlDomain: boolean): string {
  const memory = gib * GIB
  return database.create('VM', {
    name_label: name,
    is_control_domain: isControlDomain,
    power_state: 'Running',
    resident_on: host,
    memory_target: memory,
    memory_static_max: memory,
    memory_dynamic_max: memory,
    memory_dynamic_min: memory,
    domid: isControlDomain ? 0n : BigInt(randomBytes(1)[0] ?? 0) + 1n,
  })
}

function addCertificate(database: Database, host: string, type: string, { certificatePem }: Identity): string {
  return database.create('Certificate', { type, host, ...certificateFields(new X509Certificate(certificatePem)) })
}
