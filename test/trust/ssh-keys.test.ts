/** Keys people have for SSH, and servers that do not take them: read, or named with a remedy that works. */
import { execFileSync, spawn } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { type Credential, connectSsh } from '../../src/ssh/index.js'
import { requirePart } from '../real-parts.js'
import { PASSPHRASE, requestTo, type Sshd, startSshd } from './sshd.js'

const program = requirePart('sshd')
const scratch = mkdtempSync(join(tmpdir(), 'openwlb-ssh-keys-'))
let sshd: Sshd
beforeAll(async () => {
  if (program !== undefined) sshd = await startSshd(program)
})
afterAll(async () => {
  rmSync(scratch, { recursive: true })
  await sshd?.stop()
})

async function tryTo(server: Sshd, credentials: readonly Credential[]): Promise<WlbError | string> {
  try {
    const connection = await connectSsh(requestTo(server, { credentials }))
    connection.close()
    return 'in'
  } catch (error) {
    if (error instanceof WlbError) return error
    throw error
  }
}

const codeOf = (outcome: WlbError | string) => (typeof outcome === 'string' ? outcome : outcome.code)

const MAKE: Record<string, () => KeyObject> = {
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ec: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  ed25519: () => generateKeyPairSync('ed25519').privateKey,
  x25519: () => generateKeyPairSync('x25519').privateKey,
}

describe.skipIf(!program)('sshd (needs openssh-server)', () => {
  const pkcs8: [type: string, isLocked: boolean, passphrase: string | undefined, outcome: string][] = [
    ['rsa', false, undefined, 'in'],
    ['ec', false, undefined, 'in'],
    ['ed25519', false, undefined, 'in'],
    ['ed25519', false, 'not needed', 'in'],
    ['rsa', true, PASSPHRASE, 'in'],
    ['ed25519', true, PASSPHRASE, 'in'],
    ['rsa', true, undefined, 'SSH_KEY_PASSPHRASE_NEEDED'],
    ['rsa', true, 'wrong', 'SSH_KEY_PASSPHRASE_WRONG'],
    ['x25519', false, undefined, 'SSH_KEY_UNREADABLE'],
  ]
  it.each(pkcs8)('PKCS#8, %s, encrypted: %s, passphrase %s: %s', async (type, isLocked, passphrase, outcome) => {
    const key = MAKE[type]?.()
    if (key === undefined) throw new Error(type)
    const file = join(scratch, 'pkcs8.pem')
    const locked = isLocked ? { cipher: 'aes-256-cbc', passphrase: PASSPHRASE } : {}
    writeFileSync(file, key.export({ type: 'pkcs8', format: 'pem', ...locked }), { mode: 0o600 })
    if (type !== 'x25519') appendFileSync(join(sshd.folder, 'authorized'), `${publicLine(key)}\n`)
    expect(codeOf(await tryTo(sshd, [{ kind: 'key', file, passphrase }]))).toBe(outcome)
  })

  it('PuTTY’s form 3: named, with the program that converts it', async () => {
    const file = join(scratch, "an operator's.ppk")
    writeFileSync(file, 'PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\n')
    expect(await tryTo(sshd, [{ kind: 'key', file }])).toMatchObject({
      code: 'SSH_KEY_OF_PUTTY',
      remedy: expect.stringMatching(/^puttygen '.*\.ppk' -O private-openssh-new -o '.*\.ppk'\.openssh$/),
    })
  })

  it('an agent with more keys than the server lets somebody try: --ssh-key', async () => {
    const socket = join(scratch, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(agent.stdout, 'data')
    for (let count = 0; count < 7; count++) {
      const file = join(scratch, `agent-${count}`)
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
      execFileSync('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
    }
    const outcome = await tryTo(sshd, [{ kind: 'agent', socket }])
    agent.kill()
    await once(agent, 'exit')
    expect(outcome).toMatchObject({ code: 'SSH_TOO_MANY_KEYS', facts: { missing: '--ssh-key' } })
    expect(outcome).toMatchObject({ remedy: expect.stringMatching(/^wlb trust fetch \S+@\S+:\d+ --ssh-key FILE$/) })
  })

  it('a server that has ssh-rsa only', async () => {
    const key = join(scratch, 'host_rsa')
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', key])
    const old = await startSshd(program ?? '', undefined, ['HostKeyAlgorithms ssh-rsa', `HostKey ${key}`])
    const outcome = await tryTo(old, [{ kind: 'key', file: old.key }])
    await old.stop()
    expect(outcome).toMatchObject({
      code: 'SSH_HOST_KEY_TYPE',
      facts: { accepted: expect.stringContaining('ssh-ed25519') },
      remedy: expect.stringContaining('HostKeyAlgorithms=+ssh-rsa'),
    })
  })

  const noise: [what: string, firstLines: () => string[], outcome: string][] = [
    ['ForceCommand', () => ['ForceCommand echo go away'], 'SSH_COMMAND_NOT_RUN'],
    [
      'ForceCommand that greets and runs what was asked',
      () => ['ForceCommand echo Welcome; echo beware >&2; sh -c "$SSH_ORIGINAL_COMMAND"; echo Bye'],
      'a\0b',
    ],
  ]
  it.each(noise)('%s: "%s"', async (_what, firstLines, outcome) => {
    const noisy = await startSshd(program ?? '', undefined, firstLines())
    const said = await connectSsh(requestTo(noisy)).then(async (connection) => {
      const answer = await connection.run("printf 'a\\0b'; exit 0").catch((error: unknown) => error)
      connection.close()
      return answer
    })
    await noisy.stop()
    expect(said).toMatchObject(outcome.startsWith('SSH_') ? { code: outcome } : { stdout: Buffer.from(outcome) })
  })
})

/** As `authorized_keys` has it. */
function publicLine(key: KeyObject): string {
  const file = join(scratch, 'public.pem')
  writeFileSync(file, createPublicKey(key).export({ type: 'spki', format: 'pem' }))
  if (key.asymmetricKeyType !== 'ed25519') {
    return execFileSync('ssh-keygen', ['-i', '-m', 'PKCS8', '-f', file], { encoding: 'utf8' }).trim()
  }
  const { x = '' } = key.export({ format: 'jwk' })
  const head = Buffer.from('0000000b7373682d6564323535313900000020', 'hex')
  return `ssh-ed25519 ${Buffer.concat([head, Buffer.from(x, 'base64url')]).toString('base64')}`
}
