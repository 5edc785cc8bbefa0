/** What of the settings a running appliance works with, to be compared with the file: secrets are there as digests only. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Settings } from './settings.js'

export const SETTINGS_IN_USE = z.object({
  hostname: z.string(),
  address: z.string(),
  port: z.number(),
  username: z.string(),
  /** Of the password's hash. */
  passwordDigest: z.string(),
  /** Of the address of the database; null where it is embedded. */
  databaseDigest: z.string().nullable(),
})
export type SettingsInUse = Readonly<z.infer<typeof SETTINGS_IN_USE>>

export function settingsInUse(settings: Settings): SettingsInUse {
  const { hostname, address, port, userName, passwordHash, databaseUrl } = settings
  return {
    hostname,
    address,
    port,
    username: userName,
    passwordDigest: digest(passwordHash),
    databaseDigest: databaseUrl === undefined ? null : digest(databaseUrl),
  }
}

/** A setting that the next start takes over: its key in the file, and both values where they are no secrets. */
export interface SettingChange {
  readonly key: 'hostname' | 'address' | 'port' | 'account.username' | 'account.password_hash' | 'database'
  readonly now: string
  readonly next: string
}

export function compareSettings(now: SettingsInUse, next: SettingsInUse): readonly SettingChange[] {
  const rows: readonly [SettingChange['key'], keyof SettingsInUse, 'secret'?][] = [
    ['hostname', 'hostname'],
    ['address', 'address'],
    ['port', 'port'],
    ['account.username', 'username'],
    ['account.password_hash', 'passwordDigest', 'secret'],
    ['database', 'databaseDigest', 'secret'],
  ]
  return rows.flatMap(([key, name, secret]): SettingChange[] => {
    if (now[name] === next[name]) return []
    const show = (value: string | number | null) => (secret ? '' : String(value))
    return [{ key, now: show(now[name]), next: show(next[name]) }]
  })
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
