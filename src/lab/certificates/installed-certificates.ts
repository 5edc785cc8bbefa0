/**
 * The calls that install and remove certificates and revocation lists. The order of steps is the pool's, and so is what
 * is left behind when one of them fails (docs/trust-stores.md). Two kinds: certificates installed by name on the
 * coordinator, copied to every member and recorded last, which decide about WLB; and trusted certificates by purpose,
 * recorded first.
 */
import { ApiFailure, type ApiValue, isApiSet, NULL_REF } from '../../xapi/index.js'
import { type Call, changing, type Method, poolInternal, reading } from '../api/method.js'
import type { ApiRecord } from '../database/database.js'
import type { Coordinator, LabHost } from '../host/host.js'
import { copyToMember, copyToMembers, syncCertificates } from './distribution.js'
import { PURPOSES, type Purpose, type StoreKind } from './distribution-command.js'
import {
  addToStore,
  certificateFields,
  isAcceptableName,
  isStored,
  listStore,
  readInstallable,
  removeFromStore,
} from './trust-store.js'

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

/** The text is not parsed: any text with an acceptable name is accepted. */
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

/** Any file error becomes one code for the caller; the log has the reason. */
async function orFail(host: LabHost, work: Promise<void>, code: string, params: readonly string[]): Promise<void> {
  try {
    await work
  } catch (error) {
    host.log(`${code}: ${error instanceof Error ? error.message : String(error)}`)
    throw new ApiFailure(code, params)
  }
}

export const TRUSTED_CERTIFICATE_METHODS: readonly [string, Method][] = [
  ['pool.install_trusted_certificate', changing(4, installTrusted)],
  ['pool.uninstall_trusted_certificate', changing(2, uninstallTrusted)],
]

const OPERATION = 'copy_primary_host_certs'

async function installTrusted(call: Call): Promise<ApiValue> {
  const { host, coordinator, args } = call
  args.ref(0, 'self', 'pool', coordinator)
  const [ca, text, purposes] = [args.flag(1, 'ca'), args.text(2, 'cert'), args.texts(3, 'purpose').map(readPurpose)]
  return exclusively(coordinator, async () => {
    const certificate = readInstallable(text, 'TRUSTED_CERTIFICATE', host.now())
    if (!ca && purposes.length === 0) throw new ApiFailure('CERTIFICATE_LACKS_PURPOSE', [])
    const type = ca ? 'ca' : 'pinned'
    const fields = certificateFields(certificate)
    refuseTwice(coordinator, type, String(fields.fingerprint_sha256), purposes)

    const values = { type, name: '', host: NULL_REF, purpose: purposes, ...fields }
    const ref = coordinator.database.create('Certificate', values)
    const uuid = String(coordinator.database.get('Certificate', ref).uuid)
    await addToStore(host.layout, storeOf(type, purposes), `${uuid}.pem`, text)
    await copyToMembers(host, coordinator)
    return ''
  })
}

async function uninstallTrusted({ host, coordinator, args }: Call): Promise<ApiValue> {
  args.ref(0, 'self', 'pool', coordinator)
  const ref = args.ref(1, 'certificate', 'Certificate', coordinator)
  return exclusively(coordinator, async () => {
    const { type, uuid, purpose } = coordinator.database.get('Certificate', ref)
    if (type !== 'ca' && type !== 'pinned') throw new ApiFailure('NOT_TRUSTED_CERTIFICATE', [ref])
    const purposes = purpose !== undefined && isApiSet(purpose) ? purpose.map(String).map(readPurpose) : []
    coordinator.database.destroy('Certificate', ref)
    await removeFromStore(host.layout, storeOf(type, purposes), `${uuid}.pem`)
    await copyToMembers(host, coordinator)
    return ''
  })
}

/**
 * Refuses a certificate that is installed with the same type and an overlapping purpose. No purpose overlaps with no
 * purpose.
 */
function refuseTwice(coordinator: Coordinator, type: string, fingerprint: string, purposes: readonly Purpose[]): void {
  const isThere = ([, record]: [string, ApiRecord]) => {
    if (record.type !== type || record.fingerprint_sha256 !== fingerprint) return false
    const held = record.purpose !== undefined && isApiSet(record.purpose) ? record.purpose : []
    if (held.length === 0 && purposes.length === 0) return true
    return purposes.some((purpose) => held.includes(purpose))
  }
  if (coordinator.database.rows('Certificate').some(isThere)) {
    throw new ApiFailure('TRUSTED_CERTIFICATE_ALREADY_EXISTS', [fingerprint])
  }
}

/** One at a time over the whole pool, visible as the pool's current operation. */
async function exclusively(coordinator: Coordinator, work: () => Promise<ApiValue>): Promise<ApiValue> {
  const { ref, record } = coordinator.database.pool
  const running = Object.values(record.current_operations ?? {})
  if (running.includes(OPERATION)) throw new ApiFailure('OTHER_OPERATION_IN_PROGRESS', ['pool', ref, OPERATION])
  coordinator.database.update('pool', ref, { current_operations: { [`Op:${OPERATION}`]: OPERATION } })
  try {
    return await inTurn(coordinator, work)
  } finally {
    coordinator.database.update('pool', ref, { current_operations: {} })
  }
}

function storeOf(type: 'ca' | 'pinned', purposes: readonly Purpose[]): StoreKind {
  return { store: type === 'ca' ? 'RootCert' : 'PinnedCert', purposes }
}

function readPurpose(text: string): Purpose {
  const purpose = PURPOSES.find((known) => known === text)
  if (!purpose) throw new ApiFailure('INVALID_VALUE', ['purpose', text])
  return purpose
}

/**
 * Calls that change certificate stores run one after the other: two at once would read each other's half-written
 * folders.
 */
const lastTurns = new WeakMap<Coordinator, Promise<unknown>>()

/** Makes a call wait until the calls before it have ended, whether they succeeded or not. */
function oneAtATime<Result>(handle: (call: Call) => Promise<Result>): (call: Call) => Promise<Result> {
  return (call) => inTurn(call.coordinator, () => handle(call))
}

/** Runs `work` once all earlier work has ended, whether it succeeded or not. */
function inTurn<Result>(coordinator: Coordinator, work: () => Promise<Result>): Promise<Result> {
  const turn = (lastTurns.get(coordinator) ?? Promise.resolve()).then(work)
  lastTurns.set(
    coordinator,
    turn.catch(() => {}),
  )
  return turn
}
