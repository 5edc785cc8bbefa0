/**
 * lab.json, what the launcher remembers of a lab (the root password included, so only its owner may read the file), and
 * the lock that lets one command at a time start or stop hosts.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { lockDirectory } from '../../base/files/directory-lock.js'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { readHostAddress } from '../../base/names/host-address.js'
import { fail } from '../errors.js'
import { LOAD_KINDS } from '../vms/load/kind.js'

const schema = z.object({
  pool: z.string(),
  username: z.string(),
  password: z.string(),
  reader: z.object({ username: z.string(), password: z.string() }).optional(),
  tlsClient: z.enum(['node', 'stunnel']),
  plainPort: z.number(),
  tlsPort: z.number(),
  /** Older labs have two guests a host that no seed decided about. */
  vms: z.number().optional(),
  seed: z.number().default(0),
  speed: z.number().default(1),
  load: z.enum(LOAD_KINDS).default('diurnal'),
  /** There is a copy of a trace beside this file. */
  trace: z.boolean().default(false),
  hosts: z.array(
    z.object({
      name: z.string(),
      uuid: z.string(),
      address: z.string().transform((text) => readHostAddress(text, 'a host of the lab')),
    }),
  ),
})

export type Lab = Readonly<z.infer<typeof schema>>
export type KnownHost = Lab['hosts'][number]

/** The lab's folder under the root the commands are given. */
export function labFolder(root: string): string {
  return join(root, 'lab')
}

/** The lab's own copy of the trace it was made with: hosts read it whenever they start. */
export function traceFile(root: string): string {
  return join(labFolder(root), 'trace.csv')
}

export function hostRoot(root: string, name: string): string {
  return join(labFolder(root), name)
}

/** Returns undefined when there is no lab. */
export async function findLab(root: string): Promise<Lab | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(join(labFolder(root), 'lab.json'), 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** @throws LAB_NOT_FOUND when there is no lab. */
export async function readLab(root: string): Promise<Lab> {
  const lab = await findLab(root)
  if (!lab) throw fail('LAB_NOT_FOUND', { root })
  return lab
}

export async function writeLab(root: string, lab: Lab): Promise<void> {
  await ensureFolder(labFolder(root), 0o700)
  await replaceFile(passwordFile(root), `${lab.username}\n${lab.password}\n`, 0o600)
  if (lab.reader) {
    const { username, password } = lab.reader
    await replaceFile(join(labFolder(root), 'reader-xe-password'), `${username}\n${password}\n`, 0o600)
    await replaceFile(join(labFolder(root), 'reader-password'), `${password}\n`, 0o600)
  }
  await replaceFile(join(labFolder(root), 'lab.json'), `${JSON.stringify(lab, undefined, 2)}\n`, 0o600)
}

/** User name and password on a line each, as `xe -pwf` reads them. */
export function passwordFile(root: string): string {
  return join(labFolder(root), 'xe-password')
}

/** @throws LAB_HOST_UNKNOWN when the lab has no host of that name or uuid. */
export function findHost(lab: Lab, name: string): KnownHost {
  const host = lab.hosts.find((known) => known.name === name || known.uuid === name)
  if (!host) {
    throw fail('LAB_HOST_UNKNOWN', { host: name, hosts: lab.hosts.map((known) => known.name).join(', ') })
  }
  return host
}

/** Longer than the slowest start of a pool that still succeeds. */
const WAIT_MS = 90_000

/**
 * Runs `work` while no other command starts or stops hosts of this lab. The lab's folder must exist.
 *
 * @throws DIRECTORY_IN_USE when another command holds the lock for too long.
 */
export async function withLabLocked<T>(root: string, work: () => Promise<T>): Promise<T> {
  const lock = await lockDirectory(labFolder(root), WAIT_MS)
  try {
    return await work()
  } finally {
    await lock.release()
  }
}
