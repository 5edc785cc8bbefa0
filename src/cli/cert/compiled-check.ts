/**
 * Loads the bundle of `wlb cert check` together with what V8 made of it when it was built (scripts/build.mjs): compiling takes
 * more time than the verdict. Another Node than the one that built it finds that this is not its own, and compiles.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'

type Require = (name: string) => unknown
type Body = (exports: object, require: Require, module: { exports: object }) => void

const ofNode: Require = createRequire(import.meta.filename)
const modules = new Map<string, { exports: object }>()

const scripts = new Map<string, Script>()
const compiledPath = (path: string): string => `${path}.compiled`

/** Writes what has been compiled so far, functions that have run with it, beside the files. Only the build does this. */
export function keepCompiled(): void {
  for (const [path, script] of scripts) writeFileSync(compiledPath(path), script.createCachedData())
}

/** Loads a file of the bundle, and what it asks for, each once. */
export function load(path: string): object {
  const known = modules.get(path)
  if (known) return known.exports
  const module = { exports: {} }
  modules.set(path, module)
  const compiled = compiledPath(path)
  const script = new Script(`(function (exports, require, module) {${readFileSync(path, 'utf8')}\n})`, {
    filename: path,
    cachedData: existsSync(compiled) ? readFileSync(compiled) : undefined,
  })
  scripts.set(path, script)
  const body: Body = script.runInThisContext()
  body(module.exports, (name) => (name.startsWith('.') ? load(join(dirname(path), name)) : ofNode(name)), module)
  return module.exports
}
