/** External account binding (RFC 8555, 7.3.4): an authority that gives accounts only to those it knows. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { type AcmeSettings, paths } from '../../../src/config/index.js'
import { keepBindingKey, obtainCertificate, readBindingKey, readDirectoryOf } from '../../../src/identity/index.js'
import { requirePart } from '../../real-parts.js'
import { OWN_ADDRESS } from '../../run-folder.js'
import { HOSTNAME, setUpForTests } from '../../server/test-appliance.js'
import { type Pebble, startPebble } from './pebble.js'

const program = requirePart('pebble')
const now = () => new Date()
const PACE = { patienceMs: 20_000, pauseMs: 10 }

describe.skipIf(!program)('an authority that gives accounts only to those it knows', () => {
  const KID = 'kid-1'
  const KEY = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'
  const own = mkdtempSync(join(tmpdir(), 'openwlb-acme-bound-'))
  let pebble: Pebble
  let settings: AcmeSettings
  const obtain = (change: Partial<AcmeSettings>) =>
    obtainCertificate({ root: own, settings: { ...settings, ...change }, now, pace: PACE })

  beforeAll(async () => {
    await setUpForTests(own)
    pebble = await startPebble(program ?? '', {}, { [KID]: KEY })
    settings = {
      directory: pebble.directory,
      email: 'admin@example.com',
      names: [HOSTNAME],
      challenge: { type: 'http-01', address: OWN_ADDRESS, port: pebble.httpPort },
      directoryCa: pebble.directoryCa,
    }
    const { terms, wantsBinding } = await readDirectoryOf(settings)
    expect(wantsBinding).toBe(true)
    settings = { ...settings, agreedTerms: terms }
  })
  afterAll(async () => {
    await pebble?.stop()
    rmSync(own, { recursive: true, force: true })
  })

  test('bound to nobody: what to type', async () => {
    await expect(obtain({})).rejects.toMatchObject({
      code: 'ACME_BINDING_REQUIRED',
      remedy: 'wlb cert acme --eab-kid KID --eab-key-file FILE',
    })
  })
  const wrong: [what: string, kid: string, key: string][] = [
    ['an identifier it does not know', 'kid-2', KEY],
    ['another key', KID, KEY.replace('z', 'y')],
  ]
  it.each(wrong)('%s', async (_, eabKid, key) => {
    const eabKeyFile = await keepBindingKey(paths(own), settings.directory, key)
    await expect(obtain({ eabKid, eabKeyFile })).rejects.toMatchObject({
      code: 'ACME_ACCOUNT_REFUSED',
      facts: { eabKid },
    })
  })
  test('bound: the key that was given is kept for the appliance alone, and renewals need nothing else', async () => {
    const eabKeyFile = await keepBindingKey(paths(own), settings.directory, KEY)
    expect(statSync(eabKeyFile).mode & 0o777).toBe(0o600)
    expect((await obtain({ eabKid: KID, eabKeyFile })).origin).toBe('ordered')
    expect((await obtain({ eabKid: KID, eabKeyFile, names: [HOSTNAME, 'two.lab.internal'] })).origin).toBe('ordered')
    expect((await obtain({ names: [HOSTNAME, 'three.lab.internal'] })).origin).toBe('ordered')
  })
  const keys: [content: string, outcome: string][] = [
    [`${KEY}\n`, KEY],
    [`${KEY.slice(0, 30)}\r\n${KEY.slice(30)}\n`, KEY],
    ['', 'ACME_BINDING_KEY_UNUSABLE'],
    ['short', 'ACME_BINDING_KEY_UNUSABLE'],
    ['-----BEGIN PRIVATE KEY-----', 'ACME_BINDING_KEY_UNUSABLE'],
  ]
  it.each(keys)('the key in a file: %j', async (content, expected) => {
    const file = join(own, 'key')
    writeFileSync(file, content)
    expect(await readBindingKey(file).catch(({ code }) => code)).toBe(expected)
  })
})
