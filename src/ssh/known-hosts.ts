/** Reads and writes lines of known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { NamedBytes } from '../x509/index.js'
import { hostPattern, type SshTarget } from './target.js'

export interface KnownKey {
  /** `ssh-ed25519`, `ssh-rsa`, ... */
  readonly type: string
  /** As it is sent. */
  readonly key: Buffer
  readonly isRevoked: boolean
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** The keys a host is known by, in the order of files and lines. Other lines are ignored, as OpenSSH does. */
export function findKnownKeys(
  files: readonly NamedBytes[],
  target: Pick<SshTarget, 'host' | 'port' | 'hostKeyAlias'>,
): KnownKey[] {
  const name = hostPattern(target).toLowerCase()
  return files.flatMap(({ file, bytes }) =>
    bytes
      .toString('utf8')
      .split('\n')
      .flatMap((text, index) => {
        const line = readLine(text)
        return line && isNamed(line.names, name) ? [{ ...line.known, file, line: index + 1 }] : []
      }),
  )
}

/** The line that makes a host known by a key, without its end. */
export function renderKnownHost(target: Pick<SshTarget, 'host' | 'port' | 'hostKeyAlias'>, key: Buffer): string {
  return `${hostPattern(target).toLowerCase()} ${keyType(key)} ${key.toString('base64')}`
}

/** As OpenSSH prints it: `SHA256:` and base64 without padding. */
export function hostKeyFingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The first string of a key in SSH's own encoding (RFC 4253, 6.6); empty when it is none. */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0
  return length > 0 && length <= 64 && 4 + length <= key.length ? key.toString('latin1', 4, 4 + length) : ''
}

interface Line {
  readonly names: string
  readonly known: Pick<KnownKey, 'type' | 'key' | 'isRevoked'>
}

/** Lines of certificate authorities are ignored: host certificates are not supported. */
function readLine(text: string): Line | undefined {
  const words = text.trim().split(/[ \t]+/)
  if (words[0]?.startsWith('#')) return undefined
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined
  if (marker !== undefined && marker !== '@revoked') return undefined
  const [names, type, base64] = words
  if (names === undefined || type === undefined || base64 === undefined) return undefined
  const key = Buffer.from(base64, 'base64')
  return keyType(key) === type ? { names, known: { type, key, isRevoked: marker !== undefined } } : undefined
}

function isNamed(names: string, name: string): boolean {
  if (names.startsWith('|1|')) return isHashOf(names, name)
  const patterns = names.toLowerCase().split(',')
  const isExcluded = patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1), name))
  return !isExcluded && patterns.some((pattern) => matches(pattern, name))
}

/** `|1|salt|HMAC-SHA1(salt, name)`, both in base64. */
function isHashOf(hashed: string, name: string): boolean {
  const [, , salt = '', hash = ''] = hashed.split('|')
  const expected = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
  const found = Buffer.from(hash, 'base64')
  return found.length === expected.length && timingSafeEqual(found, expected)
}

/** `*` is any text, `?` any character; matched without recursion, since a pattern of many stars may be hostile. */
function matches(pattern: string, name: string): boolean {
  let [at, star, resume] = [0, -1, 0]
  let index = 0
  while (index < name.length) {
    if (pattern[at] === '*') {
      star = at++
      resume = index
    } else if (pattern[at] === '?' || pattern[at] === name[index]) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else return false
  }
  return [...pattern.slice(at)].every((character) => character === '*')
}
