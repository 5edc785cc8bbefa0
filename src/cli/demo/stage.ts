/** The demo's folder, and how it runs the programs there as an operator would, with their output. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WlbError } from '../../base/error.js'
import { systemCode, touching } from '../../base/files/file-failure.js'
import { fail } from '../errors.js'

export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

export interface Stage {
  readonly root: string
  /** The folder commands are run in, and where files are copied to. */
  readonly folder: string
  readonly passwordFile: string
  readonly password: string
  /** Runs `wlb --root ROOT …` to its end. @throws DEMO_ENDED once `close` was called */
  wlb(...args: readonly string[]): Promise<Outcome>
  /** Starts the appliance and returns its `ready …` line. */
  serve(): Promise<string>
  /** Starts nothing more, waits for running commands, then removes all processes and files. */
  close(): Promise<void>
}

const COMMAND_TIMEOUT_MS = 60_000
const READY_TIMEOUT_MS = 60_000

async function makeRoot(): Promise<string> {
  const place = tmpdir()
  try {
    return await touching(place, () => mkdtemp(join(place, 'openwlb-demo-')))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw fail('TEMPORARY_FOLDER_MISSING', { folder: place }, error)
    if (!(error instanceof WlbError && error.code === 'PATH_NOT_PERMITTED')) throw error
    throw fail('TEMPORARY_FOLDER_NOT_PERMITTED', { folder: place, systemError: error.facts.systemError ?? '' }, error)
  }
}

/** Makes the folder; `program` is the path of `wlb` itself. */
export async function openStage(program: string): Promise<Stage> {
  const root = await makeRoot()
  const folder = join(root, 'root')
  const passwordFile = join(folder, 'wlb-password')
  const password = 'a password for the demo'
  await mkdir(folder)
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  let appliance: ChildProcess | undefined
  const underWay = new Set<Promise<Outcome>>()
  let closed = false

  const start = (args: readonly string[]) =>
    spawn(process.execPath, [program, '--root', root, ...args], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1', XDG_CONFIG_HOME: join(root, 'config') },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // Ctrl-C reaches only the demo, which then ends the others in order
    })

  const runToEnd = async (args: readonly string[]): Promise<Outcome> => {
    const child = start(args)
    const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT_MS)
    const [stdout, stderr, [exitCode]] = await Promise.all([
      readAll(child.stdout),
      readAll(child.stderr),
      once(child, 'close'),
    ])
    clearTimeout(timer)
    return { stdout, stderr, exitCode: typeof exitCode === 'number' ? exitCode : 1 }
  }

  const wlb = async (...args: readonly string[]) => {
    if (closed) throw fail('DEMO_ENDED', {})
    const outcome = runToEnd(args)
    underWay.add(outcome)
    return outcome.finally(() => underWay.delete(outcome))
  }

  return {
    root,
    folder,
    passwordFile,
    password,
    wlb,
    serve: async () => {
      if (closed) throw fail('DEMO_ENDED', {})
      appliance = start(['serve'])
      return await firstLine(appliance)
    },
    close: async () => {
      closed = true
      // A `lab up` that is cut off leaves hosts that no `lab down` knows of.
      await Promise.allSettled(underWay)
      await runToEnd(['lab', 'down'])
      if (appliance && appliance.exitCode === null && appliance.signalCode === null) {
        appliance.kill('SIGTERM')
        await once(appliance, 'exit')
      }
      await rm(root, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

export interface HeldPort {
  readonly port: number
  /** Stops listening, so that the appliance can. */
  release(): Promise<void>
}

/** Listens on the first port from `wanted` on that is free, so that another demo started meanwhile takes the next one. */
export async function holdFreePort(address: string, wanted: number): Promise<HeldPort> {
  for (let port = wanted; port < wanted + 100; port++) {
    const server = createServer().unref()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, address, () => resolve(true))
    })
    if (isFree) return { port, release: () => new Promise((resolve) => server.close(() => resolve())) }
  }
  throw fail('PORT_IN_USE', { address, from: wanted, to: wanted + 99 })
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    const timer = setTimeout(() => reject(fail('DEMO_APPLIANCE_NOT_READY', { said: stderr.trim() })), READY_TIMEOUT_MS)
    child.stdout?.on('data', (piece: Buffer) => {
      stdout += piece
      if (!stdout.includes('\n')) return
      clearTimeout(timer)
      resolve(stdout.slice(0, stdout.indexOf('\n')))
    })
    child.stderr?.on('data', (piece: Buffer) => {
      stderr = (stderr + piece).slice(-4000)
    })
    child.once('exit', () => {
      clearTimeout(timer)
      reject(fail('DEMO_APPLIANCE_NOT_READY', { said: stderr.trim() }))
    })
  })
}
