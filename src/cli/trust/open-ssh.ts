/** Connects over SSH as the options say: to one machine, to appliances as they are needed, to the hosts of a pool. */

import { WlbError } from '../../base/error.js'
import { visibleLine } from '../../base/text/printable.js'
import type { InstallStep } from '../../identity/index.js'
import {
  type AskAboutHostKey,
  type Credential,
  checkCredentials,
  connectSsh,
  defaultKnownHosts,
  type HostKeyQuestion,
  renderSshTarget,
  type SshConnection,
  type SshRequest,
  type SshTarget,
} from '../../ssh/index.js'
import { readHostStores, type SshReach, type StoreSights } from '../../trust/index.js'
import { fail } from '../errors.js'
import type { HostSshFlags, RestartFlags, SshFlags } from '../options.js'
import { askSecret, isAtTerminal, readSecretFile } from '../terminal/ask.js'
import { printNote } from '../terminal/print.js'

const SSH_TIMEOUT_MS = 15_000
const PROOF_SECONDS = 20

/**
 * Opens a connection, passes it to `work`, and always closes it.
 *
 * @throws USAGE_SSH_TARGET, USAGE_NEEDS_SSH_LOGIN, USAGE_NEEDS_SSH_FINGERPRINT: wrong calls; and what `connectSsh` throws.
 */
export async function withSshConnection<T>(
  target: SshTarget,
  flags: SshFlags,
  work: (ssh: SshConnection) => Promise<T>,
): Promise<T> {
  const ssh = await open(target, flags)
  try {
    return await work(ssh)
  } finally {
    ssh.close()
  }
}

/**
 * Connects to appliances when a journal names them. Each machine has one connection, opened again if it was lost; all are
 * closed at the end.
 *
 * @throws what `work` throws; connecting throws as `withSshConnection` does.
 */
export async function withSshReach<T>(
  flags: SshFlags & RestartFlags,
  work: (reach: SshReach) => Promise<T>,
): Promise<T> {
  const connections = new Map<string, SshConnection>()
  const connect = async (target: SshTarget): Promise<SshConnection> => {
    const name = renderSshTarget(target)
    const before = connections.get(name)
    if (before && (await answers(before))) return before
    before?.close()
    connections.delete(name)
    const ssh = await open(target, flags)
    connections.set(name, ssh)
    return ssh
  }
  const onStep = ({ what }: InstallStep) => printNote(`${visibleLine(what)} ...\n`)
  try {
    return await work({ connect, restartCommand: flags.restartCommand, proofMs: proofMsOf(flags), onStep })
  } finally {
    for (const ssh of connections.values()) ssh.close()
  }
}

export function proofMsOf({ proofSeconds = PROOF_SECONDS }: RestartFlags): number {
  return proofSeconds * 1000
}

async function answers(ssh: SshConnection): Promise<boolean> {
  return ssh.run(':').then(
    () => true,
    () => false,
  )
}

async function open(target: SshTarget, flags: SshFlags): Promise<SshConnection> {
  const credentials = await readCredentials(flags)
  const request: SshRequest = {
    target,
    knownHosts: defaultKnownHosts(flags.sshKnownHosts),
    hostFingerprint: flags.sshFingerprint,
    askAboutHostKey: askPerson,
    credentials,
    timeoutMs: SSH_TIMEOUT_MS,
  }
  const isChosen = credentials.some(({ kind }) => kind !== 'agent')
  if (credentials.length === 0 && !isAtTerminal()) throw needsLogin(renderSshTarget(target))
  try {
    // without credentials: first verify the host key, then ask for the password
    return await connectSsh(request)
  } catch (error) {
    const mayAsk = error instanceof WlbError && error.code === 'SSH_AUTH_FAILED' && !isChosen && isAtTerminal()
    if (!mayAsk) throw error
    const password = await askSecret(`Password of ${renderSshTarget(target)}`)
    if (password === undefined) throw error
    return connectSsh({ ...request, credentials: [{ kind: 'password', password }] })
  }
}

