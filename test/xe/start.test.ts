import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { say } from '../xapi/fake-server.js'
import { said, setStage } from './stage.js'

const stage = setStage()
const { converse, serve } = stage

describe('this host', () => {
  it('is reached by its socket, and only by its literal address', async () => {
    await mkdir(join(stage.xe.folder, 'var/lib/xcp'), { recursive: true })
    const local = await serve(say(0, { name: 'Print', text: 'local' }), {
      path: join(stage.xe.folder, 'var/lib/xcp/xapi'),
    })
    expect(await stage.xe.run(['pool-list'])).toEqual(said('local\n', '', 0))
    expect(await stage.xe.run(['pool-list', '-s', '127.0.0.1', '-p', '9'])).toEqual(said('local\n', '', 0))
    expect(local.requests[0]?.body).toBe('pool-list\nusername=root\npassword=null')
    expect((await stage.xe.run(['pool-list', '--nossl', '-s', 'localhost', '-p', '9'])).stderr).toMatch(
      /^Error: Connection refused/,
    )
    await local.close()
  })

  it('or by plain TCP where there is no socket', async () => {
    const { port } = await serve(say(0, { name: 'Print', text: 'plain' }), { address: '127.0.0.1' })
    expect(await stage.xe.run(['x', '-p', String(port)], { env: { XE_ROOT: '/nowhere' } })).toEqual(
      said('plain\n', '', 0),
    )
  })

  it('at a path of any length', async () => {
    const root = stage.work('d'.repeat(200))
    await mkdir(join(root, 'var/lib/xcp'), { recursive: true })
    const cwd = process.cwd()
    process.chdir(join(root, 'var/lib/xcp'))
    await serve(say(0, { name: 'Print', text: 'deep' }), { path: 'xapi' }).finally(() => process.chdir(cwd))
    expect((await stage.xe.run(['x'], { env: { XE_ROOT: root } })).stdout).toBe('deep\n')
  })
})

describe('calls that end at once', () => {
  const cases: [args: string[], exitCode: number, stdout: RegExp, stderr: RegExp][] = [
    [[], 0, /^$/, /^Usage: xe /],
    [['--help'], 0, /^$/, /^Usage: xe /],
    [['x', '-help'], 0, /^$/, /^Usage: xe /],
    [['x', '-version'], 0, /^ThinCLI protocol: 0\.2\n$/, /^$/],
    [['x', '-p', 'http'], 0, /^$/, /^Port number must be an integer \(0-65535\)\nUsage: xe /],
    [['x', '-pwf', '/nowhere'], 1, /^$/, /^Error opening password file '\/nowhere'\n$/],
    [
      ['x', '-pwf', '/dev/null'],
      1,
      /^$/,
      /^Error: password file format: expecting username on the first line, password on the second line\n$/,
    ],
    [['x', 'nossl=1'], 1, /^$/, /^Unhandled exception\n/],
  ]
  it.each(cases)('%j', async (args, exitCode, stdout, stderr) => {
    const run = await stage.xe.run(args)
    expect(run.exitCode).toBe(exitCode)
    expect(run.stdout).toMatch(stdout)
    expect(run.stderr).toMatch(stderr)
  })

  it('a wrong ~/.xe is said and ignored', async () => {
    await writeFile(join(stage.xe.folder, '.xe'), 'nonsense\n')
    const run = await converse(say(0))
    await rm(join(stage.xe.folder, '.xe'))
    expect(run).toEqual(said('', 'Error parsing rc file. No defaults loaded\n', 0))
  })
})

it('carries no library', () => {
  expect(stage.xe.inputs.filter((input) => input.includes('node_modules'))).toEqual([])
})
