/** `wlb trust fetch` and `wlb trust install`, as a person types them, against a real sshd and a stunnel that serves. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { leafFor, type ManagedAppliance, makeAppliance, NAME } from '../trust/managed-appliance.js'
import { type Sshd, startSshd } from '../trust/sshd.js'
import { run } from './program.js'

const program = requirePart('sshd')
const stunnel = requirePart('stunnel')
const isComplete = program !== undefined && stunnel !== undefined

let sshd: Sshd
let appliance: ManagedAppliance
let folder: string
let place: string
beforeAll(async () => {
  if (!isComplete) return
  sshd = await startSshd(program)
  appliance = await makeAppliance(sshd.folder, stunnel)
  appliance.serve(await leafFor('old'))
  folder = join(sshd.folder, 'here')
  mkdirSync(folder)
  place = `${sshd.target.user}@${OWN_ADDRESS}:${sshd.target.port}`
})
afterAll(async () => {
  appliance?.stop()
  await sshd?.stop()
})

const wlb = (...args: string[]) => run('wlb', ['trust', ...args], { SSH_AUTH_SOCK: '' }, folder)
const ssh = (...args: string[]) => [
  ...['--ssh-key', sshd.key, '--ssh-known-hosts', join(folder, 'known_hosts')],
  ...['--appliance-root', appliance.root, '--appliance', `${OWN_ADDRESS}:${appliance.port}`],
  ...args,
]

describe.skipIf(!isComplete)('over SSH (needs openssh-server, stunnel4)', () => {
  test('a host not met before, and nobody to ask: exit 2, the fingerprint seen, and the flag to give', async () => {
    const { stdout, exitCode } = await wlb('fetch', place, ...ssh('--json'))
    expect([exitCode, existsSync(join(folder, 'wlb.pem')), existsSync(join(folder, 'known_hosts'))]).toEqual([
      2,
      false,
      false,
    ])
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'USAGE_NEEDS_SSH_FINGERPRINT',
      facts: { seen: `ssh-ed25519 ${sshd.fingerprint}`, missing: '--ssh-fingerprint' },
    })
  })

  test('the same bytes in wlb.pem here; both fingerprints shown, and they agree', async () => {
    const { stdout, exitCode } = await wlb('fetch', place, ...ssh('--ssh-fingerprint', sshd.fingerprint, '--json'))
    const served = await appliance.served()
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      0,
      {
        state: 'written',
        file: 'wlb.pem',
        fingerprintSha256: served,
        served: { fingerprintSha256: served },
        agreed: true,
      },
    ])
    expect(readFileSync(join(folder, 'wlb.pem'))).toEqual(readFileSync(appliance.place.certificate))
    expect(statSync(join(folder, 'wlb.pem')).mode & 0o777).toBe(0o644)
  })

  test('again: already so; where something else lies, only with --overwrite', async () => {
    expect((await wlb('fetch', place, ...ssh())).stdout).toContain('wlb.pem (already so)')
    writeFileSync(join(folder, 'other.pem'), 'mine')
    const refused = await wlb('fetch', place, 'other.pem', ...ssh())
    expect([refused.exitCode, readFileSync(join(folder, 'other.pem'), 'utf8')]).toEqual([1, 'mine'])
    expect(refused.stderr).toContain('FETCH_WOULD_OVERWRITE')
    expect((await wlb('fetch', place, 'other.pem', ...ssh('--overwrite'))).exitCode).toBe(0)
  })

  test('the file is new and the port serves the old one: both shown, exit 1', async () => {
    const before = readFileSync(appliance.place.certificate)
    writeFileSync(appliance.place.certificate, (await leafFor('new')).certificatePem)
    const { stdout, exitCode } = await wlb('fetch', place, 'new.pem', ...ssh())
    writeFileSync(appliance.place.certificate, before)
    expect(exitCode).toBe(1)
    expect(stdout).toContain(`ANOTHER one by ${OWN_ADDRESS}:${appliance.port}: ${await appliance.served()}`)
    expect(stdout).toContain((await leafFor('new')).certificate.fingerprint256)
    expect(stdout).toContain('killall stunnel; stunnel')
  })

  test('a private key in server.pem: refused, and nothing is written', async () => {
    const before = readFileSync(appliance.place.certificate)
    writeFileSync(appliance.place.certificate, `${before}${(await leafFor('old')).privateKeyPem}`)
    const { stdout, stderr, exitCode } = await wlb('fetch', place, 'key.pem', ...ssh())
    writeFileSync(appliance.place.certificate, before)
    expect([exitCode, existsSync(join(folder, 'key.pem'))]).toEqual([1, false])
    expect(stderr).toContain('PRIVATE_KEY_NOT_WANTED')
    expect(stdout + stderr).not.toContain('PRIVATE KEY-----')
  })

  const calls: [what: string, exit: number, says: string, words: () => string[]][] = [
    ['nothing to log in with', 2, 'USAGE_NEEDS_SSH_LOGIN', () => [place]],
    ['no place', 2, 'USAGE_ONE_SOURCE', () => []],
    [
      'a handshake, and nobody to compare',
      2,
      '--fingerprint',
      () => ['--from-tls', `${OWN_ADDRESS}:${appliance.port}`, 't.pem'],
    ],
    [
      'another fingerprint',
      1,
      'FINGERPRINT_MISMATCH',
      () => [...['--from-tls', `${OWN_ADDRESS}:${appliance.port}`, 't.pem', '--fingerprint', 'AB'.repeat(32)]],
    ],
  ]
  it.each(calls)('fetch: %s: exit %i, %s', async (_what, exit, says, words) => {
    const { stderr, exitCode } = await wlb('fetch', ...words())
    expect([exitCode, existsSync(join(folder, 't.pem'))]).toEqual([exit, false])
    expect(stderr).toContain(says)
  })

  test('from a handshake, by a fingerprint known beforehand', async () => {
    const known = (await appliance.served()).replaceAll(':', '').toLowerCase()
    const { exitCode } = await wlb(
      'fetch',
      '--from-tls',
      `${OWN_ADDRESS}:${appliance.port}`,
      't.pem',
      '--fingerprint',
      known,
    )
    expect(exitCode).toBe(0)
    expect(readFileSync(join(folder, 't.pem'), 'utf8').trim()).toBe((await leafFor('old')).certificatePem.trim())
  })

  test('a plan, a question, an installation that is proved', async () => {
    const { certificatePem, privateKeyPem, certificate } = await leafFor('new')
    writeFileSync(join(folder, 'signed.pem'), certificatePem)
    writeFileSync(join(folder, 'signed.key'), privateKeyPem, { mode: 0o600 })
    const words = ['install', place, 'signed.pem', '--key', 'signed.key', '--name', NAME]
    const all = [...words, ...ssh('--restart-command', appliance.reloadCommand)]
    const [planned, unanswered] = [await wlb(...all, '--dry-run', '--json'), await wlb(...all)]
    expect(JSON.parse(planned.stdout)).toMatchObject({ state: 'planned', steps: expect.arrayContaining([]) })
    expect([unanswered.exitCode, appliance.files()]).toEqual([2, ['server.key', 'server.pem']])
    const { stdout, exitCode } = await wlb(...all, '--yes', '--json')
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      0,
      { ok: true, state: 'installed', fingerprintSha256: certificate.fingerprint256 },
    ])
    expect(await appliance.served()).toBe(certificate.fingerprint256)
    expect(`${planned.stdout}${planned.stderr}${stdout}`).not.toContain('PRIVATE KEY')
  })
})
