/** Trusted certificates by purpose: recorded first, then written and copied; nothing is undone (docs/trust-stores.md). */
import { ApiFailure, type ApiValue, isApiSet } from '../../xapi/index.js'
import { type Call, changing, type Method } from '../api/method.js'
import { NULL_REF } from '../database/classes.js'
import type { ApiRecord } from '../database/database.js'
import type { Coordinator } from '../host/host.js'
import { certificateFields, readInstallable } from './certificate-file.js'
import { copyToMembers } from './distribution.js'
import { PURPOSES, type Purpose, type StoreKind } from './distribution-command.js'
import { inTurn } from './one-at-a-time.js'
import { addToStore, removeFromStore } from './trust-store.js'

export const TRUSTED_CERTIFICATE_METHODS: readonly [string, Method][] = [
  ['pool.install_trusted_certificate', changing(4, install)],
  ['pool.uninstall_trusted_certificate', changing(2, uninstall)],
]

const OPERATION = 'copy_primary_host_certs'

async function install(call: Call): Promise<ApiValue> {
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

async function uninstall({ host, coordinator, args }: Call): Promise<ApiValue> {
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

/** The same certificate twice of one type, for a purpose it already serves: no purpose overlaps no purpose. */
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
