/** Input of `wlb cert check`: its options, files, an endpoint, and the appliance's own folder. */

import type { X509Certificate } from 'node:crypto'
import { visibleLine } from '../../../base/text/printable.js'
import { paths } from '../../../config/paths.js'
// not through index.ts: the whole room loads a database, and scripts run this command hundreds of times
import { readCertificateFiles } from '../../../identity/install/certificate-files.js'
import type { AnsweredFacts, CheckQuestion } from '../../../tls/index.js'
import { describeFile, encodePem, readContainers, validate } from '../../../x509/index.js'
import { fail } from '../../errors.js'
import { printNote } from '../../terminal/print.js'
import type { CheckFlags } from '../commands.js'
import { readRevocationLists } from './revocation-lists.js'

const DEFAULT_PORT = 8012

/**
 * Reads everything the verdict needs.
 *
 * @throws USAGE_FILES_OR_ENDPOINT when both files and --connect are given.
 * @throws USAGE_NEEDS_NAME when nothing says which name pools use.
 * @throws NO_CERTIFICATE, and what reading files and containers throws, for files without certificates.
 * @throws ENDPOINT_UNREACHABLE when nobody answers there.
 * @throws CHAIN_WITHOUT_ROOT when --trust is missing and the certificates contain no root.
 */
export async function readQuestion(
  root: string,
  files: readonly string[],
  options: CheckFlags,
): Promise<CheckQuestion> {
  const { connect, at: now = new Date() } = options
  if (files.length > 0 && connect) throw fail('USAGE_FILES_OR_ENDPOINT', {})
  const isOwn = files.length === 0 && !connect
  const name = options.name ?? connect?.host ?? (await (await import('./elsewhere.js')).readHostname(root))
  const served = isOwn ? [paths(root).certificate] : files
  const bundleFiles = options.trust && (await readFiles(options.trust))
  const lists = await readRevocationLists(options.crl ?? [])
  for (const warning of lists.warnings) printNote(`warning: ${visibleLine(warning)}\n`)
  const facts = connect && (await (await import('./elsewhere.js')).askEndpoint(connect, name))
  const presented = facts ? readSent(facts) : await readCertificates(served)
  const own = bundleFiles ? undefined : findOwnRoot(presented, name, now)
  if (bundleFiles === undefined && own === undefined && presented.length > 0) {
    throw fail('CHAIN_WITHOUT_ROOT', { certificates: presented.length, missing: '--trust' })
  }
  return {
    presented,
    facts,
    endpoint: connect,
    name,
    port: connect?.port ?? DEFAULT_PORT,
    // a pool writes a line end behind every file that goes into the bundle
    bundle: bundleFiles ? joinFiles(bundleFiles) : Buffer.from(own ? encodePem('CERTIFICATE', own.raw) : ''),
    trust: options.trust?.join(', ') ?? 'its own root, as if that were installed',
    crls: lists.files,
    now,
  }
}

async function readFiles(files: readonly string[]): Promise<Buffer[]> {
  return (await readCertificateFiles(files)).map(({ bytes }) => bytes)
}

function joinFiles(files: readonly Buffer[]): Buffer {
  return Buffer.concat(files.flatMap((file, index) => (index === 0 ? [file] : [Buffer.from('\n'), file])))
}

/** Reads any usual container; the first certificate found is the leaf. */
async function readCertificates(files: readonly string[]): Promise<X509Certificate[]> {
  const given = await readCertificateFiles(files)
  const { certificates } = readContainers(given)
  if (certificates.length === 0) {
    const found = given.map(({ bytes }) => describeFile(bytes)).join(', ')
    throw fail('NO_CERTIFICATE', { files: files.join(' '), found })
  }
  return certificates.map(({ certificate }) => certificate)
}

function readSent(facts: AnsweredFacts): readonly X509Certificate[] {
  return 'certificates' in facts ? facts.certificates : []
}

/** The root of the path, if the server sends one. */
function findOwnRoot(presented: readonly X509Certificate[], name: string, now: Date): X509Certificate | undefined {
  if (presented.length === 0) return undefined
  const { path, defects } = validate({ presented, anchors: [], crls: undefined, name, now })
  const endsInRoot = defects.some(({ code }) => code === 'SELF_SIGNED_UNTRUSTED' || code === 'ROOT_UNTRUSTED')
  return endsInRoot ? path.at(-1) : undefined
}
