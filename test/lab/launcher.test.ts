/** Labs come up, go down and come back with all they know; two at once do not meet. */
import { statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { labDown, labExec, labStatus, labUp } from '../../src/lab/index.js'
import { buildHostProgram } from './lab-program.js'
import { TestPool } from './test-pool.js'

const program = buildHostProgram()

describe('a lab', () => {
  const pool = new TestPool(program)
  afterAll(() => pool.remove())

  test('comes up, and says so when it is up', async () => {
    expect(await pool.up({ hosts: 2 })).toBe(false)
    const first = pool.document
    expect(first.hosts.map(({ name, role, live }) => [name, role, live])).toEqual([
      ['xs1', 'coordinator', true],
      ['xs2', 'member', true],
    ])
    expect(await pool.up({ hosts: 2 })).toBe(true)
    expect(pool.document).toEqual(first)
  })

  test('ports have one rule: TLS is 363 above plain', () => {
    for (const { plainPort, tlsPort } of pool.document.hosts) expect(tlsPort).toBe(plainPort + 363)
  })

  test('secrets are their owner’s alone', () => {
    const mode = (path: string) => (statSync(join(pool.root, 'lab', path)).mode & 0o777).toString(8)
    expect(mode('.')).toBe('700')
    for (const path of ['lab.json', 'xs1/etc/xensource/ptoken', 'xs1/etc/xensource/lab.json'])
      expect(mode(path)).toBe('600')
    for (const path of ['xapi-ssl.pem', 'xapi-pool-tls.pem']) expect(mode(`xs2/etc/xensource/${path}`)).toBe('600')
    expect(mode('xs1/var/lib/xcp/state.db')).toBe('600')
  })

  test('a command on a host has that host’s xe, and its exit code', async () => {
    const xe = join(pool.root, 'xe.mjs')
    writeFileSync(xe, 'process.exit(process.env.XE_ROOT.endsWith(process.argv[2]) ? 7 : 8)\n')
    const run = (host: string, ...command: string[]) => labExec({ root: pool.root, host, command, xeProgram: xe })
    expect(await run('xs2', 'xe', '/lab/xs2')).toBe(7)
    expect(await run('xs1', 'sh', '-c', 'exit 3')).toBe(3)
    expect(await run('xs1', 'sh', '-c', 'kill -9 $$')).toBe(137)
    await expect(run('xs1', 'no-such-program')).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' })
    await expect(run('xs9', 'true')).rejects.toMatchObject({ code: 'LAB_HOST_UNKNOWN' })
  })

  test('goes down and comes back as it was', async () => {
    const self = String(await pool.call('xs1', 'pool.get_all'))
    await pool.call('xs1', 'pool.set_name_description', self, 'kept')
    const { hosts } = pool.document
    expect(await labDown(pool.root)).toEqual({ already: false })
    expect(await labDown(pool.root)).toEqual({ already: true })
    expect((await labStatus(pool.root)).hosts.map(({ pid }) => pid)).toEqual([null, null])
    expect(await pool.up({ addHosts: [{ name: 'late.lab.internal', address: '127.0.0.9' }] })).toBe(false)
    expect(pool.document.hosts.map(({ address, uuid }) => [address, uuid])).toEqual(
      hosts.map(({ address, uuid }) => [address, uuid]),
    )
    expect(await pool.call('xs2', 'pool.get_name_description', self)).toBe('kept')
    expect(pool.text('xs2', 'etc/hosts')).toContain('127.0.0.9\tlate.lab.internal')
  })

  test('a port taken meanwhile is named', async () => {
    await pool.fault('stop', 'xs2')
    const { address, tlsPort } = pool.host('xs2')
    const squatter = createServer()
    await new Promise<void>((resolve) => squatter.listen(tlsPort, address, resolve))
    await expect(pool.fault('start', 'xs2')).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      facts: { address, port: tlsPort },
    })
    await new Promise((resolve) => squatter.close(resolve))
    await pool.fault('start', 'xs2')
  })

  test('one lab, brought up twice at the same moment, comes up once', async () => {
    const other = new TestPool(program)
    try {
      const already = await Promise.all([other.up({ hosts: 2 }), other.up({ hosts: 2 }), other.up({ hosts: 2 })])
      expect(already.sort()).toEqual([false, true, true])
      expect(await other.call('xs2', 'host.get_all')).toHaveLength(2)
    } finally {
      await other.remove()
    }
  })

  test('two labs at once do not meet', async () => {
    const others = [new TestPool(program), new TestPool(program)]
    try {
      await Promise.all(others.map((other) => other.up({ hosts: 2 })))
      const addresses = [pool, ...others].flatMap(({ document }) => document.hosts.map(({ address }) => address))
      expect(new Set(addresses).size).toBe(6)
      for (const other of others) expect(await other.call('xs2', 'host.get_all')).toHaveLength(2)
    } finally {
      await Promise.all(others.map((other) => other.remove()))
    }
  })
})

test('where there is no lab, commands say how to get one', async () => {
  await expect(labStatus(join(import.meta.dirname, 'nowhere'))).rejects.toMatchObject({
    code: 'LAB_NOT_FOUND',
    remedy: 'wlb lab up',
  })
})

test('a lab of no hosts, and a folder that is none, are refused', async () => {
  await expect(labUp({ root: '/tmp', hosts: 0, hostProgram: program })).rejects.toMatchObject({
    code: 'LAB_SIZE_INVALID',
  })
  await expect(labUp({ root: program, hosts: 1, hostProgram: program })).rejects.toMatchObject({
    code: 'LAB_NOT_WRITABLE',
    facts: { reason: 'ENOTDIR' },
  })
})
