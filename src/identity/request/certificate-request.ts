/**
 * Asking an authority for a certificate: the key stays here, the request goes out. Key and request are written together
 * or not at all; the identity in service is not touched.
 */

import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { hostname as machineName } from 'node:os'
import { basename, dirname } from 'node:path'
import { ensureFolder, replaceFile } from '../../base/durable-file.js'
import { WlbError } from '../../base/error.js'
import { touching } from '../../base/file-failure.js'
import { readLimitedFile } from '../../base/limited-file.js'
import { paths } from '../../config/paths.js'
import { readSettings } from '../../config/settings.js'
import {
  checkChallengePassword,
  checkSubjectPart,
  createCertificateRequest,
  type RequestSubject,
  readPemBlocks,
} from '../../x509/index.js'
import { askAboutPools, type KnownPools } from '../appliance-status.js'
import { lockedIdentity } from '../store/identity-change.js'
import { type ChosenKey, chooseKey, freeName, type KeyWish, placePendingKey } from './pending-key.js'
import { chooseNames, type RequestNames, warnOfNames } from './request-names.js'

export interface RequestOptions {
  readonly root: string
  readonly subject: Omit<RequestSubject, 'commonName'> & { readonly commonName?: string | undefined }
  /** Further names and IP addresses. */
  readonly alternativeNames: readonly string[]
  readonly key: KeyWish
  readonly challengePassword?: string | undefined
  readonly companyName?: string | undefined
  /** A common name that is not the host name is meant. */
  readonly force: boolean
  /** Where the request is written; without it, it is only returned. */
  readonly out: string | undefined
  /** What the machine calls itself. */
  readonly machineName?: string
}

export interface RequestReport extends RequestNames {
  readonly requestPem: string
  readonly subject: RequestSubject
  /** Null when the caller prints it. */
  readonly file: RequestFile | null
  readonly key: {
    readonly file: string
    readonly bits: number
    readonly origin: ChosenKey['origin']
    /** Where the key that was waiting before is kept. */
    readonly previous: string | null
  }
  readonly warnings: readonly string[]
  /** Null when the appliance is not running: only it knows. */
  readonly pools: KnownPools | null
}

/**
 * Makes a request, and the key where there is none.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, REQUEST_FIELD_INVALID, DIRECTORY_IN_USE, and what `chooseNames`, `chooseKey` and
 * `writeRequestFile` throw; nothing is left behind then.
 */
export async function requestCertificate(options: RequestOptions): Promise<RequestReport> {
  const { root, alternativeNames, force, challengePassword, companyName, out } = options
  const place = paths(root)
  const { hostname } = await readSettings(place.settings)
  const names = chooseNames({ hostname, commonName: options.subject.commonName, alternativeNames, force })
  const subject = { ...options.subject, commonName: names.commonName }
  checkFields(subject, challengePassword, companyName)
  if (out !== undefined) await inspectRequestFile(out)

  const pools = await askAboutPools(root)

  return lockedIdentity(place, async () => {
    const { key, bits, origin } = await chooseKey(place, options.key)
    const requestPem = await createCertificateRequest({ subject, ...names, challengePassword, companyName }, key)
    await touching(place.certificateFolder, () => ensureFolder(place.certificateFolder, 0o755))
    const placed = await placePendingKey(place, key)
    const file = out === undefined ? null : await writeRequestFile(out, requestPem).catch(takeBack)
    return {
      requestPem,
      subject,
      ...names,
      file,
      key: { file: place.pendingKey, bits, origin, previous: placed.previous ?? null },
      warnings: warnOfNames(names, hostname, options.machineName ?? machineName(), pools?.addressesUsed ?? []),
      pools,
    }

    async function takeBack(error: unknown): Promise<never> {
      await placed.undo()
      throw error
    }
  })
}

/** The host name a request asks for when nothing else is said. */
export async function suggestCommonName(root: string): Promise<string> {
  return (await readSettings(paths(root).settings)).hostname
}

const FLAGS: Readonly<Record<keyof RequestSubject, string>> = {
  country: '--country CA',
  state: '--state Alberta',
  locality: '--locality Calgary',
  organization: "--organization 'Example Inc.'",
  organizationalUnit: '--organizational-unit IT',
  commonName: '--common-name wlb.example.com',
  email: '--email admin@example.com',
}

function checkFields(subject: RequestSubject, challengePassword?: string, companyName?: string): void {
  for (const field of ['country', 'state', 'locality', 'organization', 'organizationalUnit', 'email'] as const) {
    const value = subject[field]
    const why = value === undefined ? undefined : checkSubjectPart(field, value)
    if (why !== undefined) throw fieldInvalid(field, value ?? '', why, FLAGS[field])
  }
  const secretWhy = challengePassword === undefined ? undefined : checkChallengePassword(challengePassword)
  if (secretWhy !== undefined) throw fieldInvalid('challengePassword', '', secretWhy, '--challenge-password-file FILE')
  const companyWhy = companyName === undefined ? undefined : checkSubjectPart('organization', companyName)
  if (companyWhy !== undefined)
    throw fieldInvalid('companyName', companyName ?? '', companyWhy, "--company-name 'Example Inc.'")
}

function fieldInvalid(field: string, given: string, why: string, flag: string): WlbError {
  return new WlbError(
    'REQUEST_FIELD_INVALID',
    'One of the fields of the request cannot be used.',
    { field, given, why },
    `wlb cert request ${flag}`,
  )
}

export interface RequestFile {
  readonly path: string
  readonly outcome: 'written' | 'kept'
  /** Where an earlier, different request is now. */
  readonly previous: string | undefined
}

/**
 * Tells what writing would do; nothing is changed.
 *
 * @throws OUTPUT_OCCUPIED when something that is no request is there; FILE_TOO_LARGE, PATH_OCCUPIED, PATH_NOT_PERMITTED.
 */
export async function inspectRequestFile(path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined
  const text = (await readLimitedFile(path)).toString('utf8')
  if (text !== '' && !isRequest(text)) throw outputOccupied(path)
  return text
}

/** @throws what `inspectRequestFile` throws, DISK_FULL. */
export async function writeRequestFile(path: string, pem: string): Promise<RequestFile> {
  const before = await inspectRequestFile(path)
  if (before === pem) return { path, outcome: 'kept', previous: undefined }
  return touching(path, async () => {
    const previous = before ? await freeName(dirname(path), `${basename(path)}_orig`) : undefined
    if (previous) await rename(path, previous)
    try {
      await replaceFile(path, pem, 0o644)
    } catch (error) {
      if (previous) await rename(previous, path)
      throw error
    }
    return { path, outcome: 'written', previous }
  })
}

function isRequest(text: string): boolean {
  try {
    return readPemBlocks(text).some(({ label }) => label.endsWith('CERTIFICATE REQUEST'))
  } catch {
    return false
  }
}

function outputOccupied(path: string): WlbError {
  return new WlbError(
    'OUTPUT_OCCUPIED',
    'A file that is no certificate request has the name the request was to get; it was left alone.',
    { path },
    'wlb cert request --out wlb.csr',
  )
}
