/** Opens a session with the pool that the options name, and remembers the pool for the next time. */

import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { WlbError } from '../../base/error.js'
import { readLimitedFile } from '../../base/files/limited-file.js'
import { quoteWord } from '../../base/text/quote-word.js'
import { connectPinned, type Trust } from '../../tls/index.js'
import { describeFile, encodePem, readContainers } from '../../x509/index.js'
import {
  explainRefusal,
  formatWlbAddress,
  type KnownPool,
  type PoolAccess,
  type PoolSession,
  parseWlbAddress,
  readKnownPools,
  rememberPool,
  type WlbAddress,
  withPool,
} from '../../xapi/index.js'
import { fail } from '../errors.js'
import type { PoolFlags } from '../options.js'
import { compareByEye, isAtTerminal, type OtherSide, readSecretLines } from '../terminal/ask.js'

export interface PoolChoice {
  readonly access: PoolAccess
  readonly known: KnownPool | undefined
  /** From the options or from last time; undefined: the pool's own wlb_url. */
  readonly appliance: WlbAddress | undefined
  readonly passwordFile: string
}

const CALL_TIMEOUT_MS = 20_000
/** A pool of 64 hosts writes its trust stores one after the other. */
const STORE_TIMEOUT_MS = 300_000
const PROBE_TIMEOUT_MS = 10_000

/**
 * @throws USAGE_POOL_MISSING, USAGE_POOL_URL, USAGE_POOL_UNKNOWN, USAGE_NEEDS_PASSWORD_FILE, USAGE_NEEDS_POOL_TRUST: wrong calls;
 * PASSWORD_FILE_UNREADABLE, FILE_MISSING, KNOWN_POOLS_UNREADABLE.
 */
export async function choosePool(flags: PoolFlags): Promise<PoolChoice> {
  const given = flags.pool ?? process.env.WLB_POOL
  const pools = await readKnownPools()
  if (given === undefined || given === '') {
    throw fail('USAGE_POOL_MISSING', { missing: '--pool', known: listNames([...pools.keys()]) })
  }
  const known = pools.get(given) ?? [...pools.values()].find(({ url }) => url === normaliseUrl(given))
  const { host, port } = readUrl(known?.url ?? given, [...pools.keys()])
  const userName = flags.username ?? known?.username ?? 'root'
  const passwordFile = flags.passwordFile ?? known?.passwordFile
  if (passwordFile === undefined) {
    throw fail('USAGE_NEEDS_PASSWORD_FILE', { pool: given, missing: '--password-file' })
  }
  const password = await readPassword(passwordFile, userName)
  const trust = await chooseTrust(flags, known, { host, port })
  const limits = { timeoutMs: CALL_TIMEOUT_MS, storeTimeoutMs: STORE_TIMEOUT_MS }
  const access = { address: host, port, userName, password, trust, ...limits }
  const remembered = known?.appliance === undefined ? undefined : parseWlbAddress(known.appliance)
  return {
    access,
    known,
    appliance: flags.appliance ?? remembered,
    passwordFile: passwordFile === '-' ? '-' : resolve(passwordFile),
  }
}

/**
 * Opens a session, passes it to `work`, and always closes it. What the pool refuses on the way is an error with its code.
 * `command` is without `wlb`.
 */
export async function withPoolSession<T>(
  command: string,
  flags: PoolFlags,
  work: (session: PoolSession, choice: PoolChoice) => Promise<T>,
  callTimeoutMs = CALL_TIMEOUT_MS,
): Promise<T> {
  const choice = await choosePool(flags)
  const access = { ...choice.access, timeoutMs: callTimeoutMs }
  return withPool(access, (session) => work(session, choice)).catch((error: unknown) => {
    throw explainRefusal(error, command, `wlb ${command} --username USER --password-file FILE`)
  })
}

/** Remembers a pool that has answered, unless its certificate was not verified. */
export async function remember(
  flags: PoolFlags,
  session: PoolSession,
  choice: PoolChoice,
  pool: { uuid: string; name: string },
): Promise<void> {
  const { access, passwordFile } = choice
  if (access.trust.kind === 'none') return
  const appliance = flags.appliance ?? choice.appliance
  await rememberPool(pool.name, {
    url: `https://${formatWlbAddress({ host: session.address, port: session.port })}`,
    uuid: pool.uuid,
    username: access.userName,
    ...(passwordFile !== '-' && { passwordFile }),
    trust:
      access.trust.kind === 'ca-file' && flags.poolCacert !== undefined
        ? { caFile: resolve(flags.poolCacert) }
        : (choice.known?.trust ?? { fingerprintSha256: session.fingerprintSha256 }),
    ...(appliance && { appliance: formatWlbAddress(appliance) }),
  })
}

