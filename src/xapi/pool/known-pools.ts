/**
 * The pools this user has met: where they answer, how they are told from impostors, and where the password lies (never
 * the password). One file, `openwlb/pools.json` under the user's configuration folder, its owner's alone.
 */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, replaceFile } from '../../base/durable-file.js'
import { WlbError } from '../../base/error.js'

const POOL = z.object({
  /** `https://ADDRESS:PORT` of the coordinator as last met. */
  url: z.string(),
  uuid: z.string(),
  username: z.string(),
  passwordFile: z.string().optional(),
  trust: z.union([z.object({ fingerprintSha256: z.string() }), z.object({ caFile: z.string() })]),
  /** `HOST:PORT` where the appliance was asked from here. */
  appliance: z.string().optional(),
})
const FILE = z.object({ pools: z.record(z.string(), POOL) })

export type KnownPool = Readonly<z.infer<typeof POOL>>

/** The user's folder of this program, by the XDG rule. */
export function configFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'openwlb')
}

/** @throws KNOWN_POOLS_UNREADABLE when the file is there and is not one of ours. */
export async function readKnownPools(folder = configFolder()): Promise<ReadonlyMap<string, KnownPool>> {
  const path = join(folder, 'pools.json')
  try {
    return new Map(Object.entries(FILE.parse(JSON.parse(await readFile(path, 'utf8'))).pools))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map()
    throw unreadable(path, error)
  }
}

/** Writes a pool down under a name; one of the same uuid is replaced, one of the same name and another uuid keeps it. Returns the name. */
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

/** Names are words to type: what would need quoting becomes a hyphen. */
function freeName(name: string, known: ReadonlyMap<string, KnownPool>): string {
  const word = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replaceAll(/^-+|-+$/g, '') || 'pool'
  let chosen = word
  for (let count = 2; known.has(chosen); count++) chosen = `${word}-${count}`
  return chosen
}

function unreadable(path: string, cause: unknown): WlbError {
  const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
  return new WlbError(
    'KNOWN_POOLS_UNREADABLE',
    'The list of known pools cannot be read.',
    { path, why },
    `rm ${path}`,
    cause,
  )
}
