/**
 * The operations of a small authority: sign, revoke, publish the CRL. A certificate is recorded in the index before it is
 * written to its file. A lock allows one process at a time.
 */
import { constants, existsSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname } from 'node:path'
import { lockDirectory } from '../base/files/directory-lock.js'
import { touching } from '../base/files/file-failure.js'
import { inspectOutput, writeOutput } from '../base/files/output-file.js'
import {
  createSerialNumber,
  describeCertificate,
  issueCrl,
  type LeafPlan,
  planLeaf,
  type RevocationReason,
  readRequest,
  signLeaf,
} from '../x509/index.js'
import { fail } from './errors.js'
import {
  type AuthorityFolder,
  type AuthorityIndex,
  authorityFolder,
  type IssuedCertificate,
  type Issuer,
  openSigner,
  PUBLIC_MODE,
  readAuthorityCertificate,
  readIndex,
  writeIndex,
} from './folder.js'

export interface SignOptions {
  readonly folder: string
  /** PEM or DER. */
  readonly request: Buffer
  readonly allow: readonly string[]
  readonly lifetimeDays?: number | undefined
  readonly now: Date
}

export interface Signed {
  readonly plan: LeafPlan
  readonly issued: IssuedCertificate
  readonly file: string
}

/** Plans the certificate without signing it; needs no passphrase. @throws what `readRequest` and `planLeaf` throw. */
export async function planSignature(options: SignOptions): Promise<LeafPlan> {
  const place = authorityFolder(options.folder)
  const { allow, lifetimeDays, now } = options
  const { issuer } = await readIndex(place)
  return planLeaf({
    request: readRequest(options.request),
    issuer: await readAuthorityCertificate(place, issuer),
    allow,
    now,
    lifetimeDays,
  })
}

/** Signs and records the certificate, and writes it to `out` (by default `signed_cert.pem` in the folder). */
export async function signRequest(options: SignOptions & { passphrase: string; out?: string }): Promise<Signed> {
  return withLock(options.folder, async (place) => {
    const file = options.out ?? place.signedCertificate
    await checkOutput(file, 'CERTIFICATE')
    const plan = await planSignature(options)
    const index = await readIndex(place)
    const signer = await openSigner(place, index.issuer, options.passphrase)
    const certificate = await signLeaf(plan, signer, createSerialNumber())

    const { subject, serialNumber, notBefore, notAfter, dnsNames, ipAddresses } = describeCertificate(certificate)
    const issued = {
      serialNumber,
      subject,
      names: [...dnsNames, ...ipAddresses],
      issuedAt: options.now.toISOString(),
      notBefore: notBefore.toISOString(),
      notAfter: notAfter.toISOString(),
      certificate: certificate.toString(),
    }
    await writeIndex(place, { ...index, issued: [...index.issued, issued] })
    await writeOutput(file, issued.certificate, PUBLIC_MODE)
    return { plan, issued, file }
  })
}

export interface Published {
  readonly of: Issuer
  /** Whether this is the CRL that pools check: that of the authority that signs the leaves. */
  readonly forPools: boolean
  readonly issuer: string
  readonly number: number
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  readonly revoked: number
  readonly file: string
}

export interface PublishOptions {
  readonly folder: string
  readonly lifetimeDays?: number | undefined
  readonly out?: string | undefined
  readonly passphrase: string
  readonly now: Date
}

/**
 * Publishes the CRL of the authority that signs the leaves or, with `ofRoot`, the root's, which is empty if there is an
 * intermediate.
 */
export async function publishCrl(
  options: PublishOptions & { readonly ofRoot?: boolean | undefined },
): Promise<Published> {
  return withLock(options.folder, async (place) => {
    const index = await readIndex(place)
    return publish(place, index, options.ofRoot ? 'root' : index.issuer, options)
  })
}

export interface Revoked {
  readonly issued: IssuedCertificate
  readonly already: boolean
  readonly crl: Published
}

/**
 * Revokes a certificate and publishes the CRL. For a certificate that is already revoked, only the CRL is published again.
 *
 * @throws CERTIFICATE_NOT_ISSUED_HERE when this authority has issued no certificate with the serial number.
 */
