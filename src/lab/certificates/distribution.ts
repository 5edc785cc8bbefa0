/**
 * Copies certificates from the coordinator to its members: every store, one member after the other. A member that
 * cannot be reached does not stop the others; its failure is reported at the end (docs/protocol/pool.md, distribution).
 */
import { ApiFailure } from '../../xapi/index.js'
import { type Coordinator, callMember, type LabHost, memberRefs } from '../host/host.js'
import { STORE_KINDS } from '../host/host-files.js'
import { type DistributionCommand, encodeCommand } from './distribution-command.js'
import { listStore, readForDistribution, tidyStores } from './trust-store.js'

/** Copies every store to every member. Throws the first member's failure once all members were tried. */
export async function copyToMembers(host: LabHost, coordinator: Coordinator): Promise<void> {
  const commands = await commandsFor(host)
  let first: unknown
  for (const ref of memberRefs(coordinator)) {
    try {
      for (const command of commands) await callMember(host, coordinator, ref, 'host.cert_distrib_atom', ref, command)
      await callMember(host, coordinator, ref, 'host.certificate_sync', ref)
    } catch (error) {
      host.log(`certificates to ${ref}: ${error instanceof Error ? error.message : String(error)}`)
      first ??= error
    }
  }
  if (first !== undefined) throw first
}

/** Copies every store to one member that has found certificates missing, without the sync. */
export async function copyToMember(host: LabHost, coordinator: Coordinator, ref: string): Promise<void> {
  for (const command of await commandsFor(host)) {
    await callMember(host, coordinator, ref, 'host.cert_distrib_atom', ref, command)
  }
}

/** pool.certificate_sync. @throws ApiFailure CERTIFICATE_LIBRARY_CORRUPT when a host cannot tidy its files. */
export async function syncCertificates(host: LabHost, coordinator: Coordinator): Promise<void> {
  await copyToMembers(host, coordinator)
  try {
    await tidyStores(host.layout)
    for (const ref of memberRefs(coordinator)) await callMember(host, coordinator, ref, 'host.certificate_sync', ref)
  } catch (error) {
    host.log(`certificate_sync: ${error instanceof Error ? error.message : String(error)}`)
    throw new ApiFailure('CERTIFICATE_LIBRARY_CORRUPT', [])
  }
}

async function commandsFor(host: LabHost): Promise<string[]> {
  const commands: DistributionCommand[] = []
  for (const into of STORE_KINDS) {
    commands.push({
      kind: 'Write',
      into,
      strategy: 'Erase_old',
      files: await readForDistribution(host.layout, into),
    })
  }
  commands.push({ kind: 'GenBundle' })
  return commands.map(encodeCommand)
}

/**
 * Tells whether this member lacks certificates. As on a pool, CRLs are not checked, and a trusted root, which has an
 * empty name in the database, always counts as missing.
 */
export async function lacksCertificates(host: LabHost): Promise<boolean> {
  if (host.role.kind === 'coordinator' || !host.role.copy) return false
  const { host: hosts = {}, Certificate: certificates = {} } = host.role.copy.image.tables
  const held = async (store: 'HostPoolCert' | 'LegacyRootCert') => new Set(await listStore(host.layout, { store }))
  const [poolFiles, legacyFiles] = [await held('HostPoolCert'), await held('LegacyRootCert')]
  if (Object.values(hosts).some((record) => !poolFiles.has(`${record.uuid}.pem`))) return true
  for (const record of Object.values(certificates)) {
    if (record.type === 'ca' && !legacyFiles.has(String(record.name))) return true
    if (record.type === 'pinned' && !(await holdsPinned(host, String(record.uuid), record.purpose))) return true
  }
  return false
}

async function holdsPinned(host: LabHost, uuid: string, purpose: unknown): Promise<boolean> {
  const wanted = Array.isArray(purpose) ? purpose : []
  for (const kind of STORE_KINDS) {
    if (kind.store !== 'PinnedCert' || !kind.purposes.some((one) => wanted.includes(one))) continue
    if (!(await listStore(host.layout, kind)).includes(`${uuid}.pem`)) return false
  }
  return true
}
