/**
 * Whether the key a host shows is the one it is known by. What is known stands in a file of our own and in OpenSSH's, which
 * is only read. Nobody is trusted without a word: a key that is new is asked about, one that changed is refused.
 */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { ensureFolder, replaceFile } from '../base/durable-file.js'
import { WlbError } from '../base/error.js'
import { quoteWord } from '../base/quote-word.js'
import type { NamedBytes } from '../x509/index.js'
import { configFolder } from '../xapi/pool/known-pools.js'
import { findKnownKeys, hostKeyFingerprint, type KnownKey, keyType, renderKnownHost } from './known-hosts.js'
import { hostPattern, type SshTarget } from './target.js'

export interface KnownHosts {
  /** New keys are added here. */
  readonly own: string
  /** Only read; they may be missing. */
  readonly others: readonly string[]
}

export interface HostKeyQuestion {
  readonly target: SshTarget
  readonly type: string
  readonly fingerprint: string
}

/** True when the person asked has compared it and says yes. */
export type AskAboutHostKey = (question: HostKeyQuestion) => Promise<boolean>

export function defaultKnownHosts(own = join(configFolder(), 'known_hosts')): KnownHosts {
  return { own, others: [join(homedir(), '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'] }
}

/** @throws SSH_KNOWN_HOSTS_UNREADABLE */
export async function readKnownKeys({ own, others }: KnownHosts, target: SshTarget): Promise<KnownKey[]> {
  const files: NamedBytes[] = []
  for (const file of [own, ...others]) files.push({ file, bytes: await readIfThere(file) })
  return findKnownKeys(files, target)
}

/**
 * Tells whether the host is known by this very key; false when it is not known at all.
 *
 * @throws SSH_HOST_KEY_CHANGED when it is known by others only, SSH_HOST_KEY_REVOKED when this one is marked so.
 */
export function isKnownKey(target: SshTarget, shown: Buffer, known: readonly KnownKey[]): boolean {
  const same = known.filter(({ key }) => key.equals(shown))
  const revoked = same.find(({ isRevoked }) => isRevoked)
  if (revoked) throw hostKeyRevoked(target, revoked)
  if (same.length > 0) return true
  const valid = known.filter(({ isRevoked }) => !isRevoked)
  // of the same kind, where there is one: that is the line to look at
  const before = valid.find(({ type }) => type === keyType(shown)) ?? valid[0]
  if (before) throw hostKeyChanged(target, shown, before)
  return false
}

/**
 * Decides about a host that is not known: by the fingerprint that was given, else by asking. A yes is written down.
 *
 * @throws SSH_FINGERPRINT_MISMATCH when another one was given, SSH_HOST_KEY_DECLINED when the answer is no.
 */
export async function meetHost(
  shown: Buffer,
  {
    target,
    knownHosts,
    fingerprint,
    ask,
  }: {
    readonly target: SshTarget
    readonly knownHosts: KnownHosts
    readonly fingerprint: string | undefined
    readonly ask: AskAboutHostKey
  },
): Promise<void> {
  if (fingerprint === undefined) {
    const question = { target, type: keyType(shown), fingerprint: hostKeyFingerprint(shown) }
    if (!(await ask(question))) throw hostKeyDeclined(question)
  } else checkGivenFingerprint(target, shown, fingerprint)
  await remember(knownHosts.own, renderKnownHost(target, shown))
}

/** @throws SSH_FINGERPRINT_MISMATCH when the host shows another key than the one that was given. */
export function checkGivenFingerprint(target: SshTarget, shown: Buffer, given: string): void {
  const seen = hostKeyFingerprint(shown)
  if (seen !== given.replace(/=+$/, '')) throw fingerprintMismatch(target, given, seen)
}

/** One line at a time: of two hosts that are met at once neither may be forgotten. */
function remember(file: string, line: string): Promise<void> {
  const adding = previousLine.then(() => addLine(file, line))
  previousLine = adding.catch(() => {})
  return adding
}

let previousLine: Promise<void> = Promise.resolve()

/** In one step: two programs that add at once lose one line, which is asked about again, and never a half one. */
async function addLine(file: string, line: string): Promise<void> {
  try {
    await ensureFolder(dirname(file), 0o700)
    const before = (await readIfThere(file)).toString('utf8')
    if (before.split('\n').includes(line)) return
    const ended = before === '' || before.endsWith('\n') ? before : `${before}\n`
    await replaceFile(file, `${ended}${line}\n`, 0o600)
  } catch (error) {
    throw error instanceof WlbError ? error : knownHostsUnwritable(file, error)
  }
}

async function readIfThere(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw knownHostsUnreadable(file, error)
  }
}

function hostKeyChanged(target: SshTarget, shown: Buffer, { file, line, key }: KnownKey): WlbError {
  const pattern = hostPattern(target)
  return new WlbError(
    'SSH_HOST_KEY_CHANGED',
    'The host shows another key than the one it is known by: it was set up anew, or somebody else answers.',
    {
      host: pattern,
      seen: `${keyType(shown)} ${hostKeyFingerprint(shown)}`,
      known: `${keyType(key)} ${hostKeyFingerprint(key)}`,
      file,
      line,
    },
    `ssh-keygen -R ${quoteWord(pattern)} -f ${quoteWord(file)}`,
  )
}

function hostKeyRevoked(target: SshTarget, { file, line, key }: KnownKey): WlbError {
  return new WlbError(
    'SSH_HOST_KEY_REVOKED',
    'The key the host shows is marked as revoked.',
    { host: hostPattern(target), seen: hostKeyFingerprint(key), file, line },
    `sed -n ${line}p ${quoteWord(file)}`,
  )
}

function hostKeyDeclined({ target, type, fingerprint }: HostKeyQuestion): WlbError {
  return new WlbError(
    'SSH_HOST_KEY_DECLINED',
    'The host is not known, and its key was not accepted; nothing was sent.',
    { host: hostPattern(target), seen: `${type} ${fingerprint}` },
    'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, on the host itself',
  )
}

function fingerprintMismatch(target: SshTarget, given: string, seen: string): WlbError {
  return new WlbError(
    'SSH_FINGERPRINT_MISMATCH',
    'The host shows another key than the one whose fingerprint was given.',
    { host: hostPattern(target), given, seen },
    'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, on the host itself',
  )
}

function knownHostsUnreadable(file: string, cause: unknown): WlbError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new WlbError(
    'SSH_KNOWN_HOSTS_UNREADABLE',
    'The file of known hosts cannot be read.',
    { file, why },
    `ls -l ${quoteWord(file)}`,
    cause,
  )
}

function knownHostsUnwritable(file: string, cause: unknown): WlbError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new WlbError(
    'SSH_KNOWN_HOSTS_UNWRITABLE',
    'The host cannot be written into the file of known hosts, so it is not connected to.',
    { file, why },
    `ls -ld ${quoteWord(dirname(file))}`,
    cause,
  )
}
