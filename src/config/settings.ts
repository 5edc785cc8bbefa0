/** The appliance's settings: one TOML file that people may edit, checked key by key when it is read. */
import { isIP } from 'node:net'
import { parse, stringify, TomlError } from 'smol-toml'
import { z } from 'zod'
import { WlbError } from '../base/error.js'
import { replaceFile } from '../base/files/durable-file.js'
import { touching } from '../base/files/file-failure.js'
import { readLimitedText } from '../base/files/limited-file.js'
import { findFullHostNameFault } from '../base/names/host-name.js'
import { ACME_FILE, type AcmeSettings, fromAcmeFile, toAcmeFile } from './acme-settings.js'
import { isHostAndPort, LISTEN_ADDRESS_RULE, PORT_RULE, readWebhookAddress } from './addresses.js'
import { fail } from './errors.js'
import { isPasswordHash, PASSWORD_LIMIT_BYTES, whyNotPresentable } from './password.js'

export interface Settings {
  /** Fully qualified; pools connect to this name, and the certificate contains it. */
  readonly hostname: string
  /** The IP address to listen on; 0.0.0.0 and :: mean every address of this machine. */
  readonly address: string
  readonly port: number
  /** The name that pools authenticate with. */
  readonly userName: string
  readonly passwordHash: string
  /** The address of a PostgreSQL server. Left out, the database is embedded. */
  readonly databaseUrl?: string | undefined
  /** Another TLS server (such as stunnel) that pools connect to and that serves the same certificate and key. */
  readonly front?: FrontSettings | undefined
  /** The ACME authority that issues the certificate. */
  readonly acme?: AcmeSettings | undefined
  /** How registered pools are watched while the appliance runs, and where findings are sent. */
  readonly watch?: WatchSettings | undefined
}

export interface WatchSettings {
  readonly everySeconds: number
  readonly webhook?: string | undefined
  readonly mailTo?: string | undefined
  readonly mailFrom?: string | undefined
  /** `HOST:PORT` */
  readonly smtp?: string | undefined
}

export interface FrontSettings {
  /** The command that reloads it: a program and its arguments, run without a shell. */
  readonly reload: readonly string[]
  /** Where a handshake checks that it serves the new certificate. */
  readonly address: string
  readonly port: number
}

const HOSTNAME_RULE = 'must be a full host name with dots, such as wlb.example.com'
const USER_NAME_LIMIT = 255
const USER_NAME_RULE = `must have a character, ${USER_NAME_LIMIT} at most, no colon, which ends it in HTTP, and no blank at either end: consoles cut it off`
const PASSWORD_RULE = `must have a character, ${PASSWORD_LIMIT_BYTES} bytes at most, no control character, and no blank at either end: consoles cut it off`
const DATABASE_RULE = 'must be of the form postgres://user@host/name'

const RELOAD_RULE = 'must be a list of words, the program first, such as ["systemctl", "reload", "stunnel4"]'
const FRONT_ADDRESS_RULE = 'must be the IP address that shows what the front serves'

const HOSTNAME = z.string(HOSTNAME_RULE).superRefine((text, context) => {
  const message = findFullHostNameFault(text)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})
const ADDRESS = z.string(LISTEN_ADDRESS_RULE).refine((text) => isIP(text) !== 0, LISTEN_ADDRESS_RULE)
const PORT = z.int(PORT_RULE).min(1, PORT_RULE).max(65_535, PORT_RULE)
const USER_NAME = z
  .string(USER_NAME_RULE)
  .max(USER_NAME_LIMIT, USER_NAME_RULE)
  .regex(/^(?!\s)[^:\p{Cc}]+(?<!\s)$/u, USER_NAME_RULE)
const DATABASE_URL = z.string(DATABASE_RULE).regex(/^postgres(ql)?:\/\/./, DATABASE_RULE)

const EVERY_RULE = 'must be a whole number of seconds, 10 at least'
const WEBHOOK_RULE = 'must be an https address without a password, or http to this machine'
const SMTP_RULE = 'must be HOST:PORT of a server that takes mail'

const FILE = z.strictObject({
  hostname: HOSTNAME,
  address: ADDRESS,
  port: PORT,
  account: z.strictObject({
    username: USER_NAME,
    password_hash: z.string().refine(isPasswordHash, 'is not a hash of ours; wlb account password makes one'),
  }),
  database: z.strictObject({ url: DATABASE_URL }).optional(),
  front: z
    .strictObject({
      reload: z.array(z.string(RELOAD_RULE).regex(/^[^\0]+$/, RELOAD_RULE), RELOAD_RULE).min(1, RELOAD_RULE),
      address: z.string(FRONT_ADDRESS_RULE).refine((text) => isIP(text) !== 0, FRONT_ADDRESS_RULE),
      port: PORT,
    })
    .optional(),
  acme: ACME_FILE.optional(),
  watch: z
    .strictObject({
      every_seconds: z.int(EVERY_RULE).min(10, EVERY_RULE).default(3600),
      webhook: z
        .string(WEBHOOK_RULE)
        .refine((text) => readWebhookAddress(text) !== undefined, WEBHOOK_RULE)
        .optional(),
      mail_to: z.email('must be an e-mail address').optional(),
      mail_from: z.email('must be an e-mail address').optional(),
      smtp: z.string(SMTP_RULE).refine(isHostAndPort, SMTP_RULE).optional(),
    })
    .optional(),
})

