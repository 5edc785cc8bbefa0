/** A fleet: many pools and their appliances in one TOML file that people keep under version control (docs/fleet.md). */
import { dirname, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { z } from 'zod'
import { readLimitedText } from '../../base/files/limited-file.js'
import { parseWlbAddress, type WlbAddress } from '../../xapi/index.js'
import { fail } from '../errors.js'

export interface FleetPool {
  readonly name: string
  readonly url: string
  readonly userName: string
  /** Paths are those of the file, made absolute from its folder. */
  readonly passwordFile: string
  readonly trust: { readonly fingerprintSha256: string } | { readonly caFile: string } | 'insecure'
  readonly appliance: WlbAddress | undefined
}

const TEXT = z.string('must be text').min(1, 'must not be empty')
const URL_RULE = 'must be https://ADDRESS[:PORT] of the coordinator'
const FINGERPRINT_RULE = 'must be a SHA-256 fingerprint: 64 hex digits, with or without colons'
const APPLIANCE_RULE = 'must be HOST:PORT'

const COMMON = {
  username: TEXT.optional(),
  password_file: TEXT.optional(),
  cacert: TEXT.optional(),
  insecure: z.boolean('must be true or false').optional(),
  appliance: TEXT.refine((text) => parseWlbAddress(text) !== undefined, APPLIANCE_RULE).optional(),
}
const FILE = z.strictObject({
  defaults: z.strictObject(COMMON).optional(),
  pool: z
    .array(
      z.strictObject({
        name: TEXT,
        url: TEXT.regex(/^https:\/\/[^/\s]+\/?$/, URL_RULE),
        fingerprint: TEXT.regex(/^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/, FINGERPRINT_RULE).optional(),
        ...COMMON,
      }),
      'must be a list: [[pool]]',
    )
    .min(1, 'must name a pool at least'),
})

/**
 * Reads and checks the whole of it before any pool is asked.
 *
 * @throws FLEET_FILE_UNREADABLE; FLEET_FILE_INVALID with the line, or the pool and the key, and what is wrong with it.
 */
export async function readFleet(path: string): Promise<readonly FleetPool[]> {
  const text = await readLimitedText(path).catch((error: unknown) => {
    throw fail(
      'FLEET_FILE_UNREADABLE',
      { file: path, why: error instanceof Error ? error.message : String(error) },
      error,
    )
  })
  const { data, error } = FILE.safeParse(parseToml(text, path))
  if (!data) throw fail('FLEET_FILE_INVALID', { file: path, ...describeIssue(error.issues[0]) })
  const { defaults = {}, pool } = data
  const names = pool.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw fail('FLEET_FILE_INVALID', { file: path, pool: twice, why: 'two pools have this name' })
  return pool.map((entry) => {
    const { name, url, fingerprint } = entry
    const { username = 'root', password_file, cacert, insecure, appliance } = { ...defaults, ...entry }
    const place = (file: string) => resolve(dirname(path), file)
    if (password_file === undefined)
      throw fail('FLEET_FILE_INVALID', { file: path, pool: name, key: 'password_file', why: 'is missing' })
    const known = fingerprint === undefined ? cacert && { caFile: place(cacert) } : { fingerprintSha256: fingerprint }
    const trust = known || (insecure ? 'insecure' : undefined)
    if (trust === undefined)
      throw fail('FLEET_FILE_INVALID', {
        file: path,
        pool: name,
        key: 'fingerprint',
        why: 'is missing, and so is cacert',
      })
    return {
      name,
      url,
      userName: username,
      passwordFile: place(password_file),
      trust,
      appliance: appliance === undefined ? undefined : parseWlbAddress(appliance),
    }
  })
}

function describeIssue(issue: z.core.$ZodIssue | undefined): {
  readonly pool?: string
  readonly key: string
  readonly why: string
} {
  const [table, index, ...keys] = issue?.path ?? []
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const why = unknown.length > 0 ? 'is not a key of this file' : (issue?.message ?? '')
  if (typeof index === 'number') return { pool: `number ${index + 1}`, key: [...keys, ...unknown].join('.'), why }
  return { key: [table, index, ...unknown].filter((part) => part !== undefined).join('.'), why }
}

function parseToml(text: string, path: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw fail(
      'FLEET_FILE_INVALID',
      { file: path, line: error.line, why: error.message.split('\n', 1).join('') },
      error,
    )
  }
}
