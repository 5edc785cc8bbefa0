/** From the options that say how to log in to the hosts of a pool to what lies on their disks. */
import { WlbError } from '../../base/error.js'
import {
  type AskAboutHostKey,
  type Credential,
  checkCredentials,
  connectSsh,
  defaultKnownHosts,
  type HostKeyQuestion,
  type SshTarget,
} from '../../ssh/index.js'
import { readHostStores, type StoreSights } from '../../trust/index.js'
import type { HostSshFlags } from '../options.js'
import { askAboutHostKey as askPerson, needsLogin, readCredentials, SSH_TIMEOUT_MS } from './open-ssh.js'

type HostToReach = Parameters<typeof readHostStores>[0][number]

/** `aside` puts a question to a person while nothing else is printed. */
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
    if (describesLogin(flags)) throw needsHostSsh()
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
    return readHostStores(hosts, { user, port, root, connect, ...(name !== '' && { name }) })
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
  if (!process.stdin.isTTY) throw needsLogin({ user, host: 'HOST', port })
  const { isCancel, password } = await import('@clack/prompts')
  const answer = await password({ message: `Password of ${user} on the hosts of the pool` })
  if (isCancel(answer)) throw needsLogin({ user, host: 'HOST', port })
  return [{ kind: 'password', password: answer }]
}

/** Two hosts are met at once, and a person reads one question at a time. */
function oneByOne(ask: AskAboutHostKey): AskAboutHostKey {
  let previous: Promise<unknown> = Promise.resolve()
  return (question: HostKeyQuestion) => {
    const asking = previous.then(() => ask(question))
    previous = asking.catch(() => {})
    return asking
  }
}

function needsHostSsh(): WlbError {
  return new WlbError(
    'USAGE_NEEDS_HOST_SSH',
    'The options of SSH say how to log in to hosts, and nobody said that hosts are to be logged in to.',
    { missing: '--host-ssh USER' },
    'wlb trust status --pool NAME --host-ssh root',
  )
}
