/**
 * Where a typed target leads: the machine, and the jump hosts on the way to it, by the user's SSH settings. What was typed wins
 * over them.
 */
import { userInfo } from 'node:os'
import { homeFolder } from '../base/files/home-folder.js'
import { isHostAddress } from '../base/names/host-address.js'
import { fail } from './errors.js'
import { shortReason } from './run-command.js'
import { DEFAULT_PORT, DEFAULT_USER, parseTarget, type SshTarget, type TypedTarget } from './target.js'
import { askUserSettings, atHome, type UserSettings } from './user-settings.js'

/** One machine of a route. */
export interface SshStop {
  readonly target: SshTarget
  /** The user's files of known hosts; undefined for the usual one. */
  readonly knownHosts: readonly string[] | undefined
  /** Private keys to try, which may be missing. */
  readonly keyFiles: readonly string[]
  /** The socket of the agent to ask. */
  readonly agent: string | undefined
  /** The agent is asked only where none of the keys can be read. */
  readonly prefersKeyFiles: boolean
}

export interface SshRoute {
  /** In the order in which they are passed. */
  readonly jumps: readonly SshStop[]
  readonly destination: SshStop
}

const JUMPS_LIMIT = 8

/** @throws USAGE_SSH_TARGET */
export function parseSshTarget(text: string): TypedTarget {
  const target = parseTarget(text)
  if (!target) throw fail('USAGE_SSH_TARGET', { given: text })
  return target
}

/** @throws USAGE_SSH_TARGET, SSH_SETTINGS_UNUSABLE, SSH_PROXY_COMMAND, SSH_JUMPS_TOO_MANY. */
export async function findRoute(text: string): Promise<SshRoute> {
  parseSshTarget(text)
  const stops = await stopsTo(text, JUMPS_LIMIT + 1)
  if (stops === undefined) throw fail('SSH_JUMPS_TOO_MANY', { target: text, limit: JUMPS_LIMIT })
  const destination = stops.at(-1)
  if (!destination) throw new Error('a route ends somewhere')
  return { jumps: stops.slice(0, -1), destination }
}

/**
 * Of several jumps only the first is reached as its own settings say; each other one is reached from the one before it, as `ssh`
 * does it. Undefined for more than `limit` machines.
 */
async function stopsTo(text: string, limit: number): Promise<readonly SshStop[] | undefined> {
  if (limit <= 0) return undefined
  const { stop, jumps } = await stopAt(text)
  const [first, ...others] = jumps
  if (first === undefined) return [stop]
  const before = await stopsTo(first, limit - 1 - others.length)
  if (before === undefined) return undefined
  const between: SshStop[] = []
  for (const other of others) between.push((await stopAt(other)).stop)
  return [...before, ...between, stop]
}

async function stopAt(text: string): Promise<{ readonly stop: SshStop; readonly jumps: readonly string[] }> {
  const unusable = (why: string) => fail('SSH_SETTINGS_UNUSABLE', { target: text, why })
  const typed = parseTarget(text)
  if (!typed) throw unusable('a jump host is no USER@HOST:PORT')
  const settings = await askUserSettings(typed)
  if (settings === undefined) return { stop: withoutSettings(typed), jumps: [] }
  const [host = '', user = '', settingsPort] = ['hostname', 'user', 'port'].map((name) => only(settings, name))
  const jumps = only(settings, 'proxyjump')?.split(',') ?? []
  const proxyCommand = only(settings, 'proxycommand')
  if (proxyCommand !== undefined && jumps.length === 0)
    throw fail('SSH_PROXY_COMMAND', { target: text, proxyCommand: shortReason(proxyCommand) })
  // as they have to be when they are typed: they stand in commands, and in journals
  if (!isHostAddress(host)) throw unusable(`HostName is no host name or address: ${shortReason(host)}`)
  if (parseTarget(`${user}@${typed.name.includes(':') ? `[${typed.name}]` : typed.name}`)?.user !== user) {
    throw unusable(`User is no name of a user: ${shortReason(user)}`)
  }
  const isSameHost = host.toLowerCase() === typed.name.toLowerCase()
  const leads = !isSameHost || Number(settingsPort) !== DEFAULT_PORT || jumps.length > 0
  const target: SshTarget = {
    user,
    host: isSameHost ? typed.name : host,
    port: typed.port ?? Number(settingsPort),
    alias: leads ? typed.name : undefined,
    hostKeyAlias: only(settings, 'hostkeyalias'),
  }
  return { stop: { target, ...accessBy(settings, typed, target) }, jumps }
}

function withoutSettings({ user = DEFAULT_USER, name, port = DEFAULT_PORT }: TypedTarget): SshStop {
  const agent = process.env.SSH_AUTH_SOCK
  return { target: { user, host: name, port }, knownHosts: undefined, keyFiles: [], agent, prefersKeyFiles: false }
}

function accessBy(settings: UserSettings, typed: TypedTarget, target: SshTarget): Omit<SshStop, 'target'> {
  // a list of paths, printed without quotes
  const knownHosts = only(settings, 'userknownhostsfile')
    ?.split(/ (?=[~/])/)
    .map(atHome)
  const keyFiles = (settings.get('identityfile') ?? []).flatMap((file) => expand(file, typed, target) ?? [])
  const agent = agentOf(only(settings, 'identityagent'))
  return { knownHosts, keyFiles, agent, prefersKeyFiles: only(settings, 'identitiesonly') === 'yes' }
}

function agentOf(setting = 'SSH_AUTH_SOCK'): string | undefined {
  if (setting === 'none') return undefined
  if (setting === 'SSH_AUTH_SOCK') return process.env.SSH_AUTH_SOCK
  return setting.startsWith('$') ? process.env[setting.slice(1).replace(/^\{(.*)\}$/, '$1')] : atHome(setting)
}

/** The tokens of ssh_config(5) that a key's file is usually named by; undefined where there is another one. */
function expand(file: string, typed: TypedTarget, { user, host, port }: SshTarget): string | undefined {
  const values: Readonly<Record<string, string>> = {
    '%': '%',
    d: homeFolder(),
    h: host,
    n: typed.name,
    p: String(port),
    r: user,
    u: userInfo().username,
  }
  const isKnown = [...file.matchAll(/%(.?)/g)].every(([, token = '']) => values[token] !== undefined)
  return isKnown ? atHome(file.replace(/%(.)/g, (_, token: string) => values[token] ?? '')) : undefined
}

function only(settings: UserSettings, keyword: string): string | undefined {
  return settings.get(keyword)?.[0]
}
