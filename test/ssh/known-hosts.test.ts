/** Whom to reach, and by which keys a host is known: OpenSSH's forms, read as OpenSSH reads them. */
import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { readHostAddress } from '../../src/base/names/host-address.js'
import { isKnownKey } from '../../src/ssh/host-key.js'
import { parseSshTarget } from '../../src/ssh/index.js'
import { findKnownKeys, hostKeyFingerprint, keyType, renderKnownHost } from '../../src/ssh/known-hosts.js'

function outcomeOf(work: () => string): string {
  try {
    return work()
  } catch (error) {
    return error instanceof WlbError ? error.code : String(error)
  }
}

const targets: [given: string, read: string][] = [
  ['wlb.example.com', '- wlb.example.com -'],
  ['admin@wlb:2222', 'admin wlb 2222'],
  ['root@wlb:22', 'root wlb 22'],
  ['192.0.2.7', '- 192.0.2.7 -'],
  ['root@[2001:db8::7]:2222', 'root 2001:db8::7 2222'],
  ['[2001:db8::7]', '- 2001:db8::7 -'],
  ['2001:db8::7', '- 2001:db8::7 -'],
  ['', 'USAGE_SSH_TARGET'],
  ['root@', 'USAGE_SSH_TARGET'],
  ['@wlb', 'USAGE_SSH_TARGET'],
  ['wlb:0', 'USAGE_SSH_TARGET'],
  ['wlb:65536', 'USAGE_SSH_TARGET'],
  ['wlb:ssh', 'USAGE_SSH_TARGET'],
  ['[wlb]:22', 'USAGE_SSH_TARGET'],
  ['a b', 'USAGE_SSH_TARGET'],
  ['root@-oProxyCommand=x', 'USAGE_SSH_TARGET'],
  ['-l@wlb', 'USAGE_SSH_TARGET'],
]
it.each(targets)('"%s" is %s', (given, read) => {
  const show = () => {
    const { user = '-', name, port = '-' } = parseSshTarget(given)
    return `${user} ${name} ${port}`
  }
  expect(outcomeOf(show)).toBe(read)
})

