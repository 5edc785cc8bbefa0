/**
 * Creates what an appliance needs in a folder: settings, sealing key, certificate, database. What exists already is kept, and
 * the report says so. If a run was interrupted, the next one completes it.
 */
import { existsSync } from 'node:fs'
import { hostname as machineName } from 'node:os'
import { lockDirectory } from '../base/files/directory-lock.js'
import { ensureFolder } from '../base/files/durable-file.js'
import { touching } from '../base/files/file-failure.js'
import {
  type AppliancePaths,
  type Choices,
  checkChoice,
  checkPassword,
  createSecretKey,
  hashPassword,
  paths,
  readSettings,
  type Settings,
  verifyPassword,
  writeSettings,
} from '../config/index.js'
import {
  describeIdentity,
  hasIdentity,
  type Identity,
  installIdentity,
  ownAddresses,
  settleIdentity,
} from '../identity/index.js'
import { prepareDatabase } from '../store/index.js'
import { createSelfSigned } from '../x509/index.js'
import { fail } from './errors.js'

export interface SetupOptions extends Partial<Choices> {
  readonly root: string
  /** In clear text; only its hash is stored. */
  readonly password?: string
  readonly now: Date
  /** Called before each item, to show progress. */
  readonly onItem?: (item: SetupItem['item']) => void
}

export interface SetupItem {
  readonly item: 'settings' | 'secret key' | 'certificate' | 'database'
  readonly outcome: 'created' | 'kept'
  readonly path: string
}

/** A choice that differs from the stored settings, which were kept. */
export interface NotApplied {
  readonly choice: keyof Choices | 'password'
  readonly kept: string
}

export interface SetupReport {
  readonly root: string
  readonly hostname: string
  readonly address: string
  readonly port: number
  readonly userName: string
  readonly identity: Identity
  readonly items: readonly SetupItem[]
  readonly notApplied: readonly NotApplied[]
}

export interface SetupSuggestion extends Choices {
  /** Settings exist already; these are their values, and no questions are needed. */
  readonly configured: boolean
}

/** What the wizard offers: the stored settings, or a default for everything but the password. */
export async function suggestSetup(root: string): Promise<SetupSuggestion> {
  const { settings } = paths(root)
  if (existsSync(settings)) return { configured: true, ...(await readSettings(settings)) }
  const name = machineName().toLowerCase()
  const hostname = checkChoice('hostname', name) === undefined ? name : `${name.split('.', 1).join('')}.localdomain`
  return { configured: false, hostname, address: '0.0.0.0', port: 8012, userName: 'wlbuser' }
}

/**
 * Sets the appliance up; changes nothing where that was done before.
 *
 * @throws SETUP_INCOMPLETE when a choice is missing that has no default.
 * @throws CHOICE_INVALID when a host name, address, port, user name or database address is unusable.
 * @throws PATH_NOT_PERMITTED, DISK_FULL, PATH_OCCUPIED, DIRECTORY_IN_USE, and what `openStore` throws.
 */
export async function setUp(options: SetupOptions): Promise<SetupReport> {
  const place = paths(options.root)
  checkChoices(options)
  if (!existsSync(place.settings)) checkComplete(options)

  await touching(place.settingsFolder, () => ensureFolder(place.settingsFolder, 0o755))
  await touching(place.stateFolder, () => ensureFolder(place.stateFolder, 0o700))
  const lock = await lockDirectory(place.settingsFolder)
  try {
    const items: SetupItem[] = []
    const make = async (item: SetupItem['item'], path: string, work: () => Promise<SetupItem['outcome']>) => {
      options.onItem?.(item)
      items.push({ item, path, outcome: await work() })
    }
    await make('settings', place.settings, () => makeSettings(place, options))
    const settings = await readSettings(place.settings)
    await make('secret key', place.secretKey, () => makeSecretKey(place))
    await make('certificate', place.certificate, () => makeIdentity(place, settings, options.now))
    await make('database', settings.databaseUrl ? 'a PostgreSQL server' : place.database, () =>
      makeDatabase(place, settings),
    )
    const { hostname, address, port, userName } = settings
    return {
      root: options.root,
      hostname,
      address,
      port,
      userName,
      identity: await describeIdentity(options.root),
      items,
      notApplied: items[0]?.outcome === 'kept' ? await compare(options, settings) : [],
    }
  } finally {
    await lock.release()
  }
}

