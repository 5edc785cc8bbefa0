/** `wlb trust fetch`: the certificate of an appliance, byte for byte, and whether its port serves it. */

import { WlbError } from '../../base/error.js'
import { readLimitedFile } from '../../base/limited-file.js'
import { paths } from '../../config/paths.js'
import { readSettings } from '../../config/settings.js'
import { parseSshTarget, renderSshTarget } from '../../ssh/index.js'
import { probeServed, reachable } from '../../tls/index.js'
import { askFingerprint } from '../../trust/connection/first-use.js'
import {
  type Fetched,
  fetchCertificate,
  fetchedDocument,
  readCertificateBytes,
  type ServedComparison,
} from '../../trust/index.js'
import { describeCertificate, encodePem } from '../../x509/index.js'
import { formatWlbAddress, type WlbAddress } from '../../xapi/pool/wlb-address.js'
import { daysFrom, EXIT, printJson, renderFacts } from '../print.js'
import { confirmFingerprint } from './ask-fingerprint.js'
import type { FetchFlags } from './commands.js'
import { writeFetched } from './fetched-file.js'
import { withSshConnection } from './open-ssh.js'

const TIMEOUT_MS = 10_000
const DEFAULT_FILE = 'wlb.pem'
const DEFAULT_PORT = 8012

/**
 * Exits 1 when the port serves another certificate (row 71), 2 when nothing is served.
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
  if (rest.length > 0 || (isRemote && target === undefined)) throw oneSource()
  const fetched = target === undefined ? await fetchHere(root, flags) : await fetchOverSsh(target, flags)
  if (!fetched) {
    process.stderr.write('wlb: nothing was written\n')
    process.exitCode = EXIT.no
    return
  }
  const state = await writeFetched(file, fetched.bytes, flags.overwrite ?? false)
  const compared = await compare(fetched)
  if (flags.json) printJson(fetchedDocument(file, state, fetched, compared))
  else process.stdout.write(`${describe(file, state, fetched, compared, new Date())}\n`)
  if (compared.state !== 'same') process.exitCode = compared.state === 'differs' ? EXIT.no : EXIT.usage
}

async function fetchOverSsh(given: string, flags: FetchFlags): Promise<Fetched> {
  const target = parseSshTarget(given)
  const { applianceRoot } = flags
  const fetched = await withSshConnection(target, flags, (ssh) =>
    fetchCertificate(ssh, applianceRoot === undefined ? {} : { applianceRoot }),
  )
  const appliance = flags.appliance ?? { host: target.host, port: DEFAULT_PORT }
  return { ...fetched, from: `${renderSshTarget(target)}:${fetched.file}`, appliance }
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
      return `Next, on the pool's coordinator, with a copy of the file:  xe pool-certificate-install filename=${file}`
    case 'differs':
      return 'Its TLS service was not restarted since the file changed. On the appliance:  killall stunnel; stunnel'
    case 'not served':
      return 'Whether it is served could not be told; name the port by --appliance HOST:PORT.'
  }
}

function oneSource(): WlbError {
  return new WlbError(
    'USAGE_ONE_SOURCE',
    'The certificate comes from one place: USER@HOST over SSH, --from-tls, or --local; and goes into one file.',
    { missing: 'USER@HOST' },
    'wlb trust fetch --help',
  )
}
