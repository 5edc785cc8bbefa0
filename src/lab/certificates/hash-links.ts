/**
 * The links by which OpenSSL finds a certificate or a revocation list in a folder: `<hash of the name>.0`, `.r0`.
 * `openssl rehash` makes them, because only OpenSSL knows which files it can use; its result is cached by the files'
 * content.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { type Dirent, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const LINK = /^[0-9a-f]{8}\.r?\d+$/
const ANSWERS_KEPT = 16

type Links = ReadonlyMap<string, string>

/** Each distribution in a pool sends every host the same files two or three times. */
const answers = new Map<string, Links>()

/**
 * Brings the links up to date. With outdated links the result of `openssl rehash` depends on them, so it is not cached.
 */
export async function refreshHashLinks(folder: string): Promise<void> {
  if (readdirSync(folder).length === 0) return
  const key = keyOf(folder)
  const found = linksOf(folder)
  const known = key === undefined ? undefined : answers.get(key)
  if (known && isSame(found, known)) return
  if (known && found.size === 0) {
    for (const [name, target] of known) symlinkSync(target, join(folder, name))
    return
  }
  const isClean = await rehash(folder)
  if (isClean && found.size === 0 && key !== undefined && key === keyOf(folder)) keep(key, linksOf(folder))
}

export function isHashLink(entry: Dirent): boolean {
  return entry.isSymbolicLink() && LINK.test(entry.name)
}

/**
 * Computes the cache key from names and bytes of all files; undefined when the folder holds anything but files and
 * links.
 */
function keyOf(folder: string): string | undefined {
  const digest = createHash('sha256')
  const entries = readdirSync(folder, { withFileTypes: true }).sort((one, other) => (one.name < other.name ? -1 : 1))
  for (const entry of entries) {
    if (isHashLink(entry)) continue
    if (!entry.isFile()) return undefined
    const content = readFileSync(join(folder, entry.name))
    digest.update(`${entry.name}\0${content.length}\0`).update(content)
  }
  return digest.digest('hex')
}

function linksOf(folder: string): Links {
  const links = readdirSync(folder, { withFileTypes: true }).filter(isHashLink)
  return new Map(links.map(({ name }) => [name, readlinkSync(join(folder, name))]))
}

function isSame(one: Links, other: Links): boolean {
  return one.size === other.size && [...one].every(([name, target]) => other.get(name) === target)
}

function keep(key: string, links: Links): void {
  const [oldest] = answers.keys()
  if (answers.size >= ANSWERS_KEPT && oldest !== undefined) answers.delete(oldest)
  answers.set(key, links)
}

const run = promisify(execFile)

/**
 * Tells whether it ran without warnings. Warnings about unusable files must be repeated, so such a result is not
 * cached.
 */
async function rehash(folder: string): Promise<boolean> {
  try {
    return (await run('openssl', ['rehash', folder])).stderr === ''
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    console.error(`no hash links in ${folder}: ${isMissing ? 'openssl is not installed' : why}`)
    return false
  }
}
