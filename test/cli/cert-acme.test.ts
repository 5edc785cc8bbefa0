/** `wlb cert acme` as it is typed: refused before anything is sent, broken off, taken up again, in service, remembered. */

import { spawn } from 'node:child_process'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { chooseAcme, commandOf } from '../../src/cli/cert/acme/choices.js'
import type { AcmeFlags } from '../../src/cli/cert/commands.js'
import type { AcmeSettings } from '../../src/config/index.js'
import { type Pebble, startPebble } from '../identity/acme/pebble.js'
import { requirePart } from '../real-parts.js'
import { setUpForTests } from '../server/test-appliance.js'
import { makeFolder, removeFolder, run } from './program.js'

const HOST = 'wlb.lab.internal'
const HERE = 'https://acme.example.com/dir'
const given: AcmeFlags = { directory: HERE, email: 'a@example.com' }
const REMEMBERED: AcmeSettings = {
  directory: HERE,
  email: 'old@example.com',
  names: [HOST, 'wlb2.lab.internal'],
  challenge: { type: 'http-01', address: '127.0.0.1', port: 8080 },
  directoryCa: '/etc/ca.pem',
  agreedTerms: 'https://acme.example.com/terms',
}

/** `DIRECTORY EMAIL NAMES CHALLENGE CA TERMS`, or the code, what of it, and why. */
function choose(flags: AcmeFlags, remembered?: AcmeSettings): string {
  try {
    const { directory, email, names, challenge, directoryCa, agreedTerms } = chooseAcme(flags, HOST, remembered)
    const proof = challenge.type === 'http-01' ? `${challenge.address}:${challenge.port}` : challenge.hook
    return [directory, email, names.join('+'), proof, directoryCa ?? '-', agreedTerms ? 'agreed' : '-'].join(' ')
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    const { choice = error.facts.missing ?? '', why = '' } = error.facts
    return `${error.code} ${choice} ${why}`.trim()
  }
}

const choices: [what: string, flags: AcmeFlags, remembered: AcmeSettings | undefined, outcome: string][] = [
  ['the least', given, undefined, `${HERE} a@example.com ${HOST} 0.0.0.0:80 - -`],
  ['no directory', { email: 'a@example.com' }, undefined, 'ACME_CHOICE_MISSING --directory'],
  ['no e-mail', { directory: HERE }, undefined, 'ACME_CHOICE_MISSING --email'],
  [
    'all of it remembered',
    {},
    REMEMBERED,
    `${HERE} old@example.com ${HOST}+wlb2.lab.internal 127.0.0.1:8080 /etc/ca.pem agreed`,
  ],
  [
    'another port',
    { httpPort: 81 },
    REMEMBERED,
    `${HERE} old@example.com ${HOST}+wlb2.lab.internal 127.0.0.1:81 /etc/ca.pem agreed`,
  ],
  [
    'by DNS from now on',
    { dnsHook: '/bin/dns' },
    REMEMBERED,
    `${HERE} old@example.com ${HOST}+wlb2.lab.internal /bin/dns /etc/ca.pem agreed`,
  ],
  [
    'another authority: neither trust nor terms come along',
    { directory: 'https://b.example/dir' },
    REMEMBERED,
    `https://b.example/dir old@example.com ${HOST}+wlb2.lab.internal 127.0.0.1:8080 - -`,
  ],
  ['a name twice', { ...given, name: [HOST, HOST] }, undefined, `${HERE} a@example.com ${HOST} 0.0.0.0:80 - -`],
  [
    'without the host name',
    { ...given, name: ['wlb2.lab.internal'] },
    undefined,
    `ACME_CHOICE_INVALID names must be among them as ${HOST}, the host name of this appliance, which pools connect to`,
  ],
  [
    'a wildcard for it',
    { ...given, name: ['*.lab.internal'], dnsHook: '/bin/dns' },
    undefined,
    `${HERE} a@example.com *.lab.internal /bin/dns - -`,
  ],
  ['both proofs', { ...given, dnsHook: '/bin/dns', httpPort: 81 }, undefined, 'USAGE_ONE_CHALLENGE'],
  [
    'no TLS',
    { ...given, directory: 'http://acme.example.com' },
    undefined,
    'ACME_CHOICE_INVALID directory must be the https address of a directory, such as https://acme.example.com/directory',
  ],
  [
    'no host name',
    { ...given, name: [HOST, 'w_lb!'] },
    undefined,
    'ACME_CHOICE_INVALID names must be a full host name with dots, such as wlb.example.com',
  ],
  [
    'an underscore',
    { ...given, name: [HOST, 'w_lb.example.com'] },
    undefined,
    'ACME_CHOICE_INVALID names has an underscore, which no host name has (RFC 952): letters, digits and hyphens only',
  ],
  [
    'an address',
    { ...given, name: [HOST, '192.0.2.7'] },
    undefined,
    'ACME_CHOICE_INVALID names is an IP address: a pool compares names and never looks at the addresses in a certificate; connect it by name',
  ],
]
it.each(choices)('asked for: %s', (_, flags, remembered, outcome) => {
  expect(choose(flags, remembered)).toBe(outcome)
})

