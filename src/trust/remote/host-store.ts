/**
 * Reads the trust store of a pool's host from its disk over SSH, to compare it with the pool's database
 * (docs/trust-stores.md). One command, files of bounded size, nothing is changed.
 */

import { mapBounded } from '../../base/bounded.js'
import { WlbError } from '../../base/error.js'
import { quoteWord } from '../../base/text/quote-word.js'
import { renderSshTarget, runOrFail, type SshConnection, type SshTarget } from '../../ssh/index.js'
import type { HostFacts } from '../../xapi/index.js'
import { fail } from './errors.js'

export interface StoreFile {
  readonly name: string
  readonly bytes: Buffer
  /** When it was written, by the clock of this machine, to a second or so. */
  readonly changedMs: number
}

export interface HostStoreFacts {
  /** The installed certificates. */
  readonly certificates: readonly StoreFile[]
  /** When something was last added to their folder or taken out; undefined where there is none. */
  readonly certificatesChangedMs: number | undefined
  /** Undefined where there is none. */
  readonly bundle: Buffer | undefined
  /** Files of their own; links to them are `links`. */
  readonly crls: readonly StoreFile[]
  /** The host's clock, to the second. */
  readonly clockMs: number
  /** The addresses the appliance's name has there; empty where it has none, undefined where none was asked for. */
  readonly resolved: readonly string[] | undefined
  /** Symbolic links among certificates and CRLs: by those OpenSSL finds a CRL. */
  readonly links: readonly StoreLink[]
  /** Entries of another type than the file or folder expected there. */
  readonly odd: readonly OddEntry[]
}

export interface StoreLink {
  readonly folder: string
  readonly name: string
  readonly target: string
}

export interface OddEntry {
  /** Below `/etc/stunnel`. */
  readonly path: string
  /** As `stat` calls it: `directory`, `regular file`, `fifo`. */
  readonly what: string
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
 * @throws HOST_STORE_UNREADABLE when the answer is none, or this user may not read all of it; HOST_STORE_TOO_LARGE;
 * SSH_COMMAND_FAILED and what `run` throws.
 */
export async function readHostStore(
  ssh: SshConnection,
  { name, root = '' }: { readonly name?: string | undefined; readonly root?: string } = {},
): Promise<HostStoreFacts> {
  const answer = await runOrFail(ssh, storeCommand(root.replace(/\/$/, ''), name), { limitBytes: ANSWER_LIMIT })
  const nowMs = Date.now()
  const lines = readAnswer(ssh.target, answer.toString('utf8'))
  const of = (kind: string) => lines.filter((line) => line.kind === kind)
  const [closed] = of('closed')
  if (closed) throw unreadable(ssh.target, `${ssh.target.user} may not read /etc/stunnel/${closed.label}`)
  if (of('no store').length > 0) throw unreadable(ssh.target, `there is no ${root}/etc/stunnel`)
  const [crowded] = of('too many')
  if (crowded) throw tooLarge(ssh.target, crowded.label, FILES_LIMIT)

  const clockMs = secondsToMs(of('clock')[0]?.value)
  if (clockMs === undefined) throw unreadable(ssh.target, 'it does not say the time')
  const hereMs = (seconds: string) => (secondsToMs(seconds) ?? clockMs) - clockMs + nowMs
  const files = (kind: string) =>
    of(kind).map(({ label, value }): StoreFile => {
      const [changed = '', base64 = ''] = value.split(' ')
      return { name: label, bytes: decode(ssh.target, label, base64), changedMs: hereMs(changed) }
    })
  const folder = of('folder').find(({ label }) => label === 'certs')
  const addresses = of('address').flatMap(({ value }) => value.split('\n').filter((address) => address !== ''))
  return {
    certificates: files('certificates'),
    certificatesChangedMs: folder && hereMs(folder.value),
    bundle: files('bundle')[0]?.bytes,
    crls: files('crls'),
    clockMs,
    resolved: name === undefined ? undefined : [...new Set(addresses)],
    links: of('link').map(({ label, value }) => {
      const [inFolder = '', link = ''] = label.split('/')
      return { folder: inFolder, name: link, target: value }
    }),
    odd: of('odd').map(({ label, value }) => ({ path: label, what: value })),
  }
}

interface Line {
  readonly kind: string
  readonly label: string
  readonly value: string
}

const KINDS: ReadonlySet<string> = new Set([
  ...['clock', 'address', 'folder', 'link', 'bundle', 'certificates', 'crls', 'odd', 'closed', 'no store', 'too many'],
])

function readAnswer(target: SshTarget, text: string): readonly Line[] {
  const fields = text.split('\0')
  if (fields.at(-2) !== 'end') throw unreadable(target, 'the answer stops in the middle')
  return Array.from({ length: Math.floor((fields.length - 2) / 3) }, (_, index): Line => {
    const [kind = '', label = '', value = ''] = fields.slice(index * 3, index * 3 + 3)
    if (!KINDS.has(kind)) throw unreadable(target, `"${kind}" is nothing it should say`)
    return { kind, label, value }
  })
}

function secondsToMs(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) * 1000 : undefined
}

