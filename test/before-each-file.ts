/** Run before each test file: the file finds the process as if it were the first one, although files share a process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emptyCaches } from './file-cache.js'

interface ProcessState {
  readonly folder: string
  readonly umask: number
  readonly environment: NodeJS.ProcessEnv
}

declare global {
  /** As it was before the first file; kept here because this module is evaluated again for each file. */
  var processBeforeTests: ProcessState | undefined
  /** One a process, emptied for each file. */
  var configBeforeTests: string | undefined
}

globalThis.processBeforeTests ??= { folder: process.cwd(), umask: process.umask(), environment: { ...process.env } }
emptyCaches()
restore(globalThis.processBeforeTests)
process.env.XDG_CONFIG_HOME = emptyFolder()

/** The pools that whoever runs the tests has met are none of theirs, and the other way round. */
function emptyFolder(): string {
  globalThis.configBeforeTests ??= newFolder()
  rmSync(globalThis.configBeforeTests, { recursive: true, force: true })
  return globalThis.configBeforeTests
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-config-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function restore({ folder, umask, environment }: ProcessState): void {
  process.chdir(folder)
  process.umask(umask)
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name]
  Object.assign(process.env, environment)
}
