/** Rows about what is installed: too old, too little, the wrong one, under the wrong name. */
import type { X509Certificate } from 'node:crypto'
import { checkHost, createSelfSigned, isSelfSigned } from '../../../x509/index.js'
import type { RecordChanges, Rows } from '../../database/records.js'
import type { KnownHost } from '../../launcher/lab-file.js'
import { certificateRow, newRecord } from './certificate-record.js'
import { redate } from './forge.js'
import { findIntermediate, observeIssued, wlbAddress } from './served.js'
import { changeRecords, installedRefs, type PoolFault, type PoolStage, parseCertificate, targetsOf } from './stage.js'
import { changeEachFile, changeFiles, readInstalled, type StoreFile } from './store-files.js'

const DAY_MS = 86_400_000
const shape = { scope: 'every host', parts: ['stores', 'records'] } as const

export const ANCHOR_FAULTS: readonly PoolFault[] = [
  { ...shape, row: 3, what: 'the installed root has grown old: it expired yesterday', inject: ageRoot },
  { ...shape, row: 21, what: 'the intermediate is installed, and its root is not', inject: leaveOnlyIntermediate },
  { ...shape, row: 22, what: 'nothing is installed, and there is no bundle', inject: removeAll },
  { ...shape, row: 23, what: 'the leaf is installed in place of the root that issued it', inject: leaveOnlyLeaf },
  { ...shape, row: 31, what: 'the file name is taken by the certificate of somebody else', inject: takeName },
  { ...shape, row: 32, what: 'the certificate lies under a name that does not end in .pem', inject: misname },
  {
    ...shape,
    row: 39,
    what: 'a certificate that expired a year ago is installed beside the others',
    inject: addExpired,
  },
]

/** What row 24 asks of the pool, beside what it asks of the appliance: that it holds no self-signed one of before either. */
export const SELF_SIGNED_GONE: PoolFault = { ...shape, row: 24, what: '', inject: removeSelfSigned }

async function removeSelfSigned(stage: PoolStage): Promise<void> {
  const { host } = wlbAddress(stage)
  const speaksForIt = (one: X509Certificate) => isSelfSigned(one) && checkHost(one, host)
  const files = (await readInstalled(stage)).filter(({ certificates }) => certificates.some(speaksForIt))
  if (files.length === 0) return
  await changeFiles(
    stage,
    targetsOf(stage, shape.scope),
    Object.fromEntries(files.map(({ name }) => [name, undefined])),
  )
  await changeRecords(stage, { gone: files.flatMap(({ name }) => installedRefs(stage, name)) })
}

/** @throws LAB_FAULT_NEEDS_AUTHORITY when the leaf is its own root: it cannot grow old alone. */
async function ageRoot(stage: PoolStage): Promise<void> {
  const { path } = await observeIssued(stage)
  const root = path.at(-1)
  const installed = await readInstalled(stage)
  const held = installed.filter(({ certificates }) => certificates.some((one) => root && one.raw.equals(root.raw)))
  if (!root || held.length === 0) return
  const ended = new Date(Math.floor(stage.now.getTime() / 1000) * 1000 - DAY_MS)
  const begun = new Date(Math.min(new Date(root.validFrom).getTime(), ended.getTime() - 365 * DAY_MS))
  const pem = redate(root, begun, ended)
  const aged = parseCertificate(pem)
  await changeFiles(stage, targetsOf(stage, shape.scope), Object.fromEntries(held.map(({ name }) => [name, pem])))
  const refs = held.flatMap(({ name }) => installedRefs(stage, name))
  if (aged)
    await unlessOneHost(stage, { Certificate: Object.fromEntries(refs.map((ref) => [ref, certificateRow(aged)])) })
}

async function leaveOnlyIntermediate(stage: PoolStage): Promise<void> {
  const { issuers } = await observeIssued(stage)
  await leaveOnly(stage, findIntermediate(issuers), 'intermediate.pem')
}

async function leaveOnlyLeaf(stage: PoolStage): Promise<void> {
  const { leaf } = await observeIssued(stage)
  await leaveOnly(stage, leaf, 'leaf.pem')
}

async function leaveOnly(stage: PoolStage, certificate: X509Certificate, name: string): Promise<void> {
  const hosts = targetsOf(stage, shape.scope)
  await removeFiles(stage, hosts)
  await changeFiles(stage, hosts, { [name]: certificate.toString() })
  await unlessOneHost(stage, { gone: installedRefs(stage), Certificate: newRecord(name, certificate) })
}

async function removeAll(stage: PoolStage): Promise<void> {
  await removeFiles(stage, targetsOf(stage, shape.scope))
  await unlessOneHost(stage, { gone: installedRefs(stage) })
}

/** Takes every certificate from the disks of hosts. */
export async function removeFiles(stage: PoolStage, hosts: readonly KnownHost[]): Promise<void> {
  await changeEachFile(stage, hosts, () => undefined)
}

async function takeName(stage: PoolStage): Promise<void> {
  const hosts = targetsOf(stage, shape.scope)
  const { certificate, names } = await replaceAnchors(stage, hosts)
  const refs = names.flatMap((name) => installedRefs(stage, name))
  await unlessOneHost(stage, { Certificate: Object.fromEntries(refs.map((ref) => [ref, certificateRow(certificate)])) })
}

/** Puts somebody else's certificate under the names of those the pool trusts the appliance by. */
export async function replaceAnchors(stage: PoolStage, hosts: readonly KnownHost[]) {
  const names = anchorsAmong(await readInstalled(stage)).map(({ name }) => name)
  const { certificatePem: pem } = await createSelfSigned({
    hostname: 'another.example.com',
    addresses: [],
    now: stage.now,
  })
  await changeFiles(stage, hosts, Object.fromEntries(names.map((name) => [name, pem])))
  const certificate = parseCertificate(pem)
  if (!certificate) throw new Error('a certificate that was just made cannot be read')
  return { certificate, names }
}

/** Roots where there are any: without them nothing verifies. */
function anchorsAmong(files: readonly StoreFile[]): readonly StoreFile[] {
  const roots = files.filter(({ certificates }) => certificates.some(isSelfSigned))
  return roots.length > 0 ? roots : files
}

async function misname(stage: PoolStage): Promise<void> {
  const files = anchorsAmong(await readInstalled(stage))
  const changes: Record<string, Buffer | undefined> = {}
  const rows: Rows = {}
  for (const { name, content } of files) {
    const unfit = name.replace(/\.pem$/, '.crt')
    changes[name] = undefined
    changes[unfit] = content
    for (const ref of installedRefs(stage, name)) rows[ref] = { name: unfit }
  }
  await changeFiles(stage, targetsOf(stage, shape.scope), changes)
  await unlessOneHost(stage, { Certificate: rows })
}

async function addExpired(stage: PoolStage): Promise<void> {
  const { certificatePem } = await createSelfSigned({
    hostname: 'expired.example.com',
    addresses: [],
    now: new Date(stage.now.getTime() - 2 * 365 * DAY_MS),
    lifetimeDays: 365,
  })
  const certificate = parseCertificate(certificatePem)
  await changeFiles(stage, targetsOf(stage, shape.scope), { 'expired.pem': certificatePem })
  if (certificate) await unlessOneHost(stage, { Certificate: newRecord('expired.pem', certificate) })
}

/** What lies on one host's disk alone is no business of the database. */
async function unlessOneHost(stage: PoolStage, changes: RecordChanges): Promise<void> {
  if (!stage.host) await changeRecords(stage, changes)
}
