/** The run's empty database, for tests that only want to have one; a test that wants set-up to make it leaves this alone. */
import { cpSync, mkdirSync } from 'node:fs'
import { paths } from '../src/config/index.js'
import { requireRunFolder } from './run-folder.js'

/** Puts an empty database where a set-up in `root` will find and keep it. */
export function placeDatabase(root: string): void {
  const { stateFolder, database } = paths(root)
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  cpSync(requireRunFolder('db'), database, { recursive: true })
}
