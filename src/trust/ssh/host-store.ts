/**
 * What a host of the pool keeps to decide trust, read on its disk: the second witness beside what the pool's database says
 * (docs/trust-stores.md). One command, files of bounded size, nothing changed.
 */
import { quoteWord } from '../../appliance/quote-word.js'
import { WlbError } from '../../error.js'
import type { SshConnection } from './connection.js'
import { runOrFail } from './run-command.js'
import { renderSshTarget, type SshTarget } from './target.js'

interface StoreFile {
  readonly name: string
  readonly bytes: Buffer
}

export interface HostStoreFacts {
  /** The installed certificates. */
  readonly certificates: readonly StoreFile[]
  /** Undefined where there is none. */
  readonly bundle: Buffer | undefined
  /** Files of their own; links to them are `linked`. */
  readonly crls: readonly StoreFile[]
  /** The host's clock, to the second. */
  readonly clockMs: number
  /** The addresses the appliance's name has there; empty where it has none, or none was asked for. */
  readonly resolved: readonly string[]
  /** The names of symbolic links among certificates and CRLs: by those OpenSSL finds a CRL. */
  readonly linked: readonly string[]
}

/** The last part of `$f`, as the shell takes it. */
const NAME = `\${f##*/}`
const FILE_LIMIT = 1024 * 1024
const FILES_LIMIT = 2_000
const ANSWER_LIMIT = 32 * 1024 * 1024

/**
 * Reads the store of the host at the other end. `name` is the appliance's, as `wlb_url` has it; `root` is where the host's
 * files lie, for hosts of a lab.
 *
 * @throws HOST_STORE_UNREADABLE when the answer is none, HOST_STORE_TOO_LARGE; SSH_COMMAND_FAILED and what `run` throws.
 */
export async function readHostStore(
  ssh: SshConnection,
  { name, root = '' }: { readonly name?: string; readonly root?: string } = {},
): Promise<HostStoreFacts> {
  const answer = await runOrFail(ssh, storeCommand(root.replace(/\/$/, ''), name), { limitBytes: ANSWER_LIMIT })
  const fields = answer.toString('utf8').split('\0')
  if (fields.at(-2) !== 'end') throw unreadable(ssh.target, 'the answer stops in the middle')
  const facts = { certificates: [] as StoreFile[], crls: [] as StoreFile[] }
  const linked: string[] = []
  const resolved: string[] = []
  let bundle: Buffer | undefined
  let clockMs: number | undefined
  for (let index = 0; index + 2 < fields.length; index += 3) {
    const [kind, label = '', value = ''] = fields.slice(index, index + 3)
    if (kind === 'clock') clockMs = /^\d+$/.test(value) ? Number(value) * 1000 : undefined
    else if (kind === 'address') resolved.push(...value.split('\n').filter((address) => address !== ''))
    else if (kind === 'link') linked.push(label)
    else if (kind === 'bundle') bundle = decode(ssh.target, label, value)
    else if (kind === 'certificates' || kind === 'crls') {
      facts[kind].push({ name: label, bytes: decode(ssh.target, label, value) })
    } else if (kind === 'too many') throw tooLarge(ssh.target, label, FILES_LIMIT)
    else if (kind !== 'end') throw unreadable(ssh.target, `"${kind}" is nothing it should say`)
  }
  if (clockMs === undefined) throw unreadable(ssh.target, 'it does not say the time')
  return { ...facts, bundle, clockMs, resolved: [...new Set(resolved)], linked }
}

/** Triples of kind, name and value, each ended by a zero byte: names may hold anything else. Values of files are base64. */
function storeCommand(root: string, name: string | undefined): string {
  const store = quoteWord(`${root}/etc/stunnel`)
  const say = (kind: string, label: string, value: string) => `printf '${kind}\\0%s\\0%s\\0' "${label}" "${value}"`
  const content = `$(head -c ${FILE_LIMIT + 1} "$f" | base64 | tr -d '\\n')`
  const each = (pattern: string, what: string) => `for f in ${store}/${pattern}; do ${what}; done`
  const links = (pattern: string) => each(pattern, `if [ -L "$f" ]; then ${say('link', NAME, '')}; fi`)
  const files = (kind: string, pattern: string) => {
    const tooMany = `if [ $n -gt ${FILES_LIMIT} ]; then ${say('too many', kind, '')}; break; fi`
    const isFile = '[ -f "$f" ] && [ ! -L "$f" ]'
    return each(pattern, `if ${isFile}; then n=$((n+1)); ${tooMany}; ${say(kind, NAME, content)}; fi`)
  }
  return [
    'n=0',
    say('clock', '', '$(date +%s)'),
    ...(name === undefined ? [] : [say('address', '', `$(getent ahosts ${quoteWord(name)} | cut -d' ' -f1)`)]),
    links('certs/*'),
    files('certificates', 'certs/*.pem'),
    `f=${store}/xapi-stunnel-ca-bundle.pem; if [ -f "$f" ]; then ${say('bundle', NAME, content)}; fi`,
    links('crls/*'),
    files('crls', 'crls/*'),
    "printf 'end\\0'",
  ].join('; ')
}

function decode(target: SshTarget, name: string, base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length > FILE_LIMIT) throw tooLarge(target, name, FILE_LIMIT)
  return bytes
}

function unreadable(target: SshTarget, why: string): WlbError {
  return new WlbError(
    'HOST_STORE_UNREADABLE',
    'The host did not answer as asked when its trust store was read.',
    { target: renderSshTarget(target), why },
    `ssh -p ${target.port} ${quoteWord(`${target.user}@${target.host}`)} ls -l /etc/stunnel/certs /etc/stunnel/crls`,
  )
}

function tooLarge(target: SshTarget, name: string, limit: number): WlbError {
  return new WlbError(
    'HOST_STORE_TOO_LARGE',
    'The trust store of the host holds more than such a store can.',
    { target: renderSshTarget(target), name, limit },
    `ssh -p ${target.port} ${quoteWord(`${target.user}@${target.host}`)} du -ab /etc/stunnel`,
  )
}
