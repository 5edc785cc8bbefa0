/** Connects over SSH as the options say: to one machine, to appliances as they are needed, to the hosts of a pool. */

import { visibleLine } from '../../base/text/printable.js'
import type { InstallStep } from '../../identity/index.js'
import { type Credential, checkCredentials, type HostKeyQuestion, type SshConnection } from '../../ssh/index.js'
import { hostTarget, readHostStores, type SshReach, type StoreSights } from '../../trust/index.js'
import { fail } from '../errors.js'
import type { HostSshFlags, RestartFlags, SshFlags } from '../options.js'
import { askSecret, isAtTerminal, readSecretFile } from '../terminal/ask.js'
import { printNote } from '../terminal/print.js'
import {
  askPerson,
  closeJumps,
  findUsualCredentials,
  needsLogin,
  openRoute,
  type SharedJumps,
  type SshAccess,
} from './ssh-route.js'

const PROOF_SECONDS = 20

/**
 * Opens a connection to a target as it is typed, passes it to `work`, and always closes it.
 *
 * @throws what `openRoute` throws.
 */
export async function withSshConnection<T>(
  target: string,
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
  const connect = async (target: string): Promise<SshConnection> => {
    const before = connections.get(target)
    if (before && (await answers(before))) return before
    before?.close()
    connections.delete(target)
    const ssh = await open(target, flags)
    connections.set(target, ssh)
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

async function open(target: string, flags: SshFlags): Promise<SshConnection> {
  return openRoute(target, {
    given: await readCredentials(flags),
    knownHosts: flags.sshKnownHosts,
    fingerprint: flags.sshFingerprint,
    askAboutHostKey: askPerson,
    asksPassword: 'all',
  })
}

/** Credentials from the options. */
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
  return credentials
}

type HostToReach = Parameters<typeof readHostStores>[0][number]

/** `aside` runs a question while no progress is printed. */
export type ReadStores = (hosts: readonly HostToReach[], name: string, aside?: Aside) => Promise<StoreSights>

type Aside = <T>(question: () => Promise<T>) => Promise<T>

/**
 * Asks for a password once, for all hosts.
 *
 * @throws USAGE_NEEDS_HOST_SSH: a wrong call; what reading a key or a password from a file throws. What it returns throws
 * USAGE_NEEDS_SSH_LOGIN: which keys the settings name is known once the hosts are.
 */
export async function chooseReadStores(flags: HostSshFlags): Promise<ReadStores | undefined> {
  const { hostSsh: user, hostSshPort: port, hostRoot: root = '', sshFingerprint: fingerprints } = flags
  if (user === undefined) {
    if (describesLogin(flags)) throw fail('USAGE_NEEDS_HOST_SSH', { missing: '--host-ssh USER' })
    return undefined
  }
  const byOptions = await readCredentials(flags)
  await checkCredentials(byOptions)
  let chosen: Promise<readonly Credential[]> | undefined
  const isGiven = ({ fingerprint }: HostKeyQuestion) =>
    fingerprints?.some((one) => one.replace(/=+$/, '') === fingerprint) ?? false
  return async (hosts, name, aside: Aside = (question) => question()) => {
    chosen ??= byOptions.length > 0 ? Promise.resolve(byOptions) : chooseCredentials(hosts, user, port, aside)
    const given = await chosen
    const askAboutHostKey = oneByOne(
      async (question, onTheWayTo) => isGiven(question) || aside(() => askPerson(question, onTheWayTo)),
    )
    const access: SshAccess = { given, knownHosts: flags.sshKnownHosts, askAboutHostKey, asksPassword: 'jump hosts' }
    const jumps: SharedJumps = new Map()
    const connect = (target: string) => openRoute(target, access, jumps)
    try {
      return await readHostStores(hosts, { user, port, root, connect, name: name === '' ? undefined : name })
    } finally {
      await closeJumps(jumps)
    }
  }
}

function describesLogin({ hostSshPort, hostRoot, sshKey, sshPasswordFile, sshFingerprint }: HostSshFlags): boolean {
  return [hostSshPort, hostRoot, sshKey, sshPasswordFile, sshFingerprint].some((flag) => flag !== undefined)
}

/** None where there is an agent, or the settings name a key for one of the hosts: then each host is logged in to by them. */
async function chooseCredentials(
  hosts: readonly HostToReach[],
  user: string,
  port: number | undefined,
  aside: Aside,
): Promise<readonly Credential[]> {
  if (process.env.SSH_AUTH_SOCK) return []
  const locked: Credential[] = []
  for (const { address } of hosts) {
    if (address === '') continue
    const usual = await findUsualCredentials(hostTarget(address, { user, port }))
    if (usual.some(({ kind }) => kind !== 'locked key')) return []
    locked.push(...usual)
  }
  const message = `Password of ${user} on the hosts of the pool`
  const password = isAtTerminal() ? await aside(() => askSecret(message)) : undefined
  if (password === undefined) throw needsLogin(`${user}@HOST${port === undefined ? '' : `:${port}`}`, locked, true)
  return [{ kind: 'password', password }]
}

/** Hosts are connected to in parallel; questions are asked one at a time. */
function oneByOne(ask: SshAccess['askAboutHostKey']): SshAccess['askAboutHostKey'] {
  let previous: Promise<unknown> = Promise.resolve()
  return (question, onTheWayTo) => {
    const asking = previous.then(() => ask(question, onTheWayTo))
    previous = asking.catch(() => {})
    return asking
  }
}