export async function revokeCertificate(
  options: PublishOptions & { readonly serialNumber: string; readonly reason: RevocationReason },
): Promise<Revoked> {
  return withLock(options.folder, async (place) => {
    const index = await readIndex(place)
    const found = findIssued(place, index, options.serialNumber)
    const issued = {
      ...found,
      revoked: found.revoked ?? { at: options.now.toISOString(), reason: options.reason },
    }
    const after = { ...index, issued: index.issued.map((one) => (one === found ? issued : one)) }
    const crl = await publish(place, after, index.issuer, options)
    return { issued, already: found.revoked !== undefined, crl }
  })
}

/** @throws CERTIFICATE_NOT_ISSUED_HERE */
export async function findCertificate(folder: string, serialNumber: string): Promise<IssuedCertificate> {
  const place = authorityFolder(folder)
  return findIssued(place, await readIndex(place), serialNumber)
}

const CRL_LIFETIME_DAYS = 30
const CRL_LIFETIME_LIMIT_DAYS = 3650

/** Signs the CRL before writing the index, so that a wrong passphrase changes nothing. */
async function publish(
  place: AuthorityFolder,
  index: AuthorityIndex,
  of: Issuer,
  { lifetimeDays = CRL_LIFETIME_DAYS, out, passphrase, now }: PublishOptions,
): Promise<Published> {
  if (lifetimeDays < 1 || lifetimeDays > CRL_LIFETIME_LIMIT_DAYS)
    throw fail('USAGE_CRL_LIFETIME', { days: lifetimeDays })
  const forPools = of === index.issuer
  const file = out ?? (forPools ? place.crl : place.rootCrl)
  await checkOutput(file, 'X509 CRL')
  const issuer = await openSigner(place, of, passphrase)
  const revoked = forPools ? index.issued.flatMap(asRevoked) : []
  const number = index.crlNumber[of] + 1
  const crl = await issueCrl({ issuer, revoked, number, now, lifetimeDays })
  await writeIndex(place, { ...index, crlNumber: { ...index.crlNumber, [of]: number } })
  await writeOutput(file, crl.pem, PUBLIC_MODE)
  const { subject } = describeCertificate(issuer.certificate)
  const { thisUpdate, nextUpdate } = crl
  return { of, forPools, issuer: subject, number, thisUpdate, nextUpdate, revoked: revoked.length, file }
}

function asRevoked({ serialNumber, revoked }: IssuedCertificate) {
  return revoked ? [{ serialNumber, revokedAt: new Date(revoked.at), reason: revoked.reason }] : []
}

function findIssued(place: AuthorityFolder, index: AuthorityIndex, serialNumber: string): IssuedCertificate {
  const wanted = plainSerial(serialNumber)
  const found = index.issued.find((issued) => plainSerial(issued.serialNumber) === wanted)
  if (!found) throw fail('CERTIFICATE_NOT_ISSUED_HERE', { folder: place.folder, serialNumber })
  return found
}

/** Users paste serial numbers with colons, in lower case or with leading zeros. */
function plainSerial(serialNumber: string): string {
  return serialNumber.replaceAll(':', '').toUpperCase().replace(/^0+/, '')
}

async function withLock<T>(folder: string, work: (place: AuthorityFolder) => Promise<T>): Promise<T> {
  const place = authorityFolder(folder)
  if (!existsSync(place.index)) throw fail('AUTHORITY_MISSING', { folder })
  return touching(folder, async () => {
    const lock = await lockDirectory(folder)
    try {
      return await work(place)
    } finally {
      await lock.release()
    }
  })
}

type OutputLabel = 'CERTIFICATE' | 'X509 CRL'

/**
 * Checks, before anything is signed, that the file can be written and would replace only a file of the same kind.
 *
 * @throws OUTPUT_OCCUPIED when the file holds something else.
 * @throws OUTPUT_FOLDER_MISSING when its folder does not exist.
 */
async function checkOutput(path: string, label: OutputLabel): Promise<void> {
  const before = await inspectOutput(path)
  if (before.kind === 'stream') return
  const folder = dirname(path)
  await touching(folder, async () => {
    if (!existsSync(folder)) throw fail('OUTPUT_FOLDER_MISSING', { folder })
    await access(folder, constants.W_OK | constants.X_OK)
  })
  if (before.kind === 'nothing there' || before.bytes?.length === 0) return
  const text = before.bytes?.toString('latin1') ?? ''
  const labels = [...text.matchAll(/^-----BEGIN (.+)-----\s*$/gm)].map(([, found]) => found)
  if (labels.length === 0 || labels.some((found) => found !== label))
    throw fail('OUTPUT_OCCUPIED', { path, expected: label })
}
