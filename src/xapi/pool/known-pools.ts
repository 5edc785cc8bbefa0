/**
 * The pools this user has connected to: address, certificate fingerprint or CA file, and the path of the password file (never
 * the password itself). They are stored in `openwlb/pools.json` in the user's configuration folder, readable by its owner only.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { systemCode } from '../../base/files/file-failure.js'
import { homeFolder } from '../../base/files/home-folder.js'
import { readOwnFile } from '../../base/files/limited-file.js'
import { fail } from '../errors.js'

const POOL = z.object({
  /** `https://ADDRESS:PORT` of the coordinator at the last connection. */
  url: z.string(),
  uuid: z.string(),
  username: z.string(),
  passwordFile: z.string().optional(),
  trust: z.union([z.object({ fingerprintSha256: z.string() }), z.object({ caFile: z.string() })]),
  /** `HOST:PORT` of the appliance, as given with --appliance. */
  appliance: z.string().optional(),
})
const FILE = z.object({ pools: z.record(z.string(), POOL) })

export type KnownPool = Readonly<z.infer<typeof POOL>>

/** Returns this program's configuration folder of the user (XDG Base Directory Specification). */
export function configFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(homeFolder(), '.config'), 'openwlb')
}

/** @throws KNOWN_POOLS_UNREADABLE when the file exists but cannot be read or has another format. */
export async function readKnownPools(folder = configFolder()): Promise<ReadonlyMap<string, KnownPool>> {
  const path = join(folder, 'pools.json')
  try {
    return new Map(Object.entries(FILE.parse(JSON.parse(await readOwnFile(path))).pools))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map()
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw fail('KNOWN_POOLS_UNREADABLE', { path, why, systemError: systemCode(error) }, error)
  }
}

/**
 * Stores a pool and returns its name. A pool with the same uuid keeps its name; for a new pool, `name` gets a number if
 * another pool has it.
 */
export async function rememberPool(name: string, pool: KnownPool, folder = configFolder()): Promise<string> {
  const known = new Map(await readKnownPools(folder))
  const before = [...known].find(([, { uuid }]) => uuid === pool.uuid)
  const chosen = before?.[0] ?? freeName(name, known)
  const merged = { ...before?.[1], ...pool }
  if (before && JSON.stringify(before[1]) === JSON.stringify(merged)) return chosen
  known.set(chosen, merged)
  await ensureFolder(folder, 0o700)
  await replaceFile(
    join(folder, 'pools.json'),
    `${JSON.stringify({ pools: Object.fromEntries(known) }, undefined, 2)}\n`,
    0o600,
  )
  return chosen
}

/** Names are typed in a shell, so characters that need quoting become a hyphen. */
function freeName(name: string, known: ReadonlyMap<string, KnownPool>): string {
  const word = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replaceAll(/^-+|-+$/g, '') || 'pool'
  let chosen = word
  for (let count = 2; known.has(chosen); count++) chosen = `${word}-${count}`
  return chosen
}
