/** The programs of the lab as the tests start them, everything inside: bundled from the sources once a run. */
import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll } from 'vitest'
import { requireRunFolder } from '../run-folder.js'

export function buildHostProgram(): string {
  return buildProgram('lab-host', 'src/lab/host/main.ts')
}

export function buildStandInProgram(): string {
  return buildProgram('lab-stand-in', 'src/lab/stand-in/main.ts')
}

/** Built before the file's tests, unless another file's are over; the path is there from the start. */
function buildProgram(name: string, entry: string): string {
  const program = join(requireRunFolder('programs'), `${name}.mjs`)
  beforeAll(async () => {
    if (existsSync(program)) return
    const own = `${program}.${process.pid}`
    await build({
      entryPoints: [join(import.meta.dirname, '../..', entry)],
      outfile: own,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      logLevel: 'error',
      banner: { js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)" },
    })
    renameSync(own, program)
  })
  return program
}
