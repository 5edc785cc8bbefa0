/** From the options that name a pool to a session with it; a pool that let us in is remembered for the next time. */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { WlbError } from '../../base/error.js'
import { connectPinned, type Trust } from '../../tls/index.js'
import {
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
import type { PoolFlags } from '../options.js'
import { readSecretFile } from '../secret-file.js'
import { compareByEye } from './compare-by-eye.js'

export interface PoolChoice {
  readonly access: PoolAccess
  readonly known: KnownPool | undefined
  /** Asked for, remembered, or undefined: then the pool's own wlb_url says. */
  readonly appliance: WlbAddress | undefined
  readonly passwordFile: string
}

const CALL_TIMEOUT_MS = 20_000
/** A pool of 64 writes its stores one member after the other. */
const STORE_TIMEOUT_MS = 300_000
const PROBE_TIMEOUT_MS = 10_000

/**
 * @throws USAGE_POOL_MISSING, USAGE_POOL_URL, USAGE_POOL_UNKNOWN, USAGE_NEEDS_PASSWORD_FILE, USAGE_NEEDS_POOL_TRUST: wrong calls;
 * PASSWORD_FILE_UNREADABLE, FILE_MISSING, KNOWN_POOLS_UNREADABLE.
 */
export async function choosePool(flags: PoolFlags): Promise<PoolChoice> {
  const given = flags.pool ?? process.env.WLB_POOL
  const pools = await readKnownPools()
  if (given === undefined || given === '') throw poolMissing([...pools.keys()])
  const known = pools.get(given) ?? [...pools.values()].find(({ url }) => url === normaliseUrl(given))
  const { host, port } = readUrl(known?.url ?? given, [...pools.keys()])
  const userName = flags.username ?? known?.username ?? 'root'
  const passwordFile = flags.passwordFile ?? known?.passwordFile
  if (passwordFile === undefined) throw needsPasswordFile(given)
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

/** Opens it, hands it to `work`, closes it whatever happens. */
export async function withPoolSession<T>(
  flags: PoolFlags,
  work: (session: PoolSession, choice: PoolChoice) => Promise<T>,
  callTimeoutMs = CALL_TIMEOUT_MS,
): Promise<T> {
  const choice = await choosePool(flags)
  return withPool({ ...choice.access, timeoutMs: callTimeoutMs }, (session) => work(session, choice))
}

/** Once it has answered; a pool that was taken without looking is not worth remembering. */
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

function normaliseUrl(text: string): string {
  try {
    const { host, port } = readUrl(text, [])
    return `https://${formatWlbAddress({ host, port })}`
  } catch {
    return ''
  }
}

function readUrl(text: string, names: readonly string[]): WlbAddress {
  if (!/[.:/]/.test(text)) throw poolUnknown(text, names)
  const bare = text.replace(/^https:\/\//i, '').replace(/\/+$/, '')
  const address = parseWlbAddress(bare) ?? parseWlbAddress(isIP(bare) === 6 ? `[${bare}]:443` : `${bare}:443`)
  if (!address || /^http:/i.test(text)) throw poolUrl(text)
  return address
}

/** A file made for `xe -pwf` has the user's name in a line of its own before the password. */
async function readPassword(file: string, userName: string): Promise<string> {
  const first = await readSecretFile(file)
  if (first !== userName || file === '-') return first
  const [, second = ''] = (await readFile(file, 'utf8')).split(/\r?\n/)
  return second === '' ? first : second
}

async function chooseTrust(flags: PoolFlags, known: KnownPool | undefined, at: WlbAddress): Promise<Trust> {
  if (flags.poolInsecure) return { kind: 'none' }
  if (flags.poolFingerprint !== undefined) return { kind: 'pin', fingerprintSha256: flags.poolFingerprint }
  const caFile = flags.poolCacert ?? (known && 'caFile' in known.trust ? known.trust.caFile : undefined)
  if (caFile !== undefined) return { kind: 'ca-file', pem: await readPem(caFile), name: at.host }
  if (known && 'fingerprintSha256' in known.trust)
    return { kind: 'pin', fingerprintSha256: known.trust.fingerprintSha256 }
  return askAboutFingerprint(at)
}

async function readPem(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw caFileUnreadable(file, error)
  })
}

/** First contact: the fingerprint is shown, and a person compares it. */
async function askAboutFingerprint({ host, port }: WlbAddress): Promise<Trust> {
  if (!process.stdin.isTTY) throw needsTrust(formatWlbAddress({ host, port }))
  const trust = { kind: 'first-use' } as const
  const { socket, fingerprintSha256 } = await connectPinned({ address: host, port, trust, timeoutMs: PROBE_TIMEOUT_MS })
  socket.on('error', () => {}).destroy()
  const isSame = await compareByEye('This pool was not met before. Its certificate', fingerprintSha256, {
    place: 'On its console',
    command: 'openssl x509 -in /etc/xensource/xapi-ssl.pem -noout -fingerprint -sha256',
  })
  if (!isSame) throw notTheSame(host, fingerprintSha256)
  return { kind: 'pin', fingerprintSha256 }
}

function poolMissing(names: readonly string[]): WlbError {
  const known = names.length === 0 ? 'none yet' : names.join(', ')
  return new WlbError(
    'USAGE_POOL_MISSING',
    'No pool was named.',
    { missing: '--pool', known },
    'wlb trust status --pool https://ADDRESS',
  )
}

function poolUnknown(pool: string, names: readonly string[]): WlbError {
  const known = names.length === 0 ? 'none yet' : names.join(', ')
  const remedy = 'wlb trust status --pool https://ADDRESS'
  return new WlbError('USAGE_POOL_UNKNOWN', 'No pool of that name was met before.', { pool, known }, remedy)
}

function poolUrl(pool: string): WlbError {
  const remedy = 'wlb trust status --pool https://ADDRESS:443'
  return new WlbError('USAGE_POOL_URL', 'A pool is named by https://ADDRESS[:PORT].', { pool }, remedy)
}

function needsPasswordFile(pool: string): WlbError {
  const facts = { pool, missing: '--password-file' }
  return new WlbError(
    'USAGE_NEEDS_PASSWORD_FILE',
    'The password of the pool is needed.',
    facts,
    'wlb trust status --password-file FILE',
  )
}

function needsTrust(pool: string): WlbError {
  return new WlbError(
    'USAGE_NEEDS_POOL_TRUST',
    'This pool was not met before, and there is nobody to compare its fingerprint.',
    { pool, missing: '--pool-fingerprint SHA256, --pool-cacert FILE, or --pool-insecure' },
    'wlb trust status --pool-fingerprint SHA256',
  )
}

function notTheSame(pool: string, seen: string): WlbError {
  return new WlbError(
    'POOL_NOT_RECOGNISED',
    'The certificate of the pool was not recognised.',
    { pool, seen },
    'xe host-get-server-certificate',
  )
}

function caFileUnreadable(file: string, cause: unknown): WlbError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new WlbError(
    'CA_FILE_UNREADABLE',
    'The file of the authority cannot be read.',
    { file, why },
    `ls -l ${file}`,
    cause,
  )
}
