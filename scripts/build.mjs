// Builds what is shipped. Libraries are inside, without what is never called: the hundred files of one that checks values
// cost every command more than its own work. Those with files of their own to find stay in node_modules.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { build, transform } from 'esbuild'

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  outdir: 'dist',
  logLevel: 'warning',
  sourcemap: 'linked',
  metafile: true,
  mainFields: ['module', 'main'],
}
const external = ['@electric-sql/pglite', 'pg', 'pino', 'ssh2', 'acme-client']
const programLine = '#!/usr/bin/env node'
/** Some libraries are CommonJS, and ask for Node's modules in its way. */
const requireLine =
  "import { createRequire as openwlbRequire } from 'node:module';const require = openwlbRequire(import.meta.url);"

/**
 * `wlb cert check` has a bundle of its own, which loads nothing of the other commands: scripts run it hundreds of times. It is
 * CommonJS, whose compiled form V8 can keep and take back (src/cli/cert/compiled-check.ts); of ES modules it cannot.
 */
const checkApart = {
  name: 'wlb cert check apart',
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /\/cert\/check-line\.js$/ }, () => ({ path: 'check', namespace: 'compiled' }))
    onLoad({ filter: /^check$/, namespace: 'compiled' }, () => ({
      contents: `import { join } from 'node:path'
        import { load } from './src/cli/cert/compiled-check.ts'
        export const { checkLine, run } = load(join(__dirname, 'check.cjs'))`,
      resolveDir: '.',
    }))
  },
}
/** What the program loads is divided into files, and only ES modules can be. */
const others = {
  name: 'other commands apart',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/(complete|command-line)\.js$/ }, ({ path }) => ({
      path: `./chunks/${basename(path)}`,
      external: true,
    })),
}

/** Commander can start a program for each command; ours never do, and loading what starts programs takes two milliseconds. */
const noPrograms = {
  name: 'commander starts no programs',
  setup: ({ onLoad, onResolve }) => {
    const ofCommander = ({ importer }) =>
      /\/commander\//.test(importer) ? { path: 'none', namespace: 'unused' } : undefined
    onResolve({ filter: /^node:child_process$/ }, ofCommander)
    onLoad({ filter: /^none$/, namespace: 'unused' }, () => ({ contents: 'module.exports = {}' }))
  },
}

await rm('dist', { recursive: true, force: true })
const built = await Promise.all([
  build({
    ...common,
    banner: { js: `${programLine}\n${requireLine}` },
    entryPoints: {
      'chunks/command-line': 'src/cli/command-line.ts',
      'chunks/complete': 'src/cli/completion/complete.ts',
      'lab-host': 'src/lab/host/main.ts',
      'lab-stand-in': 'src/lab/stand-in/main.ts',
    },
    splitting: true,
    external,
    chunkNames: 'chunks/[name]-[hash]',
    plugins: [noPrograms],
  }),
  build({
    ...common,
    entryPoints: { check: 'src/cli/cert/check-line.ts' },
    splitting: true,
    external,
    plugins: [noPrograms],
    chunkNames: 'chunks/check-[name]-[hash]',
    outExtension: { '.js': '.cjs' },
    sourcemap: 'inline',
    write: false,
  }),
  // Node starts a CommonJS program three milliseconds earlier
  build({
    ...common,
    format: 'cjs',
    banner: { js: programLine },
    define: { 'import.meta.filename': '__filename' },
    entryPoints: { wlb: 'src/cli/wlb.ts' },
    outExtension: { '.js': '.cjs' },
    plugins: [checkApart, others],
  }),
  build({ ...common, banner: { js: programLine }, entryPoints: { xe: 'src/cli/xe.ts' } }),
])
await Promise.all(built[1].outputFiles.map(({ path, text }) => writeAsCommonJs(path, text)))
await compileCheck()
await writeFile('dist/wlb.js', `${programLine}\nimport './wlb.cjs'\n`)
await writeFile('dist/THIRD-PARTY.txt', licencesOf(built.flatMap(({ metafile }) => Object.keys(metafile.inputs))))
await Promise.all(
  ['wlb.cjs', 'wlb.js', 'xe.js', 'lab-host.js', 'lab-stand-in.js'].map((file) => chmod(`dist/${file}`, 0o755)),
)

// npm links a package's programs where it is installed, not where it is built; `npx wlb` should work here too
if (existsSync('node_modules/.bin')) {
  for (const [program, file] of Object.entries({ wlb: 'wlb.cjs', xe: 'xe.js' })) {
    await rm(`node_modules/.bin/${program}`, { force: true })
    await symlink(`../../dist/${file}`, `node_modules/.bin/${program}`)
  }
}

/** esbuild divides ES modules only. */
async function writeAsCommonJs(path, text) {
  const { code, map } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: common.target,
    supported: { 'dynamic-import': false },
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'external',
    sourcefile: basename(path),
  })
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${code}//# sourceMappingURL=${basename(path)}.map\n`)
  await writeFile(`${path}.map`, map)
}

/** What a call like most has compiled is kept: an accepted chain, with a line for each certificate. */
async function compileCheck() {
  const fixture = (name) => `test/cli/check/${name}.pem`
  const call = [
    'cert',
    'check',
    fixture('chain'),
    '--name',
    'wlb.example.com',
    '--trust',
    fixture('root'),
    '--at',
    '2026-06-01',
  ]
  const check = resolve('dist/check.cjs')
  const { outputFiles } = await build({
    ...common,
    format: 'cjs',
    sourcemap: false,
    define: { 'import.meta.filename': JSON.stringify(check) },
    stdin: {
      contents: `import { keepCompiled, load } from './src/cli/cert/compiled-check.ts'
        const { checkLine, run } = load(${JSON.stringify(check)})
        run(${JSON.stringify(call)}, checkLine()).then(keepCompiled)`,
      resolveDir: '.',
    },
    write: false,
  })
  const { status, stderr } = spawnSync(process.execPath, ['-e', outputFiles[0].text], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`wlb cert check cannot be compiled: ${stderr}`)
}

/** The libraries' own terms go where their code goes. */
function licencesOf(inputs) {
  const folders = inputs.flatMap((path) => path.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? [])
  return [...new Set(folders)].sort().map(describeLibrary).join('\n')
}

function describeLibrary(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  return `${name} ${version} (${license})\n${file ? readFileSync(join(folder, file), 'utf8') : ''}`
}
