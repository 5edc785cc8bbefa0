/** Run before each test file: the file finds the process as if it were the first one, although files share a process. */
import { emptyCaches } from './file-cache.js'

interface ProcessState {
  readonly folder: string
  readonly umask: number
  readonly environment: NodeJS.ProcessEnv
}

declare global {
  /** As it was before the first file; kept here because this module is evaluated again for each file. */
  var processBeforeTests: ProcessState | undefined
}

globalThis.processBeforeTests ??= { folder: process.cwd(), umask: process.umask(), environment: { ...process.env } }
emptyCaches()
restore(globalThis.processBeforeTests)

function restore({ folder, umask, environment }: ProcessState): void {
  process.chdir(folder)
  process.umask(umask)
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name]
  Object.assign(process.env, environment)
}
