/**
 * Which process has a TCP port of this machine, as Linux shows it: the sockets of all processes with their inode numbers
 * (proc(5), /proc/net/tcp), and the open files of each process that this user may look at (/proc/PID/fd).
 */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { BlockList, isIPv6 } from 'node:net'
import { endianness } from 'node:os'
import { basename } from 'node:path'
import type { WlbError } from '../../base/error.js'
import { fail } from '../errors.js'

export interface PortHolder {
  readonly pid: number
  /** The process's own short name, such as `node`. */
  readonly program: string
}

interface TcpSocket {
  readonly address: string
  readonly port: number
  readonly isListening: boolean
  /** 0 for a closed connection that is remembered for a while and belongs to nobody. */
  readonly inode: number
}

/**
 * Finds the process whose socket keeps others from listening at `address` and `port`: one that listens there, or one with a
 * connection that was given the port as its own end. Undefined where that cannot be seen: the process of another user, one
 * that has just ended, a system without /proc.
 */
export async function findPortHolder(address: string, port: number): Promise<PortHolder | undefined> {
  const holding = await readHolding(address, port)
  const holder = holding.find(({ isListening }) => isListening) ?? holding[0]
  return holder && (await findProcess(`socket:[${holder.inode}]`))
}

/**
 * What a start at `address` and `port` would fail with once `pid` has ended, which may have the port now: PORT_IN_USE, with the process
 * where that can be seen. Nothing is opened to find out: a start that happens at this moment must not fail because of the question.
 */
export async function foreseePortInUse(address: string, port: number, pid?: number): Promise<WlbError | undefined> {
  for (const { isListening, inode } of await readHolding(address, port)) {
    const holder = isListening ? await findProcess(`socket:[${inode}]`) : undefined
    if (isListening && (holder === undefined || holder.pid !== pid))
      return fail('PORT_IN_USE', { address, port, ...holder })
  }
  return undefined
}

/** Sockets that are in the way at `address` and `port`: those of every address too, of either family. */
async function readHolding(address: string, port: number): Promise<readonly TcpSocket[]> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readOrNothing(path)))
  const inTheWay = new BlockList()
  for (const one of [address, '0.0.0.0', '::']) inTheWay.addAddress(one, familyOf(one))
  if (address === '0.0.0.0' || address === '::') inTheWay.addSubnet('0.0.0.0', 0, 'ipv4')
  if (address === '::') inTheWay.addSubnet('::', 0, 'ipv6')
  return tables
    .flatMap(readSockets)
    .filter((socket) => socket.port === port && socket.inode !== 0)
    .filter((socket) => inTheWay.check(socket.address, familyOf(socket.address)))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}

const LISTENING = '0A'

/** A line: number, local address and port, remote ones, state, and as the tenth column the inode. */
function readSockets(table: string): TcpSocket[] {
  return table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const columns = line.trim().split(/\s+/)
      const [address = '', port = ''] = (columns[1] ?? '').split(':')
      return {
        address: readAddress(address),
        port: Number.parseInt(port, 16),
        isListening: columns[3] === LISTENING,
        inode: Number(columns[9]),
      }
    })
}

/** Each four bytes are printed as one number, in the machine's byte order. */
function readAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  if (endianness() === 'LE') bytes.swap32()
  if (bytes.length === 4) return bytes.join('.')
  return (bytes.toString('hex').match(/.{4}/g) ?? []).join(':')
}

async function findProcess(file: string): Promise<PortHolder | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const folder = `/proc/${pid}/fd`
    const names = await readdir(folder).catch(() => [])
    const files = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')))
    if (files.includes(file)) return { pid: Number(pid), program: await readProgram(pid) }
  }
  return undefined
}

/** Node names its main thread, from release to release in another way, and with it the process. */
async function readProgram(pid: string): Promise<string> {
  const name = (await readOrNothing(`/proc/${pid}/comm`)).trim()
  return name.endsWith('MainThread') ? basename(await readlink(`/proc/${pid}/exe`).catch(() => name)) : name
}

function readOrNothing(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
