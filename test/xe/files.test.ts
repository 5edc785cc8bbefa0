import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { encodeCommand } from '../../src/xapi/index.js'
import { readUpload, say } from '../xapi/fake-server.js'
import { said, setStage } from './stage.js'

const stage = setStage()
const { converse } = stage

describe('files the server asks for', () => {
  it('sends one that was named, as one chunk', async () => {
    await writeFile(stage.work('w.pem'), 'hello')
    const received: unknown[] = []
    const run = await converse(
      async (peer) => {
        const reader = await peer.greet()
        peer.socket.write(encodeCommand({ name: 'Load', file: 'w.pem' }))
        received.push(await reader.readMessage(), (await readUpload(reader)).toString())
        peer.exit(0)
      },
      ['pool-certificate-install', 'filename=w.pem'],
    )
    expect(run).toEqual(said('', '', 0))
    expect(received).toEqual([{ kind: 'response', response: 'OK' }, 'hello'])
  })

  it('sends a device as long as its size says: nothing', async () => {
    const received: unknown[] = []
    const run = await converse(
      async (peer) => {
        const reader = await peer.greet()
        peer.socket.write(encodeCommand({ name: 'Load', file: '/dev/null' }))
        received.push(await reader.readMessage(), (await readUpload(reader)).toString())
        peer.exit(0)
      },
      ['pool-certificate-install', 'filename=/dev/null'],
    )
    expect(run).toEqual(said('', '', 0))
    expect(received).toEqual([{ kind: 'response', response: 'OK' }, ''])
  })

  it.each([
    ['one that is not there', 'gone.pem'],
    ['a folder', '.'],
  ])('says Failed for %s, and goes on', async (_what, file) => {
    const received: unknown[] = []
    const run = await converse(
      async (peer) => {
        const reader = await peer.greet()
        peer.socket.write(encodeCommand({ name: 'Load', file }))
        received.push(await reader.readMessage())
        peer.socket.write(encodeCommand({ name: 'PrintStderr', text: 'Failed to read certificate\n' }))
        peer.exit(1)
      },
      ['pool-certificate-install', `filename=${file}`],
    )
    expect(run).toEqual(said('', 'Failed to read certificate\n', 1))
    expect(received).toEqual([{ kind: 'response', response: 'Failed' }])
  })

  const requests: [asked: Parameters<typeof encodeCommand>[0], file: string][] = [
    [{ name: 'Load', file: '/etc/hostname' }, '/etc/hostname'],
    [{ name: 'Load', file: 'w.pem/../other' }, 'w.pem/../other'],
    [{ name: 'Load', file: '' }, ''],
    [{ name: 'HttpPut', file: '/etc/hostname', url: '/x' }, '/etc/hostname'],
    [{ name: 'HttpGet', file: '/tmp/x', url: '/x' }, '/tmp/x'],
  ]
  it.each(requests)('gives nothing that was not named: %o', async (asked, file) => {
    const stderr = `File not permitted: Blocked upload/download of the file ${file}, which was requested by the server. The file name was not present on the command line\n.\n`
    expect(await converse(say(0, asked), ['pool-certificate-install', 'filename=w.pem'])).toEqual(said('', stderr, 1))
  })

  const uploads: [command: string, content: string, warned: 'warns' | 'is silent'][] = [
    ['pool-certificate-install', '-----BEGIN PRIVATE KEY-----', 'warns'],
    ['pool-certificate-install', '-----BEGIN CERTIFICATE-----\r\n...\r\n-----BEGIN RSA PRIVATE KEY-----\r\n', 'warns'],
    ['pool-certificate-install', '-----BEGIN ENCRYPTED PRIVATE KEY-----', 'warns'],
    ['pool-install-ca-certificate', '-----BEGIN EC PRIVATE KEY-----', 'warns'],
    ['pool-install-ca-certificate', '-----BEGIN CERTIFICATE-----', 'is silent'],
    ['pool-certificate-install', '', 'is silent'],
    ['host-server-certificate-install', '-----BEGIN PRIVATE KEY-----', 'is silent'],
    ['vm-import', '-----BEGIN PRIVATE KEY-----', 'is silent'],
  ]
  it.each(uploads)('%s of "%s" %s, and the file is sent', async (command, content, warned) => {
    await writeFile(stage.work('w.pem'), content)
    let sent = ''
    const run = await converse(
      async (peer) => {
        const reader = await peer.greet()
        peer.socket.write(encodeCommand({ name: 'Load', file: 'w.pem' }))
        await reader.readMessage()
        sent = (await readUpload(reader)).toString()
        peer.exit(3)
      },
      [command, 'filename=w.pem'],
    )
    const warning =
      'xe: warning: w.pem holds a private key, which certificates installed in a pool do not need; every host gets a copy\n'
    expect(run).toEqual(said('', warned === 'warns' ? warning : '', 3))
    expect(sent).toBe(content)
  })

  it('a server that refuses 33 MiB while they are sent is heard', async () => {
    await writeFile(stage.work('big.pem'), Buffer.alloc(33 * 1024 * 1024, 'x'))
    const stderr =
      'Error: Fatal error: A CLI client tried to transfer more than the maximum allowed of 33554432B, aborting.\n'
    const run = await converse(
      async (peer) => {
        const reader = await peer.greet()
        peer.socket.write(encodeCommand({ name: 'Load', file: 'big.pem' }))
        await reader.readMessage()
        await reader.readMessage()
        peer.socket.write(encodeCommand({ name: 'PrintStderr', text: stderr }))
        peer.exit(1)
      },
      ['pool-certificate-install', 'filename=big.pem'],
    )
    expect(run).toEqual(said('', stderr, 1))
    expect(await converse(say(0))).toEqual(said('', '', 0))
  })

  it('a server that goes away in the middle of a file', async () => {
    await writeFile(stage.work('big.pem'), Buffer.alloc(33 * 1024 * 1024, 'x'))
    const run = await converse(
      async (peer) => {
        const reader = await peer.greet()
        peer.socket.write(encodeCommand({ name: 'Load', file: 'big.pem' }))
        await reader.readMessage()
        await reader.readMessage()
        peer.socket.destroy()
      },
      ['pool-certificate-install', 'filename=big.pem'],
    )
    expect(run).toEqual(said('', 'Failed to upload file big.pem\n', 1))
  })

  it('an empty file is an empty chunk', async () => {
    await writeFile(stage.work('empty.pem'), '')
    let length: number | undefined
    await converse(
      async (peer) => {
        const reader = await peer.greet()
        peer.socket.write(encodeCommand({ name: 'Load', file: stage.work('empty.pem') }))
        await reader.readMessage()
        length = (await readUpload(reader)).length
        peer.exit(0)
      },
      ['pool-certificate-install', 'filename=./empty.pem'],
    )
    expect(length).toBe(0)
  })
})
