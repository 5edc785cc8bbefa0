import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { findPortHolder, foreseePortInUse } from '../../src/tls/listener/port-holder.js'

const cases: [listensAt: string, wantedAt: string, found: boolean][] = [
  ['127.0.0.1', '127.0.0.1', true],
  ['0.0.0.0', '127.0.0.1', true],
  ['127.0.0.1', '0.0.0.0', true],
  ['127.0.0.1', '127.0.0.2', false],
  ['::', '127.0.0.1', true],
  ['::', '::1', true],
  ['::1', '::1', true],
  ['::1', '127.0.0.1', false],
  ['::1', '0.0.0.0', false],
  ['127.0.0.1', '::', true],
]

it.each(cases)('a process listens at %s, its port is wanted at %s: found %s', async (address, wanted, found) => {
  const script = `const s = require('node:net').createServer().listen(0, '${address}', () => console.log(s.address().port))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [line]: Buffer[] = await once(child.stdout, 'data')
    const holder = await findPortHolder(wanted, Number(line))
    expect(holder).toEqual(found ? { pid: child.pid, program: 'node' } : undefined)
    const fault = await foreseePortInUse(wanted, Number(line))
    expect(fault?.facts.pid).toBe(found ? child.pid : undefined)
    expect(await foreseePortInUse(wanted, Number(line), child.pid)).toBeUndefined()
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

it('finds the process whose outgoing connection was given the port', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port }: Partial<AddressInfo> = Object(server.address())
  const socket = connect({ host: '127.0.0.1', port: Number(port) })
  await once(socket, 'connect')
  expect(await findPortHolder('127.0.0.1', Number(socket.localPort))).toMatchObject({ pid: process.pid })
  socket.destroy()
  server.close()
  await once(server, 'close')
})

it('finds nobody at a port that nobody has', async () => {
  expect(await findPortHolder('127.0.0.1', 1)).toBeUndefined()
})
