// Builds what is shipped: one small file per program, libraries left in node_modules and loaded when they are needed.
// `xe` is the exception: everything is inside, because it must start in under 100 ms.
import { existsSync } from 'node:fs'
import { chmod, rm, symlink } from 'node:fs/promises'
import { build } from 'esbuild'

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  outdir: 'dist',
  logLevel: 'warning',
  sourcemap: 'linked',
  banner: { js: '#!/usr/bin/env node' },
}

await rm('dist', { recursive: true, force: true })
await Promise.all([
  build({
    ...common,
    entryPoints: { wlb: 'src/cli/wlb.ts', 'lab-host': 'src/lab/main.ts' },
    splitting: true,
    packages: 'external',
    chunkNames: 'chunks/[name]-[hash]',
  }),
  build({ ...common, entryPoints: { xe: 'src/cli/xe.ts' } }),
])
await Promise.all(['wlb', 'xe', 'lab-host'].map((program) => chmod(`dist/${program}.js`, 0o755)))

// npm links a package's programs where it is installed, not where it is built; `npx wlb` should work here too
if (existsSync('node_modules/.bin')) {
  for (const program of ['wlb', 'xe']) {
    await rm(`node_modules/.bin/${program}`, { force: true })
    await symlink(`../../dist/${program}.js`, `node_modules/.bin/${program}`)
  }
}
