/** Opens the way to a machine over SSH, as its user's settings lead there: jump hosts first, each verified and logged in to. */
import { WlbError } from '../../base/error.js'
import { visibleLine } from '../../base/text/printable.js'
import {
  type Credential,
  connectSsh,
  defaultKnownHosts,
  findRoute,
  type HostKeyQuestion,
  nameHost,
  readUsualKeys,
  renderSshTarget,
  type SshConnection,
  type SshRequest,
  type SshStop,
} from '../../ssh/index.js'
import { fail } from '../errors.js'
import { askSecret, isAtTerminal } from '../terminal/ask.js'
import { printNote } from '../terminal/print.js'

const SSH_TIMEOUT_MS = 15_000

/** What a machine is asked for, and who answers for it. */
export interface SshAccess {
  /** By options: they are used instead of what the settings name. A password is never given to a jump host. */
  readonly given: readonly Credential[]
  /** Our file of known hosts. */
  readonly knownHosts: string | undefined
  /** Of the machine itself, not of those on the way. */
  readonly fingerprint?: string | undefined
  readonly askAboutHostKey: (question: HostKeyQuestion, onTheWayTo?: string) => Promise<boolean>
  /** Of whom a password is asked at a terminal, when nothing else helped. */
  readonly asksPassword: 'all' | 'jump hosts'
}

/** Jump hosts that several machines are reached by, connected to once. */
export type SharedJumps = Map<string, Promise<SshConnection | undefined>>

/**
 * `target` as it is typed. Closing the connection closes those on the way; the caller closes jumps that are `shared`.
 *
 * @throws what `findRoute` and `connectSsh` throw; USAGE_NEEDS_SSH_LOGIN, USAGE_NEEDS_SSH_FINGERPRINT, USAGE_NEEDS_JUMP_KEY.
 */
export async function openRoute(target: string, access: SshAccess, shared?: SharedJumps): Promise<SshConnection> {
  const { jumps, destination } = await findRoute(target)
  const name = nameHost(destination.target)
  const key = jumps.map((jump) => renderSshTarget(jump.target)).join(' ')
  const opening = shared?.get(key) ?? openJumps(jumps, access, name)
  shared?.set(key, opening)
  const through = await opening
  return openStop(destination, access, through && shared ? { ...through, close: () => {} } : through)
}

export async function closeJumps(shared: SharedJumps): Promise<void> {
  for (const opened of await Promise.allSettled(shared.values())) {
    if (opened.status === 'fulfilled') opened.value?.close()
  }
}

async function openJumps(
  jumps: readonly SshStop[],
  access: SshAccess,
  onTheWayTo: string,
): Promise<SshConnection | undefined> {
  const last = jumps.at(-1)
  if (!last) return undefined
  const accessOfJump: SshAccess = {
    ...access,
    given: access.given.filter(({ kind }) => kind === 'key'),
    fingerprint: undefined,
    askAboutHostKey: (question) => access.askAboutHostKey(question, onTheWayTo),
    asksPassword: 'all',
  }
  return openStop(last, accessOfJump, await openJumps(jumps.slice(0, -1), access, onTheWayTo), true)
}

/** Closes `through` when it cannot be opened, and with it. */
async function openStop(
  stop: SshStop,
  access: SshAccess,
  through: SshConnection | undefined,
  isJump = false,
): Promise<SshConnection> {
  try {
    const ssh = await logIn(stop, access, through, isJump)
    const close = () => {
      ssh.close()
      through?.close()
    }
    return { ...ssh, close }
  } catch (error) {
    through?.close()
    throw error
  }
}

async function logIn(
  stop: SshStop,
  { given, knownHosts, fingerprint, askAboutHostKey, asksPassword }: SshAccess,
  through: SshConnection | undefined,
  isJump: boolean,
): Promise<SshConnection> {
  const { target } = stop
  const usual = given.length === 0 || isJump ? await usualCredentials(stop) : []
  const credentials = [...given, ...usual]
  const request: SshRequest = {
    target,
    knownHosts: defaultKnownHosts(knownHosts, stop.knownHosts),
    hostFingerprint: fingerprint,
    askAboutHostKey,
    credentials,
    timeoutMs: SSH_TIMEOUT_MS,
    through,
  }
  const mayAsk = asksPassword === 'all' && isAtTerminal() && (given.length === 0 || isJump)
  if (!mayAsk && credentials.every(({ kind }) => kind === 'locked key')) {
    throw needsLogin(renderSshTarget(target), credentials)
  }
  try {
    // without credentials: first verify the host key, then ask for the password
    return await connectSsh(request)
  } catch (error) {
    if (!(error instanceof WlbError && error.code === 'SSH_AUTH_FAILED' && mayAsk)) throw error
    const password = await askSecret(`Password of ${target.user}@${nameHost(target)}`)
    if (password === undefined) throw error
    return connectSsh({ ...request, credentials: [{ kind: 'password', password }] })
  }
}

/** Those of the user's settings: keys that are there, then the agent. */
async function usualCredentials({ keyFiles, agent, prefersKeyFiles }: SshStop): Promise<Credential[]> {
  const keys = await readUsualKeys(keyFiles)
  const isAgentNeeded = !prefersKeyFiles || !keys.some(({ kind }) => kind === 'key')
  return agent && isAgentNeeded ? [...keys, { kind: 'agent', socket: agent }] : keys
}

/** Those for the machine that `target` leads to; none where its settings are unusable, which connecting then says. */
export async function findUsualCredentials(target: string): Promise<readonly Credential[]> {
  try {
    return await usualCredentials((await findRoute(target)).destination)
  } catch (error) {
    if (error instanceof WlbError) return []
    throw error
  }
}

/** Asks at a terminal whether a host's key is the one it should have. */
export async function askPerson(question: HostKeyQuestion, onTheWayTo?: string): Promise<boolean> {
  const { target, type, fingerprint } = question
  if (!isAtTerminal()) {
    const { user, host, port, alias: name = host } = target
    const facts = { host, port, seen: `${type} ${fingerprint}` }
    if (onTheWayTo !== undefined) throw fail('USAGE_NEEDS_JUMP_KEY', { ...facts, onTheWayTo, user, name })
    const asTyped = renderSshTarget(target)
    throw fail('USAGE_NEEDS_SSH_FINGERPRINT', { ...facts, missing: '--ssh-fingerprint', target: asTyped, fingerprint })
  }
  const who = onTheWayTo === undefined ? nameHost(target) : `${nameHost(target)}, on the way to ${onTheWayTo},`
  printNote(
    `${who} was not met before. It shows a key (${visibleLine(type)}) with the fingerprint\n  ${fingerprint}\n` +
      'On its console:  for k in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $k; done\n',
  )
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message: 'Is it the same there?', initialValue: false })) === true
}

/** `isOfHosts`: of the hosts of a pool, not of an appliance. */
export function needsLogin(target: string, locked: readonly Credential[], isOfHosts = false): WlbError {
  const [key] = locked.flatMap((credential) => (credential.kind === 'locked key' ? [credential.file] : []))
  const byKey = key === undefined ? '--ssh-key FILE' : `--ssh-key ${key} --ssh-passphrase-file FILE`
  const missing = `${byKey}, --ssh-password-file FILE, or SSH_AUTH_SOCK`
  return fail('USAGE_NEEDS_SSH_LOGIN', { target, missing, isOfHosts })
}
