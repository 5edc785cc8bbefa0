/** The programs of the lab as the tests start them: bundled once a test file, everything inside. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'

export function buildHostProgram(): string {
  return buildProgram('src/lab/host/main.ts')
}

export function buildStandInProgram(): string {
  return buildProgram('src/lab/stand-in/main.ts')
}

/** Builds before the file's tests and removes afterwards; the path is there from the start. */
function buildProgram(entry: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-lab-program-'))
  const program = join(folder, 'program.mjs')
  beforeAll(async () => {
    await build({
      entryPoints: [join(import.meta.dirname, '../..', entry)],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      logLevel: 'error',
      banner: { js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)" },
    })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return program
}
