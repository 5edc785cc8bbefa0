/** `wlb trust fetch`: copies the certificate of an appliance byte for byte, and compares it with what its port serves. */

import { readLimitedFile } from '../../base/files/limited-file.js'
import { inspectOutput, isStandardOutput, writeOutput } from '../../base/files/output-file.js'
import { shell } from '../../base/text/quote-word.js'
import { paths, readSettings } from '../../config/index.js'
import { renderSshTarget } from '../../ssh/index.js'
import { probeServed, reachable } from '../../tls/index.js'
import {
  askFingerprint,
  type Fetched,
  type FirstUse,
  fetchCertificate,
  fetchedDocument,
  readCertificateBytes,
  type ServedComparison,
} from '../../trust/index.js'
import { describeCertificate, encodePem } from '../../x509/index.js'
import { formatWlbAddress, type WlbAddress } from '../../xapi/index.js'
import { fail } from '../errors.js'
import { compareByEye, isAtTerminal, ON_THE_APPLIANCE } from '../terminal/ask.js'
import { daysFrom, EXIT, printJson, printNote, renderFacts, toType } from '../terminal/print.js'
import type { FetchFlags } from './commands.js'
import { withSshConnection } from './open-ssh.js'

const TIMEOUT_MS = 10_000
const DEFAULT_FILE = 'wlb.pem'
const DEFAULT_PORT = 8012

/**
 * Exits 1 when the port serves another certificate, 2 when nothing is served.
 *
 * @throws USAGE_ONE_SOURCE, what fetching, asking and writing throw.
 */
export async function trustFetch(
  root: string,
  operands: readonly (string | undefined)[],
  flags: FetchFlags,
): Promise<void> {
  const words = operands.filter((word) => word !== undefined)
  const isRemote = flags.fromTls === undefined && !flags.local
  const target = isRemote ? words.shift() : undefined
  const [file = DEFAULT_FILE, ...rest] = words
  if (rest.length > 0 || (isRemote && target === undefined)) {
    throw fail('USAGE_ONE_SOURCE', { missing: 'USER@HOST' })
  }
  const fetched = target === undefined ? await fetchHere(root, flags) : await fetchOverSsh(target, flags)
  if (!fetched) {
    printNote('wlb: nothing was written\n')
    process.exitCode = EXIT.no
    return
  }
  const toStdout = await isStandardOutput(file)
  if (toStdout && flags.json) throw fail('USAGE_STDOUT_TWICE', { out: file })
  const state = await writeFetched(file, fetched.bytes, flags.overwrite ?? false)
  const compared = await compare(fetched)
  if (flags.json) printJson(fetchedDocument(file, state, fetched, compared))
  else (toStdout ? process.stderr : process.stdout).write(`${describe(file, state, fetched, compared, new Date())}\n`)
  if (compared.state !== 'same') process.exitCode = compared.state === 'differs' ? EXIT.no : EXIT.usage
}

async function fetchOverSsh(given: string, flags: FetchFlags): Promise<Fetched> {
  const { applianceRoot } = flags
  return withSshConnection(given, flags, async (ssh) => {
    const fetched = await fetchCertificate(ssh, { applianceRoot })
    const { target } = ssh
    const appliance = flags.appliance ?? { host: target.host, port: DEFAULT_PORT }
    return { ...fetched, from: `${renderSshTarget(target)}:${fetched.file}`, appliance }
  })
}

async function fetchHere(root: string, flags: FetchFlags): Promise<Fetched | undefined> {
  if (flags.fromTls) return fetchFromTls(flags.fromTls, flags)
  const { settings, certificate: file } = paths(root)
  const { address, port } = await readSettings(settings)
  const bytes = await readLimitedFile(file)
  const appliance = flags.appliance ?? { host: reachable(address), port }
  return { bytes, file, leaf: readCertificateBytes(bytes, file), from: file, appliance }
}