function listNames(names: readonly string[]): string {
  return names.length === 0 ? 'none yet' : names.join(', ')
}

function normaliseUrl(text: string): string {
  try {
    const { host, port } = readUrl(text, [])
    return `https://${formatWlbAddress({ host, port })}`
  } catch {
    return ''
  }
}

function readUrl(text: string, names: readonly string[]): WlbAddress {
  if (!/[.:/]/.test(text)) throw fail('USAGE_POOL_UNKNOWN', { pool: text, known: listNames(names) })
  const bare = text.replace(/^https:\/\//i, '').replace(/\/+$/, '')
  const address = parseWlbAddress(bare) ?? parseWlbAddress(isIP(bare) === 6 ? `[${bare}]:443` : `${bare}:443`)
  if (!address || /^http:/i.test(text)) throw fail('USAGE_POOL_URL', { pool: text })
  return address
}

/** A file for `xe -pwf` has the user name in its first line and the password in its second. */
async function readPassword(file: string, userName: string): Promise<string> {
  const [first, second = ''] = await readSecretLines(file)
  return first !== userName || second === '' ? first : second
}

async function chooseTrust(flags: PoolFlags, known: KnownPool | undefined, at: WlbAddress): Promise<Trust> {
  if (flags.poolInsecure) return { kind: 'none' }
  if (flags.poolFingerprint !== undefined) return { kind: 'pin', fingerprintSha256: flags.poolFingerprint }
  const caFile = flags.poolCacert ?? (known && 'caFile' in known.trust ? known.trust.caFile : undefined)
  if (caFile !== undefined) return { kind: 'ca-file', pem: await readAnchors(caFile), name: at.host }
  if (known && 'fingerprintSha256' in known.trust)
    return { kind: 'pin', fingerprintSha256: known.trust.fingerprintSha256 }
  return askAboutFingerprint(at)
}

/** Certificates in any form people have them. */
async function readAnchors(file: string): Promise<string> {
  try {
    const bytes = await readLimitedFile(file)
    const { certificates } = readContainers([{ file, bytes }])
    if (certificates.length === 0) throw new Error(`it holds no certificate, but ${describeFile(bytes)}`)
    return certificates.map(({ certificate }) => encodePem('CERTIFICATE', certificate.raw)).join('')
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const lower = error instanceof WlbError && error.cause instanceof Error ? error.cause : error
    const looksLike = error instanceof WlbError ? error.facts.looksLike : undefined
    throw fail(
      'CA_FILE_UNREADABLE',
      { file, why: looksLike === undefined ? lower.message : `it is ${looksLike}` },
      error,
    )
  }
}

/** Prints on a host what its port shows; xapi keeps certificate and key in that file. */
const ON_THE_HOST: OtherSide = {
  place: 'On its console',
  command: 'openssl x509 -in /etc/xensource/xapi-ssl.pem -noout -fingerprint -sha256',
}

/**
 * First contact: the fingerprint is shown, and a person compares it.
 *
 * @throws USAGE_NEEDS_POOL_TRUST with the fingerprint, where nobody is there; POOL_NOT_RECOGNISED; what connecting throws.
 */
async function askAboutFingerprint({ host, port }: WlbAddress): Promise<Trust> {
  const trust = { kind: 'first-use' } as const
  const { socket, fingerprintSha256 } = await connectPinned({ address: host, port, trust, timeoutMs: PROBE_TIMEOUT_MS })
  socket.on('error', () => {}).destroy()
  if (!isAtTerminal()) {
    const pool = formatWlbAddress({ host, port })
    throw fail('USAGE_NEEDS_POOL_TRUST', {
      pool,
      seen: fingerprintSha256,
      compareWith: `${ON_THE_HOST.command}, on the console of that host`,
      missing: '--pool-fingerprint SHA256, --pool-cacert FILE, or --pool-insecure',
      command: `wlb trust status --pool ${quoteWord(`https://${pool}`)} --password-file FILE --pool-fingerprint ${fingerprintSha256}`,
    })
  }
  const isSame = await compareByEye('This pool was not met before. Its certificate', fingerprintSha256, ON_THE_HOST)
  if (!isSame) throw fail('POOL_NOT_RECOGNISED', { pool: host, seen: fingerprintSha256 })
  return { kind: 'pin', fingerprintSha256 }
}