/** A key of a type, by a letter. */
function keyOf(letter: string, type = 'ssh-ed25519'): Buffer {
  const lengthOf = (bytes: Buffer) => Buffer.from([0, 0, 0, bytes.length])
  const [name, content] = [Buffer.from(type), Buffer.alloc(32, letter)]
  return Buffer.concat([lengthOf(name), name, lengthOf(content), content])
}
const written = (letter: string, type = 'ssh-ed25519') => `${type} ${keyOf(letter, type).toString('base64')}`
const hashed = (name: string) => {
  const salt = Buffer.from('12345678901234567890')
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

const A = written('a')
const files: [what: string, line: string, host: string, port: number, found: string][] = [
  ['a name', `wlb ${A}`, 'wlb', 22, 'known'],
  ['a name in capitals', `WLB ${A}`, 'wlb', 22, 'known'],
  ['a list of names', `x,wlb,y ${A}`, 'wlb', 22, 'known'],
  ['a comment behind', `wlb ${A} root@there`, 'wlb', 22, 'known'],
  ['blanks and a Windows line end', `  wlb\t${A}\r`, 'wlb', 22, 'known'],
  ['another name', `other ${A}`, 'wlb', 22, 'unknown'],
  ['a comment', `# wlb ${A}`, 'wlb', 22, 'unknown'],
  ['another port', `[wlb]:2222 ${A}`, 'wlb', 22, 'unknown'],
  ['that port', `[wlb]:2222 ${A}`, 'wlb', 2222, 'known'],
  ['the usual port only', `wlb ${A}`, 'wlb', 2222, 'unknown'],
  ['an IPv6 address', `2001:db8::7 ${A}`, '2001:db8::7', 22, 'known'],
  ['an IPv6 address and a port', `[2001:db8::7]:2222 ${A}`, '2001:db8::7', 2222, 'known'],
  ['a hashed name', `${hashed('wlb')} ${A}`, 'wlb', 22, 'known'],
  ['a hashed name and port', `${hashed('[wlb]:2222')} ${A}`, 'wlb', 2222, 'known'],
  ['another hashed name', `${hashed('other')} ${A}`, 'wlb', 22, 'unknown'],
  ['a hash cut off', `|1|abc ${A}`, 'wlb', 22, 'unknown'],
  ['a pattern', `*.example.com ${A}`, 'wlb.example.com', 22, 'known'],
  ['a pattern that leaves one out', `*.example.com,!wlb.* ${A}`, 'wlb.example.com', 22, 'unknown'],
  ['a question mark', `wl? ${A}`, 'wlb', 22, 'known'],
  ['many stars', `*a*a*a*a*a*a*a*a*a*b ${A}`, 'a'.repeat(200), 22, 'unknown'],
  ['another key', `wlb ${written('b')}`, 'wlb', 22, 'SSH_HOST_KEY_CHANGED'],
  ['a key of another kind', `wlb ${written('a', 'ssh-rsa')}`, 'wlb', 22, 'SSH_HOST_KEY_CHANGED'],
  ['this key among others', `wlb ${written('b')}\nwlb ${A}`, 'wlb', 22, 'known'],
  ['revoked', `@revoked wlb ${A}`, 'wlb', 22, 'SSH_HOST_KEY_REVOKED'],
  ['revoked and known', `wlb ${A}\n@revoked wlb ${A}`, 'wlb', 22, 'SSH_HOST_KEY_REVOKED'],
  ['another one revoked', `@revoked wlb ${written('b')}`, 'wlb', 22, 'unknown'],
  ['an authority of host certificates', `@cert-authority wlb ${A}`, 'wlb', 22, 'unknown'],
  ['a kind that is not the key’s', `wlb ssh-rsa ${A.split(' ')[1]}`, 'wlb', 22, 'unknown'],
  ['no base64', 'wlb ssh-ed25519 ====', 'wlb', 22, 'unknown'],
  ['half a line', 'wlb ssh-ed25519', 'wlb', 22, 'unknown'],
]
it.each(files)('%s', (_what, line, host, port, found) => {
  const target = { user: 'root', host: readHostAddress(host, 'a server'), port }
  const known = findKnownKeys([{ file: 'known_hosts', bytes: Buffer.from(`\n${line}\n`) }], target)
  expect(outcomeOf(() => (isKnownKey(target, keyOf('a'), known) ? 'known' : 'unknown'))).toBe(found)
})

it('a changed key is told with both fingerprints, file and line, and what takes it out', () => {
  const target = { user: 'root', host: readHostAddress('wlb', 'a server'), port: 2222 }
  const bytes = Buffer.from(`# mine\n[wlb]:2222 ${written('b', 'ssh-rsa')}\n[wlb]:2222 ${written('c')}\n`)
  const known = findKnownKeys([{ file: '/k h', bytes }], target)
  expect(() => isKnownKey(target, keyOf('a'), known)).toThrow(
    expect.objectContaining({
      code: 'SSH_HOST_KEY_CHANGED',
      facts: {
        host: '[wlb]:2222',
        seen: `ssh-ed25519 ${hostKeyFingerprint(keyOf('a'))}`,
        known: `ssh-ed25519 ${hostKeyFingerprint(keyOf('c'))}`,
        file: '/k h',
        line: 3,
      },
      remedy: "ssh-keygen -R '[wlb]:2222' -f '/k h'",
    }),
  )
})

it.each([
  ['wlb', 22],
  ['wlb', 2222],
  ['2001:db8::7', 22],
  ['2001:DB8::7', 2222],
] as const)('what is written for %s port %i is found again', (name, port) => {
  const host = readHostAddress(name, 'a server')
  const line = renderKnownHost({ host, port }, keyOf('a'))
  const [known] = findKnownKeys([{ file: 'f', bytes: Buffer.from(line) }], { host, port })
  expect(known).toMatchObject({ key: keyOf('a'), type: 'ssh-ed25519', line: 1 })
})

it.each([
  ['', ''],
  ['00000003616263', 'abc'],
  ['000000ff6162', ''],
  ['0000', ''],
])('the kind of %s is "%s"', (hex, type) => {
  expect(keyType(Buffer.from(hex, 'hex'))).toBe(type)
})
