/** From the options that say how to reach a machine over SSH to a connection with it. */
import { WlbError } from '../../base/error.js'
import type { InstallStep } from '../../identity/index.js'
import {
  type Credential,
  connectSsh,
  defaultKnownHosts,
  type HostKeyQuestion,
  renderSshTarget,
  type SshConnection,
  type SshRequest,
  type SshTarget,
} from '../../ssh/index.js'
import type { SshReach } from '../../trust/index.js'
import type { RestartFlags, SshFlags } from '../options.js'
import { readSecretFile } from '../secret-file.js'

export const SSH_TIMEOUT_MS = 15_000
const PROOF_SECONDS = 20

/**
 * Opens it, hands it to `work`, closes it whatever happens.
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
 * For appliances that are known only later, from a journal, or perhaps never. There is one connection a machine, made anew
 * where it was lost; all are closed in the end.
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
  const onStep = ({ what }: InstallStep) => void process.stderr.write(`${what} ...\n`)
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
    ...(flags.sshFingerprint !== undefined && { hostFingerprint: flags.sshFingerprint }),
    askAboutHostKey,
    credentials,
    timeoutMs: SSH_TIMEOUT_MS,
  }
  const isChosen = credentials.some(({ kind }) => kind !== 'agent')
  if (credentials.length === 0 && !process.stdin.isTTY) throw needsLogin(target)
  try {
    // without anything to log in with, the host is looked at first, and then the password is asked for
    return await connectSsh(request)
  } catch (error) {
    const mayAsk = error instanceof WlbError && error.code === 'SSH_AUTH_FAILED' && !isChosen && process.stdin.isTTY
    if (!mayAsk) throw error
    const { isCancel, password } = await import('@clack/prompts')
    const answer = await password({ message: `Password of ${renderSshTarget(target)}` })
    if (isCancel(answer)) throw error
    return connectSsh({ ...request, credentials: [{ kind: 'password', password: answer }] })
  }
}

/** What was named; the agent only where nothing was. */
export async function readCredentials({
  sshKey,
  sshPassphraseFile,
  sshPasswordFile,
}: Omit<SshFlags, 'sshFingerprint'>): Promise<Credential[]> {
  const credentials: Credential[] = []
  if (sshKey !== undefined) {
    const passphrase = sshPassphraseFile === undefined ? undefined : await readSecretFile(sshPassphraseFile)
    credentials.push({ kind: 'key', file: sshKey, ...(passphrase !== undefined && { passphrase }) })
  }
  if (sshPasswordFile !== undefined) {
    credentials.push({ kind: 'password', password: await readSecretFile(sshPasswordFile) })
  }
  const { SSH_AUTH_SOCK: socket } = process.env
  return credentials.length === 0 && socket ? [{ kind: 'agent', socket }] : credentials
}

export async function askAboutHostKey(question: HostKeyQuestion): Promise<boolean> {
  if (!process.stdin.isTTY) throw needsFingerprint(question)
  const { target, type, fingerprint } = question
  process.stderr.write(
    `${target.host} was not met before. It shows a key (${type}) with the fingerprint\n  ${fingerprint}\n` +
      'On its console:  for k in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $k; done\n',
  )
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message: 'Is it the same there?', initialValue: false })) === true
}

export function needsLogin(target: Pick<SshTarget, 'user' | 'host' | 'port'>): WlbError {
  return new WlbError(
    'USAGE_NEEDS_SSH_LOGIN',
    'There is nothing to log in with, and nobody to ask for a password.',
    { target: renderSshTarget(target), missing: '--ssh-key FILE, --ssh-password-file FILE, or SSH_AUTH_SOCK' },
    'wlb trust fetch USER@HOST --ssh-key FILE',
  )
}

function needsFingerprint({ target, type, fingerprint }: HostKeyQuestion): WlbError {
  return new WlbError(
    'USAGE_NEEDS_SSH_FINGERPRINT',
    'This host was not met before, and there is nobody to compare the fingerprint of its key.',
    { host: target.host, port: target.port, seen: `${type} ${fingerprint}`, missing: '--ssh-fingerprint' },
    `wlb trust fetch ${renderSshTarget(target)} --ssh-fingerprint ${fingerprint}`,
  )
}