const bindings: [what: string, flags: AcmeFlags, remembered: Partial<AcmeSettings>, outcome: object][] = [
  ['given', { eabKid: 'k', eabKeyFile: '/k', profile: 'p' }, {}, { eabKid: 'k', eabKeyFile: '/k', profile: 'p' }],
  ['remembered', {}, { eabKid: 'k', eabKeyFile: '/k', profile: 'p' }, { eabKid: 'k', eabKeyFile: '/k', profile: 'p' }],
  [
    'of another authority',
    { directory: 'https://b.example/dir' },
    { eabKid: 'k', eabKeyFile: '/k', profile: 'p' },
    { eabKid: undefined, eabKeyFile: undefined, profile: undefined },
  ],
]
it.each(bindings)('binding and profile: %s', (_, flags, remembered, outcome) => {
  expect(chooseAcme(flags, HOST, { ...REMEMBERED, ...remembered })).toMatchObject(outcome)
})

test('what was typed can be typed again', () => {
  const flags = {
    ...given,
    name: [HOST],
    httpAddress: '127.0.0.1',
    httpPort: 81,
    directoryCa: 'a b.pem',
    profile: 'shortlived',
    eabKid: 'kid-1',
    eabKeyFile: 'key',
    agreeTos: true,
  }
  expect(commandOf(flags)).toBe(
    `wlb cert acme --directory ${HERE} --email a@example.com --name ${HOST} --http-address 127.0.0.1 --http-port 81 --directory-ca 'a b.pem' --profile shortlived --eab-kid kid-1 --eab-key-file key --agree-tos`,
  )
})

const program = requirePart('pebble')
describe.skipIf(!program)('with pebble', () => {
  const root = makeFolder()
  const certificate = join(root, 'etc/ssl/certs/server.pem')
  let pebble: Pebble
  let before: string
  let hook: string

  const typed = (...more: string[]) => [
    '--root',
    root,
    'cert',
    'acme',
    '--directory',
    pebble.directory,
    '--email',
    'admin@example.com',
    '--directory-ca',
    pebble.directoryCa,
    ...more,
  ]
  const acme = (...more: string[]) => run('wlb', typed(...more))
  const fingerprint = () => new X509Certificate(readFileSync(certificate)).fingerprint256
  const pending = (file: string) => {
    const folder = join(root, 'etc/openwlb/acme')
    const [name = ''] = readdirSync(folder).filter((one) => existsSync(join(folder, one, 'account.key')))
    return join(folder, name, file)
  }

  beforeAll(async () => {
    await setUpForTests(root)
    pebble = await startPebble(program ?? '')
    before = fingerprint()
    hook = join(root, 'slow-hook')
  })
  afterAll(async () => {
    await pebble?.stop()
    removeFolder(root)
  })

  test('a rehearsal reads the directory, prints the plan, and leaves nothing', async () => {
    const { stdout, exitCode } = await acme('--dns-hook', pebble.hook, '--dry-run', '--json')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'planned',
      acme: { names: [HOST] },
      terms: expect.stringContaining(':'),
    })
    expect(existsSync(join(root, 'etc/openwlb/acme'))).toBe(false)
  })

  test('nobody has agreed to the terms: nothing is ordered', async () => {
    const { stderr, exitCode } = await acme('--dns-hook', pebble.hook, '--yes')
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /\[ACME_TERMS_NOT_AGREED\][\s\S]*terms: \S+[\s\S]*try: wlb --root \S+ cert acme .*--agree-tos$/m,
    )
    expect(existsSync(join(root, 'etc/openwlb/acme'))).toBe(false)
  })

  let keyAtKill: string
  test('killed while the name is proved: the old pair stays, and the key waits for its owner alone', async () => {
    const started = join(root, 'started')
    writeFileSync(hook, `#!/bin/sh\necho $$ > ${started}.new; mv ${started}.new ${started}\nexec sleep 60\n`, {
      mode: 0o700,
    })
    const dist = join(import.meta.dirname, '../../dist/wlb.js')
    const child = spawn(process.execPath, [dist, ...typed('--dns-hook', hook, '--agree-tos', '--yes')], {
      stdio: 'ignore',
    })
    await expect.poll(() => existsSync(started), { timeout: 30_000 }).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'exit')
    process.kill(Number(readFileSync(started, 'utf8')), 'SIGKILL')
    keyAtKill = readFileSync(pending('pending.key'), 'utf8')
    expect(statSync(pending('pending.key')).mode & 0o777).toBe(0o600)
    expect(fingerprint()).toBe(before)
  })

  test('nobody to ask: what was issued waits, and the old pair stays', async () => {
    const { stderr, exitCode, stdout } = await acme('--dns-hook', pebble.hook, '--agree-tos')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('[USAGE_NEEDS_YES]')
    expect(stdout).toContain('Pools have to trust: CN=Pebble Root CA')
    expect(fingerprint()).toBe(before)
  })

  test('taken up again: nothing is ordered, the pair is in place, and what is next on the pool is said', async () => {
    const { stdout, exitCode } = await acme('--dns-hook', pebble.hook, '--agree-tos', '--yes')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('nothing was ordered')
    expect(stdout).toMatch(/A pool that verifies refuses it until it trusts the root, "CN=Pebble Root CA \w+":/)
    expect(stdout).toContain('xe pool-install-ca-certificate filename=root_ca.pem')
    const leaf = new X509Certificate(readFileSync(certificate))
    expect(leaf.publicKey.equals(createPublicKey(keyAtKill)), 'the key that waited').toBe(true)
    expect(existsSync(pending('pending.key'))).toBe(false)
  })

  test('again, with nothing but the command: already so; and status tells of the renewal', async () => {
    const { stdout, exitCode } = await run('wlb', ['--root', root, 'cert', 'acme', '--json'])
    expect([exitCode, JSON.parse(stdout).state]).toEqual([0, 'already so'])
    expect((await run('wlb', ['--root', root, 'status'])).stdout).toMatch(
      /renewal: +20\d\d-\S+ \(in \d+ days\), from https:/,
    )
  })
})
