/** Rows about the pool's database: its switches, its age, its records of certificates. */
import { ApiFailure } from '../../xapi/index.js'
import type { StoredValue } from '../database/field.js'
import { OLD_VERSIONS } from '../database/records.js'
import { fail } from '../errors.js'
import { callAsRoot } from '../launcher/host-control.js'
import { hostRoot } from '../launcher/lab-file.js'
import { removeFiles } from './certificate-faults.js'
import {
  changeEachFile,
  changeRecords,
  installedRefs,
  type PoolFault,
  type PoolStage,
  poolRecord,
  readFiles,
  targetsOf,
} from './pool-stage.js'
import { observeIssued } from './served.js'

const shape = { scope: 'pool', parts: ['records'] } as const

export const RECORD_FAULTS: readonly PoolFault[] = [
  {
    ...shape,
    parts: ['records', 'stores'],
    row: 27,
    what: 'the pool dates from before December 2024 and needs the leaf itself, but only the root is installed',
    inject: growOld,
  },
  {
    ...shape,
    row: 72,
    what: 'verification is switched off: everything works, nothing is verified',
    inject: (stage) => setPool(stage, { wlb_verify_cert: false }),
  },
  {
    ...shape,
    parts: ['records', 'stores'],
    row: 73,
    what: 'a pool without certificates and without verification switches TLS verification on, and this one with it',
    inject: enableTlsVerification,
  },
  {
    ...shape,
    row: 77,
    what: 'the pool is not connected (or: paused, or without a licence)',
    variants: ['not-connected', 'paused', 'no-licence'],
    inject: (stage) => setPool(stage, HALTS[stage.variant ?? 'not-connected'] ?? {}),
  },
  {
    ...shape,
    row: 80,
    what: 'the records of installed certificates have no fingerprints, as after an upgrade',
    async inject(stage) {
      const refs = installedRefs(stage)
      if (refs.length === 0) throw fail('LAB_FAULT_NO_RECORDS', {})
      const empty = { fingerprint_sha256: '', fingerprint_sha1: '' }
      await changeRecords(stage, { Certificate: Object.fromEntries(refs.map((ref) => [ref, empty])) })
    },
  },
]

const HALTS: Readonly<Record<string, Readonly<Record<string, StoredValue>>>> = {
  'not-connected': { wlb_url: '', wlb_username: '', wlb_enabled: false },
  paused: { wlb_enabled: false },
  'no-licence': { restrictions: { restrict_wlb: 'true' } },
}

async function setPool(stage: PoolStage, values: Readonly<Record<string, StoredValue>>): Promise<void> {
  await changeRecords(stage, { pool: { [poolRecord(stage).ref]: { ...values } } })
}

/**
 * Gives the hosts an old version and removes the leaf from the stores. In a pool without an appliance only the version
 * changes.
 */
async function growOld(stage: PoolStage): Promise<void> {
  const isConnected = poolRecord(stage).record.wlb_url !== ''
  const extra = isConnected ? (await observeIssued(stage)).leaf.raw : undefined
  const files = extra ? await readFiles(stage, stage.coordinator) : []
  const names = files.flatMap(({ name, certificates }) =>
    certificates.some(({ raw }) => extra?.equals(raw)) ? name : [],
  )
  if (names.length > 0) {
    await changeEachFile(stage, targetsOf(stage, shape.scope), ({ name, content }) =>
      names.includes(name) ? undefined : content,
    )
  }
  const versions = Object.entries(stage.records.host).map(([ref, { software_version: now }]) => {
    const before = typeof now === 'object' && !Array.isArray(now) ? now : {}
    return [ref, { software_version: { ...before, ...OLD_VERSIONS } }] as const
  })
  await changeRecords(stage, {
    host: Object.fromEntries(versions),
    gone: names.flatMap((name) => installedRefs(stage, name)),
    isOldPool: true,
  })
}

async function enableTlsVerification(stage: PoolStage): Promise<void> {
  await removeFiles(stage, stage.hosts)
  await changeRecords(stage, { gone: installedRefs(stage) })
  await setPool(stage, { wlb_verify_cert: false })
  try {
    await callAsRoot(hostRoot(stage.root, stage.coordinator.name), 'pool.enable_tls_verification')
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error
    throw fail('LAB_FAULT_REFUSED', { error: [error.code, ...error.params].join(' ') }, error)
  }
}
