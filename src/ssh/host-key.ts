/**
 * Whether the key a host shows is the one it is known by. Known keys are in a file of our own and in OpenSSH's, which are only
 * read. A new key has to be confirmed by a person or a given fingerprint; a changed one is refused.
 */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { WlbError } from '../base/error.js'
import { ensureFolder, replaceFile } from '../base/files/durable-file.js'
import { homeFolder } from '../base/files/home-folder.js'
import type { NamedBytes } from '../x509/index.js'
import { configFolder } from '../xapi/index.js'
import { fail } from './errors.js'
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

/** Resolves to true when the person has compared the fingerprint and accepts it. */
export type AskAboutHostKey = (question: HostKeyQuestion) => Promise<boolean>

/** `users` are the files of the user's SSH settings. */
export function defaultKnownHosts(
  own = join(configFolder(), 'known_hosts'),
  users: readonly string[] = [join(homeFolder(), '.ssh/known_hosts')],
): KnownHosts {
  return { own, others: [...users, '/etc/ssh/ssh_known_hosts'] }
}

/** @throws SSH_KNOWN_HOSTS_UNREADABLE */
export async function readKnownKeys({ own, others }: KnownHosts, target: SshTarget): Promise<KnownKey[]> {
  const files: NamedBytes[] = []
  for (const file of [own, ...others]) files.push({ file, bytes: await readIfThere(file) })
  return findKnownKeys(files, target)
}

/**
 * Whether the host is known by this key; false when it is not known at all.
 *
 * @throws SSH_HOST_KEY_CHANGED when it is known by others only, SSH_HOST_KEY_REVOKED when this one is marked so.
 */
export function isKnownKey(target: SshTarget, shown: Buffer, known: readonly KnownKey[]): boolean {
  const same = known.filter(({ key }) => key.equals(shown))
  const revoked = same.find(({ isRevoked }) => isRevoked)
  if (revoked) {
    const { file, line, key } = revoked
    throw fail('SSH_HOST_KEY_REVOKED', {
      host: hostPattern(target),
      alias: target.alias,
      seen: hostKeyFingerprint(key),
      file,
      line,
    })
  }
  if (same.length > 0) return true
  const valid = known.filter(({ isRevoked }) => !isRevoked)
  // of the same type, where there is one: that is the line to correct
  const before = valid.find(({ type }) => type === keyType(shown)) ?? valid[0]
  if (before) {
    const { file, line, key } = before
    const [seen, known] = [shown, key].map((one) => `${keyType(one)} ${hostKeyFingerprint(one)}`)
    throw fail('SSH_HOST_KEY_CHANGED', {
      host: hostPattern(target),
      alias: target.alias,
      seen: seen ?? '',
      known: known ?? '',
      file,
      line,
    })
  }
  return false
}

/**
 * Decides about an unknown host by the given fingerprint, or else by asking. An accepted key is stored.
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
    if (!(await ask(question))) {
      const seen = `${question.type} ${question.fingerprint}`
      throw fail('SSH_HOST_KEY_DECLINED', { host: hostPattern(target), alias: target.alias, seen })
    }
  } else checkGivenFingerprint(target, shown, fingerprint)
  await remember(knownHosts.own, renderKnownHost(target, shown))
}

/** @throws SSH_FINGERPRINT_MISMATCH when the host shows another key than the one that was given. */
export function checkGivenFingerprint(target: SshTarget, shown: Buffer, given: string): void {
  const seen = hostKeyFingerprint(shown)
  if (seen !== given.replace(/=+$/, '')) {
    throw fail('SSH_FINGERPRINT_MISMATCH', { host: hostPattern(target), alias: target.alias, given, seen })
  }
}

/** One line at a time, so that of two hosts added at once neither is lost. */
function remember(file: string, line: string): Promise<void> {
  const adding = previousLine.then(() => addLine(file, line))
  previousLine = adding.catch(() => {})
  return adding
}

let previousLine: Promise<void> = Promise.resolve()

/** The file is replaced at once: of two programs that add at the same time one line may be lost and is asked about again. */
async function addLine(file: string, line: string): Promise<void> {
  try {
    await ensureFolder(dirname(file), 0o700)
    const before = (await readIfThere(file)).toString('utf8')
    if (before.split('\n').includes(line)) return
    const ended = before === '' || before.endsWith('\n') ? before : `${before}\n`
    await replaceFile(file, `${ended}${line}\n`, 0o600)
  } catch (error) {
    throw error instanceof WlbError ? error : fail('SSH_KNOWN_HOSTS_UNWRITABLE', { file, why: whyOf(error) }, error)
  }
}

async function readIfThere(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw fail('SSH_KNOWN_HOSTS_UNREADABLE', { file, why: whyOf(error) }, error)
  }
}

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
