/**
 * Rows about the certificate files of hosts: what is installed is too old, too little, the wrong one or under the wrong
 * name; files are damaged; a member does not have what the coordinator has (docs/trust-stores.md, a member is down).
 */
import type { X509Certificate } from 'node:crypto'
import { mkdir, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { checkHost, createSelfSigned, encodePem, isSelfSigned } from '../../x509/index.js'
import type { RecordChanges, Rows } from '../database/records.js'
import { placesOf } from '../host/host-files.js'
import type { KnownHost } from '../launcher/lab-file.js'
import { redate } from './forge.js'
import {
  certificateRow,
  changeEachFile,
  changeFiles,
  changeRecords,
  installedRefs,
  layoutFor,
  newRecord,
  type PoolFault,
  type PoolStage,
  parseCertificate,
  readInstalled,
  type StoreFile,
  targetsOf,
} from './pool-stage.js'
import { findIntermediate, observeIssued, observeServed, wlbAddress } from './served.js'

const DAY_MS = 86_400_000
const filesOnly = { scope: 'every host', parts: ['stores'] } as const
const shape = { scope: 'every host', parts: ['stores', 'records'] } as const

export const CERTIFICATE_FAULTS: readonly PoolFault[] = [
  { ...shape, row: 3, what: 'the installed root expired yesterday', inject: ageRoot },
  { ...shape, row: 21, what: 'the intermediate is installed, and its root is not', inject: leaveOnlyIntermediate },
  { ...shape, row: 22, what: 'nothing is installed, and there is no bundle', inject: removeAll },
  { ...shape, row: 23, what: 'the leaf is installed in place of the root that issued it', inject: leaveOnlyLeaf },
  { ...shape, row: 31, what: 'the file name is taken by another certificate', inject: takeName },
  { ...shape, row: 32, what: 'the certificate lies under a name that does not end in .pem', inject: misname },
  {
    ...shape,
    row: 39,
    what: 'a certificate that expired a year ago is installed too',
    inject: addExpired,
  },
  { ...filesOnly, row: 33, what: 'a file holds a whole chain instead of one certificate', inject: forceChain },
  {
    ...filesOnly,
    row: 34,
    what: 'the files hold certificates in DER, which no bundle can be read from',
    inject: (stage) => rewrite(stage, ({ certificates }) => certificates[0]?.raw),
  },
  {
    ...filesOnly,
    row: 35,
    what: 'the files are labelled TRUSTED CERTIFICATE, as `openssl x509 -trustout` writes them',
    inject: (stage) => rewrite(stage, ({ certificates }) => certificates[0] && trusted(certificates[0].raw)),
  },
  {
    ...filesOnly,
    row: 36,
    what: 'the files begin with a byte order mark and have the line ends of Windows: accepted',
    inject: (stage) => rewrite(stage, ({ content }) => withMark(content.toString('utf8'))),
  },
  {
    ...filesOnly,
    row: 37,
    what: 'the bundle begins with a block that is cut off',
    inject: (stage) => changeFiles(stage, targetsOf(stage, filesOnly.scope), { '0-cut.pem': CUT }),
  },
  {
    ...filesOnly,
    row: 38,
    what: 'the bundle ends with a block that is cut off',
    async inject(stage) {
      await readInstalled(stage)
      await changeFiles(stage, targetsOf(stage, filesOnly.scope), { 'zz-cut.pem': CUT })
    },
  },
  {
    ...filesOnly,
    row: 78,
    what: 'a folder lies among the certificates, so that no bundle can be built any more',
    inject: forceFolder,
  },
  {
    row: 28,
    scope: 'a member',
    parts: ['stores'],
    what: 'a member lacks what is installed on the coordinator',
    async inject(stage) {
      await readInstalled(stage)
      await removeFiles(stage, targetsOf(stage, this.scope))
    },
  },
  {
    row: 29,
    scope: 'a member',
    parts: ['stores', 'records'],
    what: 'a member was down during the installation: it lacks the file, and the database has no record of it',
    async inject(stage) {
      await readInstalled(stage)
      await removeFiles(stage, targetsOf(stage, this.scope))
      await changeRecords(stage, { gone: installedRefs(stage) })
    },
  },
  {
    row: 30,
    scope: 'a member',
    parts: ['stores'],
    what: 'a member was down during the synchronisation: the others have everything, it has what it had before',
    async inject(stage) {
      await readInstalled(stage)
      await removeFiles(stage, targetsOf(stage, this.scope))
      await backdateFolder(stage, targetsOf(stage, this.scope))
    },
  },
  {
    row: 79,
    scope: 'a member',
    parts: ['stores'],
    what: 'a member that has joined holds another certificate under the same name',
    async inject(stage) {
      await replaceAnchors(stage, targetsOf(stage, this.scope))
    },
  },
]

/** Row 24 changes the pool too: self-signed certificates that are installed for the appliance's name are removed. */
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

/** @throws LAB_FAULT_NEEDS_AUTHORITY when the leaf is self-signed: its root cannot expire alone. */
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

/** Removes every certificate from the disks of hosts. */
export async function removeFiles(stage: PoolStage, hosts: readonly KnownHost[]): Promise<void> {
  await changeEachFile(stage, hosts, () => undefined)
}

async function takeName(stage: PoolStage): Promise<void> {
  const hosts = targetsOf(stage, shape.scope)
  const { certificate, names } = await replaceAnchors(stage, hosts)
  const refs = names.flatMap((name) => installedRefs(stage, name))
  await unlessOneHost(stage, { Certificate: Object.fromEntries(refs.map((ref) => [ref, certificateRow(certificate)])) })
}

/** Replaces the files by which the pool trusts the appliance with a certificate of another machine. */
async function replaceAnchors(stage: PoolStage, hosts: readonly KnownHost[]) {
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

/** Returns the files with roots if there are any, otherwise all files: without them nothing verifies. */
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

/** Changes records unless the row is limited to one host: the database does not describe the disks of single hosts. */
async function unlessOneHost(stage: PoolStage, changes: RecordChanges): Promise<void> {
  if (!stage.host) await changeRecords(stage, changes)
}

/** A block that ends in the middle of its text. */
const CUT = '-----BEGIN CERTIFICATE-----\nMIIDazCCAlOgAwIBAgIUB3Rl\n'
const BYTE_ORDER_MARK = '\uFEFF'

async function rewrite(stage: PoolStage, change: (file: StoreFile) => Buffer | string | undefined): Promise<void> {
  await readInstalled(stage)
  await changeEachFile(stage, targetsOf(stage, filesOnly.scope), (file) => change(file) ?? file.content)
}

/** Writes the chain that the appliance sends together with the file's content, as when a whole server.pem is copied. */
async function forceChain(stage: PoolStage): Promise<void> {
  const { sent } = await observeServed(stage)
  await rewrite(stage, ({ certificates }) => {
    const missing = certificates.filter(({ raw }) => !sent.some((one) => one.raw.equals(raw)))
    const chain = [...sent, ...missing]
    const twice = chain.length === 1 ? [...chain, ...chain] : chain
    return twice.map(String).join('')
  })
}

/** CertAux is an empty sequence: it names no purposes. */
function trusted(der: Buffer): string {
  return encodePem('TRUSTED CERTIFICATE', Buffer.concat([der, Buffer.from([0x30, 0x00])]))
}

function withMark(text: string): string {
  const plain = text.replace(BYTE_ORDER_MARK, '').replaceAll('\r\n', '\n')
  return BYTE_ORDER_MARK + plain.replaceAll('\n', '\r\n')
}

/** Adds a folder with a certificate's name: root ignores permissions, but cannot read a folder as a file. */
async function forceFolder(stage: PoolStage): Promise<void> {
  for (const host of targetsOf(stage, filesOnly.scope)) {
    const [place] = placesOf(layoutFor(stage, host), { store: 'LegacyRootCert' })
    if (place) await mkdir(join(place.folder, 'damaged.pem'), { recursive: true })
  }
}

const HOUR_MS = 3_600_000

/** Sets the folder's date back: on a member that was down it is older than the files written on other hosts meanwhile. */
async function backdateFolder(stage: PoolStage, members: readonly KnownHost[]): Promise<void> {
  const [there] = placesOf(layoutFor(stage, stage.coordinator), { store: 'LegacyRootCert' })
  if (!there) return
  const files = await readInstalled(stage)
  const written = await Promise.all(files.map(({ name }) => stat(join(there.folder, name))))
  const before = new Date(Math.min(...written.map(({ mtimeMs }) => mtimeMs)) - HOUR_MS)
  for (const member of members) {
    const [place] = placesOf(layoutFor(stage, member), { store: 'LegacyRootCert' })
    if (place) await utimes(place.folder, before, before)
  }
}
