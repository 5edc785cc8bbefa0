/** The program of a lab host as the tests start it: bundled once a test file, everything inside. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'

/** Builds before the file's tests and removes afterwards; the path is there from the start. */
export function buildHostProgram(): string {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-lab-host-'))
  const program = join(folder, 'lab-host.mjs')
  beforeAll(async () => {
    await build({
      entryPoints: [join(import.meta.dirname, '../../src/lab/main.ts')],
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
