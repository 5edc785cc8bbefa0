/**
 * Making an embedded database takes four seconds of processor time, and most tests only want to have one. One is made for
 * the whole run; a test that wants its own made, as set-up makes it, leaves this alone. Beside it lie the run's keys.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { paths } from '../src/config/index.js'
import { createEmbedded } from '../src/store/embedded-database.js'
import { KEYS_VARIABLE } from './rsa-keys.js'

const VARIABLE = 'OPENWLB_TEST_DATABASE'

/** Run before any test (vitest.config.ts), and made by the first of the projects. Returns what clears up afterwards. */
export async function setup(): Promise<() => void> {
  if (process.env[VARIABLE] !== undefined) return () => {}
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-database-'))
  const database = join(folder, 'db')
  await createEmbedded(database)
  process.env[VARIABLE] = database
  const keys = join(folder, 'keys')
  mkdirSync(keys)
  process.env[KEYS_VARIABLE] = keys
  return () => rmSync(folder, { recursive: true, force: true })
}

/** Puts an empty database where a set-up in `root` will find and keep it. */
export function placeDatabase(root: string): void {
  const { stateFolder, database } = paths(root)
  const made = process.env[VARIABLE]
  if (made === undefined) throw new Error('vitest.config.ts makes the database before the tests')
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  cpSync(made, database, { recursive: true })
}
