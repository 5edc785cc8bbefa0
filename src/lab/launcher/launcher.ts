/** Starts and stops a lab. Its hosts are processes of their own that keep their whole state in their root folders. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { appendFile, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { mapBounded } from '../../base/bounded.js'
import { WlbError } from '../../base/error.js'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { type HostAddress, readHostAddress } from '../../base/names/host-address.js'
import { installPool } from '../database/new-pool.js'
import { fail, MOST_HOSTS, MOST_SEED, MOST_SPEED, MOST_VMS } from '../errors.js'
import { findAddress, layoutOf } from '../host/host-files.js'
import type { HostStatus } from '../host/http-server.js'
import type { LoadKind } from '../vms/load/kind.js'
import { readGivenTrace } from './given-trace.js'
import { askHost, endProcess, findProcess, requestHandshake, startProcess, waitUntil } from './host-control.js'
import { findLab, hostRoot, type Lab, labFolder, readLab, traceFile, withLabLocked, writeLab } from './lab-file.js'

export interface LabUpOptions {
  /** The folder the lab's own folder `lab` is in. */
  readonly root: string
  readonly hosts?: number
  /** How many guests the hosts of a new pool have together; two a host unless given. */
  readonly vms?: number
  /** What decides about the guests of a new pool; by chance unless given. */
  readonly seed?: number
  /** How many times faster than the clock the day of the load passes, and migrations are done. */
  readonly speed?: number
  /** Which load the guests of a new pool have; days and nights unless given. */
  readonly load?: LoadKind
  /** Path of a file, or of a folder, with recorded days that take the place of generated ones. */
  readonly trace?: string
  /** Names for the etc/hosts of every host, in addition to the hosts themselves. */
  readonly addHosts?: readonly { readonly name: string; readonly address: string }[]
  /** Which program connects to WLB: ours, or the stunnel that pools use. */
  readonly tlsClient?: 'node' | 'stunnel'
  /** Path of a host's program; default: next to the running program. */
  readonly hostProgram?: string
  readonly refusalDelayMs?: number
}

interface LabHostReport {
  readonly name: string
  readonly uuid: string
  readonly role: 'coordinator' | 'member' | 'unknown'
  readonly address: HostAddress
  readonly tlsPort: number
  readonly plainPort: number
  readonly root: string
  /** null when the host does not run. */
  readonly pid: number | null
  /** As the coordinator sees it. */
  readonly live: boolean
  readonly certificates: readonly string[]
  readonly crls: readonly string[]
  readonly bundle: HostStatus['bundle'] | 'unknown'
  /** How many guests run on it; null when the coordinator does not run. */
  readonly vms: number | null
  /** What the host's own verified handshake with WLB says; null when there is nothing to connect to. */
  readonly wlb: { readonly accepted: boolean; readonly reason: string } | null
}

export interface LabDocument {
  readonly pool: string
  readonly username: string
  readonly password: string
  /** The user with the read-only role; null in a lab that was made before this user existed. */
  readonly reader: { readonly username: string; readonly password: string } | null
  readonly speed: number
  readonly seed: number
  readonly hosts: readonly LabHostReport[]
}

const DEFAULT_HOSTS = 3
const DEFAULT_VMS_A_HOST = 2
/** Starting more processes at once is not faster. */
const PROCESSES_AT_A_TIME = 2 * availableParallelism()
const REFUSAL_DELAY_MS = 5_000
/** On top of what a single host may take. */
const WAIT_PER_HOST_MS = 1_000

/**
 * Starts every host that does not run, makes a new pool if there is none, and returns once the pool is complete.
 * `already` means that every host was running.
 *
 * @throws LAB_SIZE_INVALID, LAB_NUMBER_INVALID, LAB_SIZE_DIFFERS, LAB_OTHERWISE, LAB_TRACE_UNREADABLE, LAB_NO_ADDRESS, PORT_IN_USE, LAB_HOST_FAILED or LAB_TIMEOUT.
 */
export async function labUp(
  options: LabUpOptions,
): Promise<{ readonly document: LabDocument; readonly already: boolean }> {
  const { root } = options
  assertPossible(options)
  await orNotWritable(root, ensureFolder(labFolder(root), 0o700))
  return withLabLocked(root, () => bringUp(options))
}

/** @throws LAB_SIZE_INVALID, or LAB_NUMBER_INVALID for another number than that of the hosts. */
function assertPossible(options: LabUpOptions): void {
  const { hosts = 1 } = options
  if (!Number.isInteger(hosts) || hosts < 1 || hosts > MOST_HOSTS) throw fail('LAB_SIZE_INVALID', { hosts })
  const bounds = [
    ['vms', 0, MOST_VMS],
    ['seed', 0, MOST_SEED],
    ['speed', 1, MOST_SPEED],
  ] as const
  for (const [option, least, most] of bounds) {
    const given = options[option] ?? least
    if (!Number.isInteger(given) || given < least || given > most) {
      throw fail('LAB_NUMBER_INVALID', { option, given, least, most })
    }
  }
}

