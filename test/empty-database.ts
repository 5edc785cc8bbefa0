/** The run's empty database, for tests that only want to have one; a test that wants set-up to make it leaves this alone. */
import { cpSync, mkdirSync } from 'node:fs'
import { paths } from '../src/config/index.js'
import { runFolder } from './run-folder.js'

/** Puts an empty database where a set-up in `root` will find and keep it. */
export function placeDatabase(root: string): void {
  const { stateFolder, database } = paths(root)
  const made = runFolder('db')
  if (made === undefined) throw new Error('vitest.config.ts makes the database before the tests')
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  cpSync(made, database, { recursive: true })
}
