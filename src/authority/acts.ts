/**
 * What a small authority does: sign, revoke, publish its list. What was signed is recorded before it is written out, and one
 * process at a time does it.
 */
import { constants, existsSync } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { lockDirectory } from '../base/directory-lock.js'
import { replaceFile } from '../base/durable-file.js'
import { touching } from '../base/file-failure.js'
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

/** Decides what would be signed; needs no passphrase. Throws what `readRequest` and `planLeaf` throw. */
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

/** Signs, records, and writes the certificate to `out` (`signed_cert.pem` in the folder by default). */
export async function signRequest(options: SignOptions & { passphrase: string; out?: string }): Promise<Signed> {
  return owning(options.folder, async (place) => {
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
    await writeOutput(file, issued.certificate)
    return { plan, issued, file }
  })
}

export interface Published {
  readonly of: Issuer
  /** Whether this is the list that pools check: that of the leafs' issuer. */
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

/** Publishes the list of the leafs' issuer, or the root's, which revokes nothing where there is an intermediate. */
export async function publishCrl(
  options: PublishOptions & { readonly ofRoot?: boolean | undefined },
): Promise<Published> {
  return owning(options.folder, async (place) => {
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
 * Revokes a certificate and publishes the list; one that is revoked already stays so, and the list is made anew.
 *
 * @throws CERTIFICATE_NOT_ISSUED_HERE when the serial number is none of this authority's.
 */
export async function revokeCertificate(
  options: PublishOptions & { readonly serialNumber: string; readonly reason: RevocationReason },
): Promise<Revoked> {
  return owning(options.folder, async (place) => {
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

/** The list is signed before the record is written: a wrong passphrase changes nothing. */
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
  await writeOutput(file, crl.pem)
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

/** Serial numbers are copied with colons, in small letters, with a leading zero. */
function plainSerial(serialNumber: string): string {
  return serialNumber.replaceAll(':', '').toUpperCase().replace(/^0+/, '')
}

async function owning<T>(folder: string, work: (place: AuthorityFolder) => Promise<T>): Promise<T> {
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

/** Two certificates have 5 kB; a list of a thousand has 40. */
const MAX_BYTES = 5_000_000

/**
 * Makes sure, before anything is signed, that a file can be written there and replaces nothing but one of its own kind.
 *
 * @throws OUTPUT_OCCUPIED when what is there is not what would be written.
 * @throws OUTPUT_FOLDER_MISSING
 */
async function checkOutput(path: string, label: OutputLabel): Promise<void> {
  const folder = dirname(path)
  await touching(folder, async () => {
    if (!existsSync(folder)) throw fail('OUTPUT_FOLDER_MISSING', { folder })
    await access(folder, constants.W_OK | constants.X_OK)
  })
  if (!existsSync(path)) return
  const { size } = await touching(path, () => stat(path))
  const before = size <= MAX_BYTES ? await touching(path, () => readFile(path, 'latin1')) : undefined
  const labels = [...(before ?? '').matchAll(/^-----BEGIN (.+)-----\s*$/gm)].map(([, found]) => found)
  if (before === '') return
  if (labels.length === 0 || labels.some((found) => found !== label))
    throw fail('OUTPUT_OCCUPIED', { path, expected: label })
}

async function writeOutput(path: string, pem: string): Promise<void> {
  await touching(path, () => replaceFile(path, pem, PUBLIC_MODE))
}