/** @throws LAB_SIZE_DIFFERS or LAB_OTHERWISE when the lab that is there was made with other numbers. */
async function assertSame(known: Lab, options: LabUpOptions): Promise<void> {
  const { root, hosts } = options
  if (hosts !== undefined && hosts !== known.hosts.length) {
    throw fail('LAB_SIZE_DIFFERS', { hosts: known.hosts.length, asked: hosts, root })
  }
  for (const option of ['vms', 'seed', 'speed', 'load'] as const) {
    const [was, asked] = [known[option], options[option]]
    if (asked !== undefined && was !== undefined && asked !== was) {
      throw fail('LAB_OTHERWISE', { option, was, asked, root })
    }
  }
  if (options.trace === undefined) return
  const was = known.trace ? await readFile(traceFile(root), 'utf8') : undefined
  if (was === (await readGivenTrace(options.trace))) return
  throw fail('LAB_OTHERWISE', {
    option: 'trace',
    was: known.trace ? traceFile(root) : 'none',
    asked: options.trace,
    root,
  })
}

async function bringUp(options: LabUpOptions): ReturnType<typeof labUp> {
  const { root, addHosts = [], hostProgram = programPath('lab-host.js') } = options
  const known = await orNotWritable(root, findLab(root))
  if (known) await assertSame(known, options)
  const lab = known ?? (await orNotWritable(root, installLab(options)))
  await addNames(lab, root, addHosts)
  const stopped: string[] = []
  for (const { name } of lab.hosts) if (!(await findProcess(hostRoot(root, name)))) stopped.push(name)
  await mapBounded(stopped, PROCESSES_AT_A_TIME, (name) => startProcess(hostRoot(root, name), hostProgram))
  await waitUntilComplete(lab, root)
  return { document: await labStatus(root), already: stopped.length === 0 }
}

/** Stops every host; their folders stay. @throws LAB_NOT_FOUND */
export async function labDown(root: string): Promise<{ readonly already: boolean }> {
  if (!existsSync(labFolder(root))) await readLab(root)
  return withLabLocked(root, async () => {
    const lab = await readLab(root)
    const running: string[] = []
    for (const { name } of lab.hosts) if (await findProcess(hostRoot(root, name))) running.push(name)
    await Promise.all(running.map((name) => endProcess(hostRoot(root, name), 'SIGTERM')))
    return { already: running.length === 0 }
  })
}

/** Asks every host what it holds and whether it could connect to WLB. @throws LAB_NOT_FOUND */
export async function labStatus(root: string): Promise<LabDocument> {
  const lab = await readLab(root)
  const asked = await Promise.all(
    lab.hosts.map(async ({ name }) => {
      const folder = hostRoot(root, name)
      const status = await askHost(folder)
      return { status, wlb: status ? await requestHandshake(folder) : undefined }
    }),
  )
  const live = new Set(asked.flatMap(({ status }) => status?.live ?? []))
  const guests = asked.find(({ status }) => status?.role === 'coordinator')?.status?.guests
  const hosts = lab.hosts.map(({ name, uuid, address }, index): LabHostReport => {
    const { status, wlb } = asked[index] ?? {}
    return {
      name,
      uuid,
      role: status?.role ?? 'unknown',
      address,
      tlsPort: lab.tlsPort,
      plainPort: lab.plainPort,
      root: hostRoot(root, name),
      pid: status?.pid ?? null,
      live: live.has(uuid),
      certificates: status?.certificates ?? [],
      crls: status?.crls ?? [],
      bundle: status?.bundle ?? 'unknown',
      vms: guests ? (guests[uuid] ?? 0) : null,
      wlb: wlb ?? null,
    }
  })
  const { pool, username, password, reader = null, speed, seed } = lab
  return { pool, username, password, reader, speed, seed, hosts }
}

