/**
 * The certificates that decide about WLB: installed by name on the coordinator, copied to every member, recorded last.
 * The order of steps is the pool's, and so is what is left behind when one fails (docs/trust-stores.md).
 */
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { type Call, changing, type Method, poolInternal, reading } from '../api/method.js'
import { NULL_REF } from '../database/classes.js'
import type { Coordinator, LabHost } from '../host/host.js'
import { certificateFields, readInstallable } from './certificate-file.js'
import { copyToMember, copyToMembers, syncCertificates } from './distribution.js'
import { oneAtATime } from './one-at-a-time.js'
import { addToStore, isAcceptableName, isStored, listStore, removeFromStore } from './trust-store.js'

const LEGACY = { store: 'LegacyRootCert' } as const
const CRL = { store: 'CRL' } as const

export const LEGACY_CERTIFICATE_METHODS: readonly [string, Method][] = [
  ['pool.install_ca_certificate', changing(2, oneAtATime(install))],
  ['pool.certificate_install', changing(2, oneAtATime(install))],
  ['pool.uninstall_ca_certificate', changing([1, 2], oneAtATime(uninstall))],
  ['pool.certificate_uninstall', changing(1, oneAtATime(uninstall))],
  ['pool.certificate_list', reading(0, ({ coordinator }) => legacyNames(coordinator))],
  ['pool.crl_install', changing(2, oneAtATime(installCrl))],
  ['pool.crl_uninstall', changing(1, oneAtATime(uninstallCrl))],
  ['pool.crl_list', reading(0, ({ host }) => listStore(host.layout, CRL))],
  ['pool.certificate_sync', changing(0, oneAtATime(sync))],
  ['host.copy_primary_host_certs', poolInternal(1, 'coordinator', oneAtATime(copyToAsker))],
]

async function install({ host, coordinator, args }: Call): Promise<ApiValue> {
  const [name, text] = [args.text(0, 'name'), args.text(1, 'cert')]
  const certificate = readInstallable(text, 'CA_CERTIFICATE', host.now())
  if (!isAcceptableName(name)) throw new ApiFailure('CERTIFICATE_NAME_INVALID', [name])
  if (await isStored(host.layout, LEGACY, name)) throw new ApiFailure('CERTIFICATE_ALREADY_EXISTS', [name])
  await orFail(host, addToStore(host.layout, LEGACY, name, text), 'CERTIFICATE_LIBRARY_CORRUPT', [])
  await copyToMembers(host, coordinator)

  const older = recordsNamed(coordinator, name)
  coordinator.database.create('Certificate', {
    type: 'ca',
    name,
    host: NULL_REF,
    ...certificateFields(certificate),
  })
  for (const ref of older) coordinator.database.destroy('Certificate', ref)
  return ''
}

async function uninstall({ host, coordinator, args }: Call): Promise<ApiValue> {
  const name = args.text(0, 'name')
  const force = args.all.length > 1 && args.flag(1, 'force')
  if (!isAcceptableName(name)) throw new ApiFailure('CERTIFICATE_NAME_INVALID', [name])
  if (await isStored(host.layout, LEGACY, name)) {
    await orFail(host, removeFromStore(host.layout, LEGACY, name), 'CERTIFICATE_CORRUPT', [name])
  } else if (force) {
    host.log(`uninstall: ${name} is not there, which was to be ignored`)
  } else {
    throw new ApiFailure('CERTIFICATE_DOES_NOT_EXIST', [name])
  }
  await copyToMembers(host, coordinator)

  const refs = recordsNamed(coordinator, name)
  if (refs.length === 0) throw new ApiFailure('INVALID_VALUE', ['certificate:name', name])
  for (const ref of refs) coordinator.database.destroy('Certificate', ref)
  return ''
}

/** Not parsed at all: any text with an acceptable name is taken. */
async function installCrl({ host, coordinator, args }: Call): Promise<ApiValue> {
  const [name, text] = [args.text(0, 'name'), args.text(1, 'cert')]
  if (!isAcceptableName(name)) throw new ApiFailure('CRL_NAME_INVALID', [name])
  if (await isStored(host.layout, CRL, name)) throw new ApiFailure('CRL_ALREADY_EXISTS', [name])
  await orFail(host, addToStore(host.layout, CRL, name, text), 'CERTIFICATE_LIBRARY_CORRUPT', [])
  await copyToMembers(host, coordinator)
  return ''
}

async function uninstallCrl({ host, coordinator, args }: Call): Promise<ApiValue> {
  const name = args.text(0, 'name')
  if (!isAcceptableName(name)) throw new ApiFailure('CRL_NAME_INVALID', [name])
  if (!(await isStored(host.layout, CRL, name))) throw new ApiFailure('CRL_DOES_NOT_EXIST', [name])
  await orFail(host, removeFromStore(host.layout, CRL, name), 'CRL_CORRUPT', [name])
  await copyToMembers(host, coordinator)
  return ''
}

async function sync({ host, coordinator }: Call): Promise<ApiValue> {
  await syncCertificates(host, coordinator)
  return ''
}

async function copyToAsker({ host, coordinator, args }: Call): Promise<ApiValue> {
  await copyToMember(host, coordinator, args.ref(0, 'host', 'host', coordinator))
  return ''
}

function legacyNames({ database }: Coordinator): string[] {
  return database
    .rows('Certificate')
    .flatMap(([, record]) => (record.type === 'ca' && record.name !== '' ? [String(record.name)] : []))
}

function recordsNamed({ database }: Coordinator, name: string): string[] {
  return database.rows('Certificate').flatMap(([ref, record]) => {
    return record.type === 'ca' && record.name === name ? [ref] : []
  })
}

/** Whatever went wrong with the files, the caller hears one code; the log has the reason. */
async function orFail(host: LabHost, work: Promise<void>, code: string, params: readonly string[]): Promise<void> {
  try {
    await work
  } catch (error) {
    host.log(`${code}: ${error instanceof Error ? error.message : String(error)}`)
    throw new ApiFailure(code, params)
  }
}
