/**
 * Makes a certificate request and the file it is written to. Key and request are written together or not at all; the
 * pair in service is not changed.
 */

import { rename } from 'node:fs/promises'
import { hostname as machineName } from 'node:os'
import { basename, dirname } from 'node:path'
import { ensureFolder } from '../../base/files/durable-file.js'
import { touching } from '../../base/files/file-failure.js'
import { decodeText } from '../../base/files/given-text.js'
import { inspectOutput, writeOutput } from '../../base/files/output-file.js'
import { paths, readSettings } from '../../config/index.js'
import {
  checkChallengePassword,
  checkSubjectPart,
  createCertificateRequest,
  type RequestSubject,
  readPemBlocks,
} from '../../x509/index.js'
import { askAboutPools, type KnownPools } from '../appliance-status.js'
import { fail } from '../errors.js'
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
  /** Allows a common name that is not the host name. */
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
 * Makes a request, and a key where there is none.
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

function checkFields(subject: RequestSubject, challengePassword?: string, companyName?: string): void {
  for (const field of ['country', 'state', 'locality', 'organization', 'organizationalUnit', 'email'] as const) {
    const value = subject[field]
    const why = value === undefined ? undefined : checkSubjectPart(field, value)
    if (why !== undefined) {
      throw fail('REQUEST_FIELD_INVALID', { field, given: value ?? '', why })
    }
  }
  const secretWhy = challengePassword === undefined ? undefined : checkChallengePassword(challengePassword)
  if (secretWhy !== undefined) {
    throw fail('REQUEST_FIELD_INVALID', { field: 'challengePassword', given: '', why: secretWhy })
  }
  const companyWhy = companyName === undefined ? undefined : checkSubjectPart('organization', companyName)
  if (companyWhy !== undefined) {
    throw fail('REQUEST_FIELD_INVALID', { field: 'companyName', given: companyName ?? '', why: companyWhy })
  }
}

export interface RequestFile {
  readonly path: string
  readonly outcome: 'written' | 'kept'
  /** Where an earlier, different request was moved to. */
  readonly previous: string | undefined
}

/**
 * The content of a request file that is there already; undefined where there is none, and for a device or a pipe. Nothing is
 * changed.
 *
 * @throws OUTPUT_OCCUPIED when something that is no request is there; PATH_OCCUPIED, PATH_NOT_PERMITTED.
 */
async function inspectRequestFile(path: string): Promise<string | undefined> {
  const before = await inspectOutput(path)
  if (before.kind !== 'file') return undefined
  const text = before.bytes && decodeText(before.bytes).text
  if (text === undefined || (text !== '' && !isRequest(text))) throw fail('OUTPUT_OCCUPIED', { path })
  return text
}

/** @throws what `inspectRequestFile` throws, DISK_FULL. */
async function writeRequestFile(path: string, pem: string): Promise<RequestFile> {
  const before = await inspectRequestFile(path)
  if (before === pem) return { path, outcome: 'kept', previous: undefined }
  return touching(path, async () => {
    const previous = before ? await freeName(dirname(path), `${basename(path)}_orig`) : undefined
    if (previous) await rename(path, previous)
    try {
      await writeOutput(path, pem, 0o644)
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