/** Triples of kind, name and value, each ended by a zero byte: names may hold anything else. Values of files are base64. */
function storeCommand(root: string, name: string | undefined): string {
  const store = quoteWord(`${root}/etc/stunnel`)
  const say = (kind: string, label: string, value: string) => `printf '${kind}\\0%s\\0%s\\0' "${label}" "${value}"`
  const content = `$(stat -c %Y "$f") $(head -c ${FILE_LIMIT + 1} "$f" | base64 | tr -d '\\n')`
  const each = (pattern: string, what: string) => `for f in ${store}/${pattern}; do ${what}; done`
  const when = (condition: string, what: string) => `if ${condition}; then ${what}; fi`
  const links = (folder: string) =>
    each(`${folder}/*`, when('[ -L "$f" ]', say('link', `${folder}/${NAME}`, '$(readlink "$f")')))
  const odd = (pattern: string, label: string, isAsItShould: string) =>
    each(
      pattern,
      when(`[ -e "$f" ] && ! [ -L "$f" ] && ! [ ${isAsItShould} "$f" ]`, say('odd', label, '$(stat -c %F "$f")')),
    )
  const closed = (pattern: string, label: string, condition: string) =>
    each(pattern, when(condition, say('closed', label, '')))
  const folder = (path: string) => [
    closed(path, path, '[ -d "$f" ] && ! { [ -r "$f" ] && [ -x "$f" ]; }'),
    odd(path, path, '-d'),
    each(path, when('[ -d "$f" ]', say('folder', path, '$(stat -c %Y "$f")'))),
  ]
  const files = (kind: string, pattern: string) => {
    const tooMany = when(`[ $n -gt ${FILES_LIMIT} ]`, `${say('too many', kind, '')}; break`)
    const isFile = '[ -f "$f" ] && [ -r "$f" ] && [ ! -L "$f" ]'
    return each(pattern, when(isFile, `n=$((n+1)); ${tooMany}; ${say(kind, NAME, content)}`))
  }
  const unread = '[ -f "$f" ] && ! [ -r "$f" ]'
  const bundle = 'xapi-stunnel-ca-bundle.pem'
  return [
    'export LC_ALL=C',
    'n=0',
    say('clock', '', '$(date +%s)'),
    ...(name === undefined ? [] : [say('address', '', `$(getent ahosts ${quoteWord(name)} | cut -d' ' -f1)`)]),
    when(`! [ -d ${store} ]`, say('no store', '', '')),
    closed('', '', '[ -d "$f" ] && ! { [ -r "$f" ] && [ -x "$f" ]; }'),
    ...['certs', 'crls'].flatMap(folder),
    ...['certs', 'crls'].map((path) => closed(`${path}/*`, `${path}/${NAME}`, unread)),
    ...['certs', 'crls'].map((path) => odd(`${path}/*`, `${path}/${NAME}`, '-f')),
    links('certs'),
    files('certificates', 'certs/*.pem'),
    closed(bundle, bundle, unread),
    odd(bundle, bundle, '-f'),
    files('bundle', bundle),
    links('crls'),
    files('crls', 'crls/*'),
    "printf 'end\\0'",
  ].join('; ')
}

function decode(target: SshTarget, name: string, base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length > FILE_LIMIT) throw tooLarge(target, name, FILE_LIMIT)
  return bytes
}

/** The result for one host. */
export type StoreSight =
  | { readonly state: 'seen'; readonly store: HostStoreFacts }
  /** `why` is a clause. */
  | { readonly state: 'not seen'; readonly why: string }

/** By the host's UUID: names may be given twice. */
export type StoreSights = ReadonlyMap<string, StoreSight>

export interface StoresQuestion {
  readonly user: string
  /** Undefined for what the user's SSH settings say, or the usual one. */
  readonly port: number | undefined
  /** Where a host's files lie, for hosts of a lab: `{name}` in it is the host's. Empty for real ones. */
  readonly root: string
  /** The appliance's, as `wlb_url` has it: what it resolves to there. */
  readonly name?: string
  /** `target` as it is typed. The connection is closed here. */
  readonly connect: (target: string) => Promise<SshConnection>
}

const AT_ONCE = 8

/**
 * The stores of all hosts of a pool, some hosts at a time. A host that cannot be read is `not seen`; only a defect of ours is
 * thrown. `connect` decides which host keys are accepted.
 */
export async function readHostStores(
  hosts: readonly Pick<HostFacts, 'uuid' | 'name' | 'address'>[],
  question: StoresQuestion,
): Promise<StoreSights> {
  const sights = await mapBounded(hosts, AT_ONCE, async ({ uuid, name, address }): Promise<[string, StoreSight]> => {
    if (address === '') return [uuid, { state: 'not seen', why: 'the pool has recorded no address of it' }]
    const target = hostTarget(address, question)
    const root = question.root.replaceAll('{name}', name)
    return [uuid, await look(target, root, question)]
  })
  return new Map(sights)
}

/** As it would be typed. */
export function hostTarget(address: string, { user, port }: Pick<StoresQuestion, 'user' | 'port'>): string {
  const place = `${user}@${address.includes(':') ? `[${address}]` : address}`
  return port === undefined ? place : `${place}:${port}`
}

async function look(target: string, root: string, { name, connect }: StoresQuestion): Promise<StoreSight> {
  try {
    const ssh = await connect(target)
    try {
      // in a lab all hosts are one machine, whose resolver is not theirs
      return { state: 'seen', store: await readHostStore(ssh, { root, name: root === '' ? name : undefined }) }
    } finally {
      ssh.close()
    }
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    return { state: 'not seen', why: describe(error) }
  }
}

/** The error as a clause, with the fact that explains it, such as the fingerprint of an unknown host key. */
function describe({ message, code, facts }: WlbError): string {
  const [detail] = ['seen', 'why', 'stderr'].flatMap((fact) => facts[fact] ?? [])
  const clause = message.replace(/\.$/, '')
  return `${clause.charAt(0).toLowerCase()}${clause.slice(1)}${detail === undefined ? '' : ` (${detail})`} [${code}]`
}

function unreadable(target: SshTarget, why: string): WlbError {
  return fail('HOST_STORE_UNREADABLE', { target: renderSshTarget(target), why })
}

function tooLarge(target: SshTarget, name: string, limit: number): WlbError {
  return fail('HOST_STORE_TOO_LARGE', { target: renderSshTarget(target), name, limit })
}
