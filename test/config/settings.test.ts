/** The settings file: what may stand in it, and errors that name the file and the key. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Choices, checkChoice, readSettings, writeSettings } from '../../src/config/settings.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-settings-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'openwlb.toml')

const HASH = `scrypt$32768$8$1$${'A'.repeat(22)}==$${'A'.repeat(43)}=`
const GOOD = `hostname = "wlb.example.com"\naddress = "::"\nport = 8012\n[account]\nusername = "wlbuser"\npassword_hash = "${HASH}"\n`
const watch = (line: string) => `${GOOD}[watch]\n${line}\n`
const front = (reload: string) => `[front]\nreload = ${reload}\naddress = "::1"\nport = 8012\n`

test('what is written is read, and the file is its owner’s alone', async () => {
  const settings = {
    hostname: 'wlb.example.com',
    address: '0.0.0.0',
    port: 8012,
    userName: 'wlb "user" ü',
    passwordHash: HASH,
    databaseUrl: 'postgres://wlb:geheim@db.example.com/wlb',
    front: { reload: ['systemctl', 'reload', 'stunnel4'], address: '192.0.2.7', port: 8012 },
    watch: {
      everySeconds: 600,
      webhook: 'https://chat.example.com/hooks/1',
      mailTo: 'a@example.com',
      smtp: '[::1]:25',
    },
  }
  await writeSettings(file, settings)
  expect(await readSettings(file)).toEqual(settings)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const least = { ...settings, databaseUrl: undefined, front: undefined, watch: { everySeconds: 3600 } }
  await writeSettings(file, least)
  expect(await readSettings(file)).toEqual(least)
})

const mistakes: [what: string, text: string, facts: object][] = [
  ['no TOML', 'hostname = wlb', { line: 1 }],
  ['empty', '', { key: 'hostname' }],
  ['a short host name', GOOD.replace('wlb.example.com', 'wlb'), { key: 'hostname' }],
  ['an address that is a name', GOOD.replace('"::"', '"localhost"'), { key: 'address' }],
  ['a port in quotes', GOOD.replace('8012', '"8012"'), { key: 'port' }],
  ['a port too high', GOOD.replace('8012', '65536'), { key: 'port' }],
  ['a password in clear', GOOD.replace(HASH, 'geheim'), { key: 'account.password_hash' }],
  ['a colon in the user name', GOOD.replace('wlbuser', 'wlb:user'), { key: 'account.username' }],
  ['an unknown key', `prot = 8012\n${GOOD}`, { key: 'prot' }],
  ['an unknown key in a table', `${GOOD}passwort = "x"\n`, { key: 'account.passwort' }],
  ['a command for a shell', `${GOOD}${front('"systemctl reload stunnel4"')}`, { key: 'front.reload' }],
  ['an empty command', `${GOOD}${front('[]')}`, { key: 'front.reload' }],
  ['a front without a port', `${GOOD}${front('["true"]').replace(/port.*/, '')}`, { key: 'front.port' }],
  ['a front with a name', `${GOOD}${front('["true"]').replace('::1', 'localhost')}`, { key: 'front.address' }],
  ['a watch without a pause', watch('every_seconds = 9'), { key: 'watch.every_seconds' }],
  ['a webhook anybody could read', watch('webhook = "http://chat.example.com/"'), { key: 'watch.webhook' }],
  ['a password in a webhook', watch('webhook = "https://a:b@chat.example.com/"'), { key: 'watch.webhook' }],
  ['a mail server without a port', watch('smtp = "mail.example.com"'), { key: 'watch.smtp' }],
  ['a port beyond all', watch('smtp = "mail.example.com:70000"'), { key: 'watch.smtp' }],
  ['another database', `${GOOD}[database]\nurl = "mysql://db/wlb"\n`, { key: 'database.url' }],
]
test.each(mistakes)('%s', async (_what, text, facts) => {
  writeFileSync(file, text)
  await expect(readSettings(file)).rejects.toMatchObject({ code: 'SETTINGS_INVALID', facts: { file, ...facts } })
})

test('no file: not set up', async () => {
  await expect(readSettings(join(folder, 'none.toml'))).rejects.toMatchObject({ code: 'NOT_SET_UP' })
})

const choices: [name: keyof Choices, value: unknown, fits: boolean][] = [
  ['hostname', 'wlb.example.com', true],
  ['hostname', 'WLB-1.x', true],
  ['hostname', `${'a'.repeat(63)}.example.com`, true],
  ['hostname', `${'a'.repeat(64)}.example.com`, false],
  ['hostname', 'wlb', false],
  ['hostname', '', false],
  ['hostname', 'wlb.example.com.', false],
  ['hostname', '-wlb.example.com', false],
  ['hostname', 'wlb_1.example.com', false],
  ['hostname', 'wlb.exämple.com', false],
  ['hostname', 'wlb .example.com', false],
  ['hostname', '192.0.2.1', false],
  ['hostname', `${'a.'.repeat(126)}ab`, false],
  ['address', '127.0.0.1', true],
  ['address', '2001:db8::1', true],
  ['address', '127.1', false],
  ['address', 'wlb.example.com', false],
  ['port', 1, true],
  ['port', 65_535, true],
  ['port', 0, false],
  ['port', 80.5, false],
  ['port', Number.NaN, false],
  ['userName', 'wlbuser', true],
  ['userName', '', false],
  ['userName', 'a:b', false],
  ['userName', 'a\nb', false],
  ['databaseUrl', 'postgres://wlb@localhost/wlb', true],
  ['databaseUrl', 'postgresql://wlb@localhost/wlb', true],
  ['databaseUrl', 'localhost', false],
]
test.each(choices)('%s %j may stand: %s', (name, value, fits) => {
  expect(checkChoice(name, value) === undefined).toBe(fits)
})
