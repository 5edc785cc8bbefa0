/** The real stunnel, configured as a pool configures it, against a server that sends the set. */
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type TlsOptions } from 'node:tls'
import { promisify } from 'node:util'
import { dialAsPool, type TlsFailure } from '../../src/tls/index.js'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { ACCEPTED, type Answer, type JudgedSet, refused } from './judge.js'

const run = promisify(execFile)

/** Serves and dials once. It knows the real clock only, and needs a leaf with an RSA key, as a pool does. */
export async function askStunnel(set: JudgedSet, server: TlsOptions = {}): Promise<Answer> {
  return withServer(set, server, async (port, directory) => {
    const bundlePath = join(directory, 'bundle.pem')
    if (set.bundle !== undefined) await writeFile(bundlePath, set.bundle)
    const crlDirectory = join(directory, 'crls')
    await mkdir(crlDirectory)
    const files = Object.entries(set.crlFiles)
    for (const [name, content] of files) await writeFile(join(crlDirectory, name), content)
    // it complains, with exit code 1, of a file it has to leave out
    if (files.length > 0) await run('openssl', ['rehash', crlDirectory]).catch(() => {})
    const connection = await dialAsPool({
      client: 'stunnel',
      serverName: set.name,
      address: OWN_ADDRESS,
      port,
      verify: { bundlePath, crlDirectory },
      timeoutMs: 20_000,
    })
    if (connection.state === 'failed') return refused(describeFailure(connection.failure))
    connection.stream.destroy()
    return ACCEPTED
  })
}

/** Serves what the set sends while `use` runs, and gives it a folder of its own. */
export async function withServer<T>(
  set: JudgedSet,
  options: TlsOptions,
  use: (port: number, directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'differential-'))
  try {
    const { port, close } = await serve(set, options, directory)
    try {
      return await use(port, directory)
    } finally {
      await close()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function describeFailure(failure: TlsFailure): string {
  if (failure.kind === 'verify') return failure.reason
  return failure.kind === 'stunnel' ? failure.indicator : failure.kind
}

interface Served {
  readonly port: number
  close(): Promise<void>
}

/** Node's server where it takes the chain; openssl's own, who looks less closely, where it does not. */
async function serve(set: JudgedSet, more: TlsOptions, directory: string): Promise<Served> {
  try {
    return await serveWithNode(set, more)
  } catch {
    return serveWithOpenssl(set, directory)
  }
}

async function serveWithNode({ sent, leafKeyPem }: JudgedSet, more: TlsOptions): Promise<Served> {
  const cert = sent.map(String).join('')
  const options: TlsOptions = { cert, key: leafKeyPem, ecdhCurve: 'auto', ciphers: 'ALL:@SECLEVEL=0', ...more }
  const open = new Set<{ destroy(): void }>()
  const server = createServer(options, (socket) => socket.on('error', () => {}))
  server.on('connection', (socket) => open.add(socket))
  server.on('tlsClientError', () => {}) // the client's refusal, which the client tells better
  await new Promise<void>((resolve) => server.listen(0, OWN_ADDRESS, resolve))
  return {
    port: portOf(server.address()),
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

async function serveWithOpenssl({ sent, leafKeyPem }: JudgedSet, directory: string): Promise<Served> {
  const [leaf, ...others] = sent
  await writeFile(join(directory, 'leaf.pem'), String(leaf))
  await writeFile(join(directory, 'key.pem'), leafKeyPem)
  await writeFile(join(directory, 'chain.pem'), others.map(String).join(''))
  const port = await freePort()
  const args = [
    '-accept',
    `${OWN_ADDRESS}:${port}`,
    '-cert',
    'leaf.pem',
    '-key',
    'key.pem',
    '-cipher',
    'ALL:@SECLEVEL=0',
  ]
  if (others.length > 0) args.push('-cert_chain', 'chain.pem')
  const child = spawn('openssl', ['s_server', ...args], { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] })
  await new Promise<void>((resolve) => {
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('ACCEPT')) resolve()
    })
    child.once('close', () => resolve())
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    port,
    close: async () => {
      if (child.exitCode === null && child.kill('SIGKILL')) await closed
    },
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}
