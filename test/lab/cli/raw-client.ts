/** A thin CLI client that knows nothing of ours: it takes frames apart by hand and does what an `xe` would. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { CliSession, ThinCliHost } from '../../../src/lab/thin-cli/command.js'
import { serveThinCli } from '../../../src/lab/thin-cli/server.js'
import { ApiFailure } from '../../../src/xapi/index.js'
import type { PoolInMemory } from './pool-in-memory.js'

export const BANNER_BYTES = Buffer.from('58656e536f75726365207468696e20434c492070726f746f636f6c0000000002000000', 'hex')

export interface Said {
  readonly stdout: string
  readonly stderr: string
  readonly exit: number | undefined
  /** Every frame after the first that said how it ended. */
  readonly exits: readonly number[]
}

export interface Client {
  readonly files?: Readonly<Record<string, string | Buffer>>
  /** What to answer when told to fetch something. */
  readonly fetches?: (file: string, url: string) => 'OK' | 'Failed'
}

export const OK = Buffer.from('080000000a00000005000000', 'hex')
export const FAILED = Buffer.from('080000000a00000006000000', 'hex')
export const END = Buffer.from('080000000b00000008000000', 'hex')

/** A host that admits root with any password but `wrong`. */
export function hostFor(pool: PoolInMemory, changes: Partial<ThinCliHost> = {}): ThinCliHost & { log: string[] } {
  const log: string[] = []
  const session = (kind: string, ref: string): CliSession => ({
    ref,
    rpc: pool.rpc,
    logout: async () => void log.push(`${kind} logout`),
  })
  const login = (kind: string) => async (userName: string, password: string) => {
    if (password === 'wrong' || userName === '') {
      throw new ApiFailure('SESSION_AUTHENTICATION_FAILED', [userName, 'refused'])
    }
    log.push(`${kind} login ${userName}`)
    return session(kind, `OpaqueRef:${kind}`)
  }
  return {
    log,
    origin: 'network',
    apiVersion: '2.21',
    hostUuid: 'h',
    role: () => ({ kind: 'coordinator' }),
    login: login('user'),
    localLogin: login('local'),
    attach: async (ref) => {
      log.push(`attach ${ref}`)
      return session('attached', ref)
    },
    forward: async () => {
      throw new Error('nothing is forwarded here')
    },
    ...changes,
  }
}

/** Opens a connection on which the host serves this body; what the client says is up to the caller. */
export async function dial(
  host: ThinCliHost,
  body: string | Buffer,
): Promise<{ client: Socket; served: Promise<void> }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  const client = connect(address.port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  server.close()
  return { client, served: serveThinCli(socket, Buffer.from(body), host) }
}

/** Runs one command as `xe` does: the arguments, then the credentials. */
export async function xe(host: ThinCliHost, command: string | readonly string[], client: Client = {}): Promise<Said> {
  const words = typeof command === 'string' ? command.split(' ').filter((word) => word !== '') : command
  const { client: socket, served } = await dial(host, [...words, 'username=root', 'password=null'].join('\n'))
  const said = await obey(socket, client)
  await served
  socket.destroy()
  return said
}

/** Does what the server says until it ends the connection. */
export async function obey(socket: Socket, { files = {}, fetches = () => 'OK' }: Client): Promise<Said> {
  socket.write(BANNER_BYTES)
  let received = Buffer.alloc(0)
  let greeted = false
  let stdout = ''
  let stderr = ''
  const exits: number[] = []
  const answers = {
    Load(file: string) {
      const content = files[file]
      if (content === undefined) return socket.write(FAILED)
      const bytes = Buffer.from(content)
      const chunk = Buffer.from('0c0000000b0000000700000000000000', 'hex')
      chunk.writeInt32LE(bytes.length, 12)
      return socket.write(Buffer.concat([OK, chunk, bytes, END]))
    },
    HttpGet: (file: string, url: string) => socket.write(fetches(file, url) === 'OK' ? OK : FAILED),
  }
  for await (const piece of socket) {
    received = Buffer.concat([received, piece as Buffer])
    if (!greeted && received.length >= BANNER_BYTES.length) {
      if (!received.subarray(0, BANNER_BYTES.length).equals(BANNER_BYTES)) throw new Error('no banner')
      received = received.subarray(BANNER_BYTES.length)
      greeted = true
    }
    while (greeted && received.length >= 4 && received.length >= 4 + received.readInt32LE()) {
      const payload = received.subarray(4, 4 + received.readInt32LE())
      received = received.subarray(4 + payload.length)
      const strings = readStrings(payload)
      const tag = payload.readInt32LE(4)
      if (tag === 0) stdout += `${strings[0]}\n`
      else if (tag === 1) answers.Load(strings[0] ?? '')
      else if (tag === 4) exits.push(payload.readInt32LE(8))
      else if (tag === 12) answers.HttpGet(strings[0] ?? '', strings[1] ?? '')
      else if (tag === 14) stderr += errorLines(payload)
      else if (tag === 16) stderr += strings[0]
      else throw new Error(`unexpected tag ${tag}`)
    }
  }
  if (received.length > 0) throw new Error('a frame was cut short')
  return { stdout, stderr, exit: exits[0], exits }
}

function readStrings(payload: Buffer): string[] {
  const strings: string[] = []
  for (let at = 8; at + 4 <= payload.length; ) {
    const length = payload.readInt32LE(at)
    if (at + 4 + length > payload.length) break
    strings.push(payload.toString('utf8', at + 4, at + 4 + length))
    at += 4 + length
  }
  return strings
}

/** Code, a count, then that many parameters: the lines a client prints for it. */
function errorLines(payload: Buffer): string {
  const code = payload.toString('utf8', 12, 12 + payload.readInt32LE(8))
  let at = 12 + payload.readInt32LE(8)
  const count = payload.readInt32LE(at)
  at += 4
  const params = Array.from({ length: count }, () => {
    const length = payload.readInt32LE(at)
    at += 4 + length
    return payload.toString('utf8', at - length, at)
  })
  return `Error code: ${code}\nError parameters: ${params.join(', ')}\n`
}
