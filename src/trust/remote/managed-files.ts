/**
 * The certificate and key files of an appliance that is managed over SSH: what is in place, what was kept, and what an
 * interrupted attempt left. Contents are compared by their SHA-256; no key is ever read.
 */
import { createHash } from 'node:crypto'
import { quoteWord } from '../../base/text/quote-word.js'
import { paths } from '../../config/index.js'
import { renderSshTarget, runOrFail, type SshConnection } from '../../ssh/index.js'
import type { ServedIdentity } from '../../tls/index.js'
import { fail } from './errors.js'

/** All in one folder, quoted for a shell. */
export interface ManagedPlace {
  readonly certificate: string
  readonly key: string
  readonly journal: string
  readonly folder: string
}

/** SHA-256 in hexadecimal; undefined where there is no such file. */
export interface PairDigests {
  readonly certificate: string | undefined
  readonly key: string | undefined
}

export interface ManageJournal {
  readonly before: PairDigests
  readonly after: PairDigests
}

export interface ManagedFiles {
  readonly inPlace: PairDigests
  /** The pair kept as `_orig`. */
  readonly original: PairDigests
  /** Of the key in place; undefined where there is none. */
  readonly keyMode: string | undefined
  /** The first number under which an older `_orig` can be set aside. */
  readonly freeNumber: number
  /** Of an attempt that was not completed. */
  readonly journal: ManageJournal | undefined
}

export function managedPlace(applianceRoot: string): ManagedPlace {
  const { certificate, key, certificateFolder } = paths(applianceRoot)
  const journal = `${certificateFolder}/.openwlb-install`
  return {
    certificate: quoteWord(certificate),
    key: quoteWord(key),
    journal: quoteWord(journal),
    folder: quoteWord(certificateFolder),
  }
}

/** @throws MANAGE_UNREADABLE when the answer makes no sense, and what `runOrFail` throws. */
export async function readManagedFiles(ssh: SshConnection, place: ManagedPlace): Promise<ManagedFiles> {
  const answer = (await runOrFail(ssh, lookCommand(place))).toString('utf8').split('\n')
  const [certificate, key, originalCertificate, originalKey, mode, number, ...journal] = answer
  const freeNumber = Number(number)
  if (!Number.isSafeInteger(freeNumber) || freeNumber < 1) {
    throw fail('MANAGE_UNREADABLE', { target: renderSshTarget(ssh.target), said: answer.join(' ').slice(0, 200) })
  }
  return {
    inPlace: { certificate: readDigest(certificate), key: readDigest(key) },
    original: { certificate: readDigest(originalCertificate), key: readDigest(originalKey) },
    keyMode: mode === '-' ? undefined : mode,
    freeNumber,
    journal: readJournal(journal),
  }
}

/** The lines of a journal; `token` names the attempt that may go on. */
export function renderJournal(token: string, { before, after }: ManageJournal): string[] {
  const line = (word: string, { certificate = '-', key = '-' }: PairDigests) => `${word} ${certificate} ${key}`
  return ['openwlb 1', tokenLine(token), line('before', before), line('after', after)]
}

export function tokenLine(token: string): string {
  return `by ${token}`
}

export function digestsOf({ certificatePem, privateKeyPem }: ServedIdentity) {
  return { certificate: sha256(certificatePem), key: sha256(privateKeyPem) }
}

export function isSamePair(one: PairDigests, other: PairDigests): boolean {
  return one.certificate === other.certificate && one.key === other.key
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function lookCommand({ certificate, key, journal }: ManagedPlace): string {
  const digest = (file: string) => `d ${file}`
  return [
    `d() { if [ -f "$1" ]; then sha256sum < "$1" | cut -d' ' -f1; else echo -; fi; }`,
    ...[certificate, key, `${certificate}_orig`, `${key}_orig`].map(digest),
    `stat -c %a ${key} 2>/dev/null || echo -`,
    `n=1; while [ -e ${certificate}_orig.$n ] || [ -e ${key}_orig.$n ]; do n=$((n+1)); done; echo $n`,
    `if [ -f ${journal} ]; then head -c 4096 ${journal}; fi`,
  ].join('; ')
}

function readDigest(word: string | undefined): string | undefined {
  return word !== undefined && /^[0-9a-f]{64}$/.test(word) ? word : undefined
}

/** Undefined for an incomplete journal: the attempt was killed while it wrote it, before anything was changed. */
function readJournal(lines: readonly string[]): ManageJournal | undefined {
  if (lines[0] !== 'openwlb 1') return undefined
  const before = readPair(lines, 'before')
  const after = readPair(lines, 'after')
  return before && after && { before, after }
}

function readPair(lines: readonly string[], word: string): PairDigests | undefined {
  const [, certificate, key] = lines.find((line) => line.startsWith(`${word} `))?.split(' ') ?? []
  return key === undefined ? undefined : { certificate: readDigest(certificate), key: readDigest(key) }
}