async function fetchFromTls(appliance: WlbAddress, flags: FetchFlags): Promise<Fetched | undefined> {
  const { host, port } = appliance
  const found = await askFingerprint({ address: host, port, serverName: host, timeoutMs: TIMEOUT_MS })
  if (!(await confirmFingerprint(found, flags))) return undefined
  const from = formatWlbAddress(appliance)
  const bytes = Buffer.from(found.chain.map(({ raw }) => encodePem('CERTIFICATE', raw)).join(''))
  return { bytes, file: from, leaf: readCertificateBytes(bytes, from), from, appliance }
}

async function compare({ leaf, appliance: { host, port } }: Fetched): Promise<ServedComparison> {
  const served = await probeServed({ address: host, port, serverName: host, timeoutMs: TIMEOUT_MS })
  if (served.state === 'unreachable') return { state: 'not served', why: served.why }
  const { fingerprintSha256 } = served
  return { state: fingerprintSha256 === leaf.fingerprint256 ? 'same' : 'differs', fingerprintSha256 }
}

function describe(file: string, state: string, fetched: Fetched, compared: ServedComparison, now: Date): string {
  const { subject, notAfter } = describeCertificate(fetched.leaf)
  const place = formatWlbAddress(fetched.appliance)
  const served = {
    same: () => `the same by ${place}`,
    differs: () => `ANOTHER one by ${place}: ${'fingerprintSha256' in compared ? compared.fingerprintSha256 : ''}`,
    'not served': () => `nothing by ${place}: ${'why' in compared ? compared.why : ''}`,
  }[compared.state]()
  const facts = renderFacts([
    ['from', fetched.from],
    ['file', `${file} (${state})`],
    ['subject', subject],
    ['valid until', `${notAfter.toISOString()} (${daysFrom(now, notAfter)})`],
    ['SHA-256', fetched.leaf.fingerprint256],
    ['served', served],
  ])
  return `${facts}\n\n${whatNext(file, compared)}`
}

function whatNext(file: string, { state }: ServedComparison): string {
  switch (state) {
    case 'same':
      return `Next, on the pool's coordinator, with a copy of the file:  ${toType(shell`xe pool-certificate-install filename=${file}`)}`
    case 'differs':
      return 'Its TLS service was not restarted since the file changed. On the appliance:  killall stunnel; stunnel'
    case 'not served':
      return 'Whether it is served could not be told; name the port by --appliance HOST:PORT.'
  }
}

/**
 * Accepts the certificate by the fingerprint that was given, or by what the appliance states itself; otherwise asks. What came
 * over the wire alone is never accepted. A no to the question is false.
 *
 * @throws FINGERPRINT_MISMATCH, FINGERPRINTS_DIFFER when a known fingerprint differs; USAGE_NEEDS_FINGERPRINT when there is
 * no terminal.
 */
async function confirmFingerprint(found: FirstUse, { fingerprint }: Pick<FetchFlags, 'fingerprint'>): Promise<boolean> {
  const { seen, stated, agreed, endpoint } = found
  const appliance = formatWlbAddress({ host: endpoint.address, port: endpoint.port })
  if (fingerprint !== undefined && fingerprint !== seen) {
    throw fail('FINGERPRINT_MISMATCH', { appliance, given: fingerprint, seen })
  }
  if (stated !== undefined && !agreed) throw fail('FINGERPRINTS_DIFFER', { appliance, stated, seen })
  if (fingerprint !== undefined || agreed) return true
  if (!isAtTerminal()) throw fail('USAGE_NEEDS_FINGERPRINT', { appliance, seen, missing: '--fingerprint' })
  return compareByEye(`The certificate that ${appliance} shows`, seen, ON_THE_APPLIANCE)
}

/** @throws FETCH_WOULD_OVERWRITE, PATH_NOT_PERMITTED, PATH_OCCUPIED, DISK_FULL. */
async function writeFetched(file: string, bytes: Buffer, overwrite: boolean): Promise<'written' | 'already so'> {
  const before = await inspectOutput(file)
  if (before.kind === 'file' && before.bytes?.equals(bytes)) return 'already so'
  if (before.kind === 'file' && !overwrite) throw fail('FETCH_WOULD_OVERWRITE', { file })
  await writeOutput(file, bytes, 0o644)
  return 'written'
}
