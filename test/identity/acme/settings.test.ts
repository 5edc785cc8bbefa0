/** The `[acme]` section: what may stand in it, and that remembering it leaves the rest of the file alone. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import { type AcmeSettings, findAcmeFault, paths, readSettings } from '../../../src/config/index.js'
import { rememberAcme } from '../../../src/identity/acme/acme-files.js'
import { configureOnly } from '../../server/test-appliance.js'

const HTTP = { type: 'http-01', address: '0.0.0.0', port: 80 } as const
const DNS = { type: 'dns-01', hook: '/usr/local/sbin/dns' } as const
const GOOD: AcmeSettings = {
  directory: 'https://acme.example.com/directory',
  email: 'admin@example.com',
  names: ['wlb.example.com'],
  challenge: HTTP,
}

const faults: [what: string, change: Partial<AcmeSettings>, outcome: string][] = [
  ['nothing', {}, 'none'],
  [
    'a directory without TLS',
    { directory: 'http://acme.example.com/directory' },
    'directory must be the https address',
  ],
  ['a directory that is no address', { directory: 'letsencrypt' }, 'directory must be the https address'],
  [
    'a password in the directory',
    { directory: 'https://a:b@acme.example.com/' },
    'directory must be the https address',
  ],
  ['no e-mail address', { email: 'admin' }, 'email must be one address'],
  ['two e-mail addresses', { email: 'a@example.com,b@example.com' }, 'email must be one address'],
  ['no name', { names: [] }, 'names must be one name or more'],
  [
    'an IP address as a name',
    { names: ['wlb.example.com', '192.0.2.1'] },
    'names is an IP address: a pool compares names',
  ],
  ['an IPv6 address as a name', { names: ['2001:db8::1'] }, 'names is an IP address: a pool compares names'],
  ['a short name', { names: ['wlb'] }, 'names must be a full host name'],
  ['a name with a blank', { names: ['wlb example.com'] }, 'names is not a host name'],
  ['a name with an underscore', { names: ['w_lb.example.com'] }, 'names has an underscore, which no host name has'],
  ['a name with a dot at its end', { names: ['wlb.example.com.'] }, 'names ends in a dot'],
  [
    'a name in another script',
    { names: ['wlb.bücher.example'] },
    'names is wlb.xn--bcher-kva.example in certificates and in the DNS',
  ],
  ['a wildcard, proved by HTTP', { names: ['*.example.com'] }, 'names stands for many hosts'],
  ['a wildcard, proved by DNS', { names: ['*.example.com'], challenge: DNS }, 'none'],
  ['an address that is none', { challenge: { ...HTTP, address: 'eth0' } }, 'http_address must be an IP address'],
  ['port 0', { challenge: { ...HTTP, port: 0 } }, 'http_port must be a whole number'],
  [
    'a hook that depends on the folder',
    { challenge: { type: 'dns-01', hook: 'dns' } },
    'dns_hook must be the full path',
  ],
  ['a profile of two words', { profile: 'short lived' }, 'profile must be one word'],
  ['a key to bind with, and nobody it is of', { eabKeyFile: '/k' }, 'eab_kid must say whose key'],
  ['an identifier to bind with, and no key', { eabKid: 'k' }, 'eab_key_file must name the file'],
  [
    'a key to bind with that depends on the folder',
    { eabKid: 'k', eabKeyFile: 'k' },
    'eab_key_file must be the full path',
  ],
  ['both', { eabKid: 'k', eabKeyFile: '/k', profile: 'shortlived' }, 'none'],
  ['a trust file that depends on the folder', { directoryCa: 'ca.pem' }, 'directory_ca must be the full path'],
]
it.each(faults)('is found: %s', (_, change, outcome) => {
  const fault = findAcmeFault({ ...GOOD, ...change })
  expect(fault ? `${fault.choice} ${fault.why}` : 'none').toContain(outcome)
})

const root = mkdtempSync(join(tmpdir(), 'openwlb-acme-settings-'))
const place = paths(root)
beforeAll(async () => {
  await configureOnly(root)
  mkdirSync(place.stateFolder, { recursive: true })
})
afterAll(() => rmSync(root, { recursive: true }))

test('what is remembered is read again, and the rest of the file stays as people wrote it', async () => {
  const before = `# mine\n${readFileSync(place.settings, 'utf8')}`
  writeFileSync(place.settings, before)
  for (const acme of [
    GOOD,
    { ...GOOD, bringsAnchor: false },
    { ...GOOD, profile: 'shortlived', eabKid: 'kid-1', eabKeyFile: '/etc/eab.key' },
    { ...GOOD, challenge: DNS, agreedTerms: 'https://acme.example.com/terms' },
  ]) {
    await rememberAcme(place, acme)
    expect((await readSettings(place.settings)).acme).toEqual({
      directoryCa: undefined,
      agreedTerms: undefined,
      ...acme,
    })
    expect(readFileSync(place.settings, 'utf8').startsWith(before.trimEnd())).toBe(true)
    expect(statSync(place.settings).mode & 0o777).toBe(0o600)
  }
})

test('remembered twice, the file is not written again', async () => {
  await rememberAcme(place, GOOD)
  const { ino } = statSync(place.settings)
  await rememberAcme(place, GOOD)
  expect(statSync(place.settings).ino).toBe(ino)
})

test('a section written in another way is replaced too, and the other settings stay', async () => {
  const others = readFileSync(place.settings, 'utf8').split('\n[acme]')[0] ?? ''
  writeFileSync(
    place.settings,
    `acme = { directory = "${GOOD.directory}", email = "a@example.com", names = ["a.example.com"], challenge = "http-01" }\n${others}`,
  )
  const { acme: _, ...before } = await readSettings(place.settings)
  await rememberAcme(place, GOOD)
  const { acme, ...after } = await readSettings(place.settings)
  expect(after).toEqual(before)
  expect(acme?.email).toBe(GOOD.email)
})

const invalid: [line: string, why: string][] = [
  ['challenge = "tls-alpn-01"', 'acme.challenge'],
  ['challenge = "dns-01"', 'acme.dns_hook'],
  ['challenge = "http-01"\nhttp_port = 70000', 'acme.http_port'],
  ['challenge = "http-01"\nport = 80', 'acme.port'],
]
it.each(invalid)('in the file: %s', async (line, key) => {
  const folder = join(root, 'other')
  mkdirSync(folder, { recursive: true })
  await configureOnly(folder)
  const file = paths(folder).settings
  const section = `\n[acme]\ndirectory = "${GOOD.directory}"\nemail = "a@example.com"\nnames = ["a.example.com"]\n${line}\n`
  writeFileSync(file, `${readFileSync(file, 'utf8')}${section}`)
  await expect(readSettings(file)).rejects.toMatchObject({ code: 'SETTINGS_INVALID', facts: { key } })
})