/** What an administrator chooses at setup. */
export interface Choices {
  readonly hostname: string
  readonly address: string
  readonly port: number
  readonly userName: string
  readonly databaseUrl?: string | undefined
}

const CHOICES: { readonly [Name in keyof Choices]-?: z.ZodType } = {
  hostname: HOSTNAME,
  address: ADDRESS,
  port: PORT,
  userName: USER_NAME,
  databaseUrl: DATABASE_URL.optional(),
}

/** What is wrong with a choice, as the end of a sentence that begins with its name, or undefined. */
export function checkChoice(name: keyof Choices, value: unknown): string | undefined {
  return CHOICES[name].safeParse(value).error?.issues[0]?.message
}

/** What is wrong with the password that pools authenticate with, or undefined. */
export function checkPassword(text: string): string | undefined {
  return whyNotPresentable(text) !== undefined || text.trim() !== text ? PASSWORD_RULE : undefined
}

/**
 * Reads the settings.
 *
 * @throws NOT_SET_UP when the file does not exist.
 * @throws TEXT_UNREADABLE, FILE_TOO_LARGE when it is another kind of file.
 * @throws SETTINGS_INVALID when the file is not TOML, or a key is missing, unknown or has an unusable value.
 */
export async function readSettings(path: string): Promise<Settings> {
  return decode(await readText(path), path)
}

/**
 * Writes another hash into the file; every other line stays as it is.
 *
 * @throws as `readSettings`, for everything but the hash before.
 */
export async function changePasswordHash(path: string, passwordHash: string): Promise<void> {
  const line = `password_hash = "${passwordHash}"`
  const before = await readText(path)
  const found = [
    /(?<=^[^#\n]*)\bpassword_hash[ \t]*=[ \t]*(?:"[^"\n]*"|'[^'\n]*')/m,
    /^[ \t]*password_hash\b.*$/m,
  ].find((written) => written.test(before))
  const changed = found
    ? before.replace(found, () => line)
    : before.replace(/^\[account\].*$/m, (heading) => `${heading}\n${line}`)
  const settings = decode(changed, path)
  // the key stands elsewhere too, in a text or another table
  if (settings.passwordHash !== passwordHash) return writeSettings(path, { ...settings, passwordHash })
  await touching(path, () => replaceFile(path, changed, 0o600))
}

async function readText(path: string): Promise<string> {
  return readLimitedText(path).catch((error: unknown) => {
    throw error instanceof WlbError && error.code === 'FILE_MISSING' ? fail('NOT_SET_UP', { file: path }, error) : error
  })
}

function decode(text: string, path: string): Settings {
  const { data, error } = FILE.safeParse(parseToml(text, path))
  if (data) {
    const { hostname, address, port, account, database, front, acme: section, watch: watching } = data
    const { username, password_hash } = account
    const databaseUrl = database?.url
    const acme = section && fromAcmeFile(section)
    return {
      hostname,
      address,
      port,
      userName: username,
      passwordHash: password_hash,
      databaseUrl,
      front,
      acme,
      watch: fromWatchFile(watching),
    }
  }
  const [issue] = error.issues
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys : []
  const key = [...(issue?.path ?? []), ...unknown.slice(0, 1)].join('.')
  const why = unknown.length > 0 ? 'is not a key of this file' : (issue?.message ?? '')
  throw fail('SETTINGS_INVALID', { file: path, key, why })
}

/** Replaces the file. Mode 0600, because it contains a password hash and perhaps the database's password. */
export async function writeSettings(path: string, settings: Settings): Promise<void> {
  const { hostname, address, port, userName, passwordHash, databaseUrl, front, acme, watch } = settings
  const document = {
    hostname,
    address,
    port,
    account: { username: userName, password_hash: passwordHash },
    database: databaseUrl === undefined ? undefined : { url: databaseUrl },
    front,
    acme: acme && toAcmeFile(acme),
    watch: watch && toWatchFile(watch),
  }
  await touching(path, () => replaceFile(path, `${HEADING}${stringify(document)}`, 0o600))
}

function fromWatchFile(section: z.infer<typeof FILE>['watch']): WatchSettings | undefined {
  if (!section) return undefined
  const { every_seconds: everySeconds, webhook, mail_to: mailTo, mail_from: mailFrom, smtp } = section
  return { everySeconds, webhook, mailTo, mailFrom, smtp }
}

function toWatchFile({ everySeconds, webhook, mailTo, mailFrom, smtp }: WatchSettings) {
  return { every_seconds: everySeconds, webhook, mail_to: mailTo, mail_from: mailFrom, smtp }
}

const HEADING =
  '# OpenWLB. Read when the appliance starts; after a change, start it again. The password: wlb account password.\n'

function parseToml(text: string, path: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const why = error.message.split('\n', 1).join('')
    throw fail('SETTINGS_INVALID', { file: path, line: error.line, why }, error)
  }
}
