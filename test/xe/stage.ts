/** What the tests of a conversation share: the program, a folder to work in, servers that are gone after each test. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { type FakeServer, type Place, type Script, startFakeServer } from '../xapi/fake-server.js'
import { buildXe, type Run, type RunOptions, type XeProgram } from './program.js'

export interface Stage {
  readonly xe: XeProgram
  /** A path in the folder that commands run in; it is empty before each test. */
  work(...names: string[]): string
  serve(script: Script, place?: Place): Promise<FakeServer>
  /** Runs a command over plain TCP against a server that plays `script`. */
  converse(script: Script, args?: readonly string[], options?: RunOptions): Promise<Run>
}

export function setStage(): Stage {
  let built: XeProgram | undefined
  let servers: FakeServer[] = []
  const program = () => {
    if (!built) throw new Error('the program is built before the first test')
    return built
  }
  const work = (...names: string[]) => join(program().folder, 'work', ...names)
  const serve = async (script: Script, place?: Place) => {
    const server = await startFakeServer(script, place)
    servers.push(server)
    return server
  }

  beforeAll(async () => {
    built = await buildXe()
  })
  afterAll(() => built?.remove())
  beforeEach(() => mkdir(work()))
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.close()))
    servers = []
    await rm(work(), { recursive: true })
  })

  return {
    get xe() {
      return program()
    },
    work,
    serve,
    async converse(script, args = ['x'], options = {}) {
      const { address, port } = await serve(script)
      return program().run([...args, '--nossl', '-s', address, '-p', String(port)], { cwd: work(), ...options })
    },
  }
}

export const said = (stdout: string, stderr: string, exitCode: number): Run => ({ stdout, stderr, exitCode })
