/**
 * `openssl verify` asked about many paths in one process: names tell the paths apart. Where one of the files cannot be loaded none
 * of them can, and the paths are asked about in halves.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodePem } from '../../../src/x509/index.js'
import type { MutatedCase } from './mutated-case.js'

/** OpenSSL's first error; 'accepted'; 'not loaded' where a certificate or list of the path is none for it. */
export type BatchAnswer = string
export const ACCEPTED = 'accepted'
export const NOT_LOADED = 'not loaded'
/** OpenSSL gave up without naming an error; its number is 1 then. */
const UNSPECIFIED = 'unspecified certificate verification error'

/** All of one place: only lists are asked about with revocation. */
export function askInBatch(cases: readonly MutatedCase[]): BatchAnswer[] {
  if (cases.length === 0) return []
  const folder = mkdtempSync(join(tmpdir(), 'mutated-'))
  try {
    return ask(folder, cases)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function ask(folder: string, cases: readonly MutatedCase[]): BatchAnswer[] {
  const answers = verify(folder, cases)
  if (answers) return answers
  // OpenSSL has then no list at all
  if (cases.length === 1) return [cases[0]?.place === 'list' ? 'unable to get certificate CRL' : NOT_LOADED]
  const half = cases.length >>> 1
  return [...ask(folder, cases.slice(0, half)), ...ask(folder, cases.slice(half))]
}

/** undefined where OpenSSL does not come to verify anything. */
function verify(folder: string, cases: readonly MutatedCase[]): BatchAnswer[] | undefined {
  mkdirSync(folder, { recursive: true })
  const write = (name: string, label: string, all: readonly Buffer[]) =>
    writeFileSync(join(folder, name), all.map((der) => encodePem(label, der)).join(''))
  write(
    'roots.pem',
    'CERTIFICATE',
    cases.map(({ root }) => root),
  )
  write(
    'sent.pem',
    'CERTIFICATE',
    cases.map(({ issuer }) => issuer),
  )
  const lists = cases.flatMap(({ list }) => list ?? [])
  write('lists.pem', 'X509 CRL', lists)
  for (const { leaf, index } of cases) write(`${index}`, 'CERTIFICATE', [leaf])
  const args = [
    'verify',
    '-no-CApath',
    '-no-CAstore',
    '-CAfile',
    'roots.pem',
    '-untrusted',
    'sent.pem',
    '-purpose',
    'sslserver',
  ]
  if (lists.length > 0) args.push('-crl_check', '-CRLfile', 'lists.pem')
  const files = cases.map(({ index }) => `${index}`)
  const { stdout, stderr } = spawnSync('openssl', [...args, '-auth_level', '2', ...files], {
    cwd: folder,
    encoding: 'latin1',
    maxBuffer: 1 << 28,
  })
  return readAnswers(stdout, stderr, files)
}

function readAnswers(stdout: string, stderr: string, files: readonly string[]): BatchAnswer[] | undefined {
  const answers = new Map<string, BatchAnswer>()
  for (const [, file = ''] of stdout.matchAll(/^(\d+): OK$/gm)) answers.set(file, ACCEPTED)
  let first: string | undefined
  for (const line of stderr.split('\n')) {
    const [, text] = /^error \d+ at \d+ depth lookup: ?(.*)$/.exec(line) ?? []
    first ??= text
    const [, file] = /^error (\d+): verification failed$/.exec(line) ?? []
    if (file !== undefined) {
      answers.set(file, first ?? UNSPECIFIED)
      first = undefined
    }
    const [, unread] = /^Could not (?:read|find) .* from (\d+)$/.exec(line) ?? []
    if (unread !== undefined) answers.set(unread, NOT_LOADED)
  }
  if (answers.size === 0) return undefined
  return files.map((file) => answers.get(file) ?? NOT_LOADED)
}