async function installLab(options: LabUpOptions): Promise<Lab> {
  const { root, hosts: count = DEFAULT_HOSTS, addHosts = [], tlsClient = 'node' } = options
  const { refusalDelayMs = REFUSAL_DELAY_MS, vms = count * DEFAULT_VMS_A_HOST, speed = 1 } = options
  const { seed = randomInt(MOST_SEED), load = 'diurnal' } = options
  const trace = options.trace !== undefined
  if (options.trace !== undefined) await replaceFile(traceFile(root), await readGivenTrace(options.trace), 0o644)
  const { addresses, plainPort, tlsPort } = await chooseAddresses(count)
  const lab: Lab = {
    pool: randomUUID(),
    username: 'root',
    password: randomBytes(18).toString('base64url'),
    reader: { username: 'reader', password: randomBytes(18).toString('base64url') },
    tlsClient,
    plainPort,
    tlsPort,
    vms,
    seed,
    speed,
    load,
    trace,
    hosts: addresses.map((address, index) => ({
      name: `xs${index + 1}`,
      uuid: randomUUID(),
      address: readHostAddress(address, 'a host of the lab'),
    })),
  }
  const { pool: poolUuid, hosts, ...shared } = lab
  const settings = hosts.map((host) => ({ ...shared, ...host, poolUuid, refusalDelayMs }))
  await installPool({
    hosts: settings.map((one) => ({ settings: one, root: hostRoot(root, one.name) })),
    addHosts,
    vms,
    seed,
    now: new Date(),
  })
  await writeLab(root, lab)
  return lab
}

/** Adds names to the hosts of a lab that exists; names that they know with that address are left alone. */
async function addNames(lab: Lab, root: string, names: LabUpOptions['addHosts'] = []): Promise<void> {
  for (const host of lab.hosts) {
    const path = layoutOf(hostRoot(root, host.name)).hosts
    const known = await readFile(path, 'utf8')
    const missing = names.filter(({ name, address }) => findAddress(known, name) !== address)
    if (missing.length > 0) await appendFile(path, missing.map(({ name, address }) => `${address}\t${name}\n`).join(''))
  }
}

/**
 * Waits until every host answers, and one is coordinator and sees all the others. That condition is checked first,
 * because it is met last.
 */
async function waitUntilComplete({ hosts }: Lab, root: string): Promise<void> {
  const ask = ({ name }: { readonly name: string }) => askHost(hostRoot(root, name))
  let likelyCoordinator = hosts[0]
  const isComplete = async () => {
    const first = likelyCoordinator && (await ask(likelyCoordinator))
    if (first?.role === 'coordinator' && first.live.length < hosts.length) return false
    const statuses = await Promise.all(hosts.map(ask))
    const found = statuses.findIndex((status) => status?.role === 'coordinator')
    likelyCoordinator = hosts[found] ?? likelyCoordinator
    return statuses[found]?.live.length === hosts.length && statuses.every((status) => status?.settled)
  }
  await waitUntil(
    'all hosts of the pool',
    hostRoot(root, hosts[0]?.name ?? ''),
    isComplete,
    hosts.length * WAIT_PER_HOST_MS,
  )
}

/**
 * Returns the path of another program of ours: they lie in one folder, and the running one may have been started by a
 * link.
 */
export function programPath(name: string): string {
  return join(dirname(realpathSync(process.argv[1] ?? '.')), name)
}

const NOT_WRITABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EEXIST', 'ENOENT']

async function orNotWritable<T>(root: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (error instanceof WlbError || !NOT_WRITABLE.includes(code)) throw error
    throw fail('LAB_NOT_WRITABLE', { folder: labFolder(root), reason: code }, error)
  }
}

/**
 * One address in 127.0.0.0/8 per host, and one pair of ports for all. The plain port is 80 and the TLS port 443 where
 * the user may listen there; otherwise the TLS port is the plain port plus 363, as 443 is 80 plus 363
 * (docs/protocol/pool.md, ports).
 */
interface Addresses {
  readonly addresses: readonly string[]
  readonly plainPort: number
  readonly tlsPort: number
}

const TLS_OFFSET = 363
const FIRST_HIGH_PORT = 8080
const BLOCKS_TO_TRY = 20
const PORTS_TO_TRY = 20

/** Finds addresses and ports that are free, by listening on them briefly. @throws LAB_NO_ADDRESS */
async function chooseAddresses(count: number): Promise<Addresses> {
  for (let attempt = 0; attempt < BLOCKS_TO_TRY; attempt++) {
    // Blocks are tried at random, so that labs started at the same moment do not meet.
    const block = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`
    const addresses = Array.from({ length: count }, (_, index) => `${block}.${index + 1}`)
    for (const plainPort of plainPorts()) {
      const tlsPort = plainPort + TLS_OFFSET
      if (await areFree(addresses, [plainPort, tlsPort])) return { addresses, plainPort, tlsPort }
    }
  }
  throw fail('LAB_NO_ADDRESS', { hosts: count, blocksTried: BLOCKS_TO_TRY })
}

function plainPorts(): number[] {
  return [80, ...Array.from({ length: PORTS_TO_TRY }, (_, index) => FIRST_HIGH_PORT + index)]
}

async function areFree(addresses: readonly string[], ports: readonly number[]): Promise<boolean> {
  for (const address of addresses) {
    for (const port of ports) if (!(await isFree(address, port))) return false
  }
  return true
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, address, () => server.close(() => resolve(true)))
  })
}