/** Credentials from the options; without any, the agent. */
async function readCredentials({
  sshKey,
  sshPassphraseFile,
  sshPasswordFile,
}: Omit<SshFlags, 'sshFingerprint'>): Promise<Credential[]> {
  const credentials: Credential[] = []
  if (sshKey !== undefined) {
    credentials.push({ kind: 'key', file: sshKey, passphrase: await readSecretFile(sshPassphraseFile) })
  }
  if (sshPasswordFile !== undefined) {
    credentials.push({ kind: 'password', password: await readSecretFile(sshPasswordFile) })
  }
  const { SSH_AUTH_SOCK: socket } = process.env
  return credentials.length === 0 && socket ? [{ kind: 'agent', socket }] : credentials
}

async function askPerson(question: HostKeyQuestion): Promise<boolean> {
  const { target, type, fingerprint } = question
  if (!isAtTerminal()) {
    throw fail('USAGE_NEEDS_SSH_FINGERPRINT', {
      host: target.host,
      port: target.port,
      seen: `${type} ${fingerprint}`,
      missing: '--ssh-fingerprint',
      target: renderSshTarget(target),
      fingerprint,
    })
  }
  printNote(
    `${target.host} was not met before. It shows a key (${visibleLine(type)}) with the fingerprint\n  ${fingerprint}\n` +
      'On its console:  for k in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $k; done\n',
  )
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message: 'Is it the same there?', initialValue: false })) === true
}

type HostToReach = Parameters<typeof readHostStores>[0][number]

/** `aside` runs a question while no progress is printed. */
export type ReadStores = (hosts: readonly HostToReach[], name: string, aside?: Aside) => Promise<StoreSights>

type Aside = <T>(question: () => Promise<T>) => Promise<T>

const SSH_PORT = 22

/**
 * Asks for a password once, for all hosts.
 *
 * @throws USAGE_NEEDS_HOST_SSH, USAGE_NEEDS_SSH_LOGIN: wrong calls; what reading a key or a password from a file throws.
 */
export async function chooseReadStores(flags: HostSshFlags): Promise<ReadStores | undefined> {
  const { hostSsh: user, hostSshPort: port = SSH_PORT, hostRoot: root = '', sshFingerprint: fingerprints } = flags
  if (user === undefined) {
    if (describesLogin(flags)) throw fail('USAGE_NEEDS_HOST_SSH', { missing: '--host-ssh USER' })
    return undefined
  }
  const credentials = await chooseCredentials(flags, user, port)
  const knownHosts = defaultKnownHosts(flags.sshKnownHosts)
  const isGiven = ({ fingerprint }: HostKeyQuestion) =>
    fingerprints?.some((given) => given.replace(/=+$/, '') === fingerprint) ?? false
  return (hosts, name, aside: Aside = (question) => question()) => {
    const askAboutHostKey = oneByOne(async (question) => isGiven(question) || aside(() => askPerson(question)))
    const connect = (target: SshTarget) =>
      connectSsh({ target, credentials, knownHosts, askAboutHostKey, timeoutMs: SSH_TIMEOUT_MS })
    return readHostStores(hosts, { user, port, root, connect, name: name === '' ? undefined : name })
  }
}

function describesLogin({ hostSshPort, hostRoot, sshKey, sshPasswordFile, sshFingerprint }: HostSshFlags): boolean {
  return [hostSshPort, hostRoot, sshKey, sshPasswordFile, sshFingerprint].some((flag) => flag !== undefined)
}

async function chooseCredentials(flags: HostSshFlags, user: string, port: number): Promise<readonly Credential[]> {
  const credentials = await readCredentials(flags)
  if (credentials.length > 0) {
    await checkCredentials(credentials)
    return credentials
  }
  const message = `Password of ${user} on the hosts of the pool`
  const password = isAtTerminal() ? await askSecret(message) : undefined
  if (password === undefined) throw needsLogin(`${user}@HOST${port === 22 ? '' : `:${port}`}`, true)
  return [{ kind: 'password', password }]
}

/** Hosts are connected to in parallel; questions are asked one at a time. */
function oneByOne(ask: AskAboutHostKey): AskAboutHostKey {
  let previous: Promise<unknown> = Promise.resolve()
  return (question: HostKeyQuestion) => {
    const asking = previous.then(() => ask(question))
    previous = asking.catch(() => {})
    return asking
  }
}

/** `isOfHosts`: of the hosts of a pool, not of an appliance. */
function needsLogin(target: string, isOfHosts = false): WlbError {
  const missing = '--ssh-key FILE, --ssh-password-file FILE, or SSH_AUTH_SOCK'
  return fail('USAGE_NEEDS_SSH_LOGIN', { target, missing, isOfHosts })
}