async function makeSettings(place: AppliancePaths, options: SetupOptions): Promise<SetupItem['outcome']> {
  if (existsSync(place.settings)) return 'kept'
  const { password, address, port, userName, databaseUrl } = options
  const { hostname } = options
  if (hostname === undefined || password === undefined) throw fail('SETUP_INCOMPLETE', { missing: '--hostname' })
  // Checked before it is stored: a later run keeps stored settings, even wrong ones.
  if (databaseUrl !== undefined) await prepareDatabase({ kind: 'server', url: databaseUrl })
  await writeSettings(place.settings, {
    hostname,
    address: address ?? '0.0.0.0',
    port: port ?? 8012,
    userName: userName ?? 'wlbuser',
    passwordHash: await hashPassword(password),
    databaseUrl,
  })
  return 'created'
}

async function makeSecretKey({ secretKey }: AppliancePaths): Promise<SetupItem['outcome']> {
  if (existsSync(secretKey)) return 'kept'
  await createSecretKey(secretKey)
  return 'created'
}

async function makeIdentity(place: AppliancePaths, settings: Settings, now: Date): Promise<SetupItem['outcome']> {
  if (existsSync(place.certificateFolder)) await settleIdentity(place)
  // one file without the other is left alone: an administrator may be in the middle of replacing both
  if (hasIdentity(place)) return 'kept'
  const { hostname, address } = settings
  const identity = await createSelfSigned({ hostname, addresses: ownAddresses(address), now })
  await installIdentity(place, identity, { how: 'setup', now })
  return 'created'
}

async function makeDatabase(place: AppliancePaths, { databaseUrl }: Settings): Promise<SetupItem['outcome']> {
  if (databaseUrl !== undefined) return prepareDatabase({ kind: 'server', url: databaseUrl })
  if (existsSync(place.database)) return 'kept' // a running appliance may hold its lock
  const lock = await lockDirectory(place.stateFolder)
  try {
    return await touching(place.database, () => prepareDatabase({ kind: 'embedded', directory: place.database }))
  } finally {
    await lock.release()
  }
}

const CHOICE_NAMES = ['hostname', 'address', 'port', 'userName', 'databaseUrl'] as const

function checkChoices(options: SetupOptions): void {
  for (const name of CHOICE_NAMES) {
    const value = options[name]
    const why = value === undefined ? undefined : checkChoice(name, value)
    if (why === undefined) continue
    throw fail('CHOICE_INVALID', { choice: name, given: name === 'databaseUrl' ? undefined : String(value), why })
  }
  const why = options.password === undefined ? undefined : checkPassword(options.password)
  if (why !== undefined) throw fail('CHOICE_INVALID', { choice: 'password', why })
}

function checkComplete({ hostname, password }: SetupOptions): void {
  if (hostname === undefined) throw fail('SETUP_INCOMPLETE', { missing: '--hostname' })
  if (password === undefined) throw fail('SETUP_INCOMPLETE', { missing: '--password-file' })
}

async function compare(options: SetupOptions, settings: Settings): Promise<readonly NotApplied[]> {
  const { password } = options
  const differing: NotApplied[] = CHOICE_NAMES.filter(
    (name) => options[name] !== undefined && options[name] !== settings[name],
  ).map((choice) => ({
    choice,
    kept: choice === 'databaseUrl' ? (settings[choice] ? 'another server' : 'embedded') : String(settings[choice]),
  }))
  const isOther = password !== undefined && !(await verifyPassword(password, settings.passwordHash))
  return isOther ? [...differing, { choice: 'password', kept: 'the one set up before' }] : differing
}
