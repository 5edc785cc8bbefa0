import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeBanner, encodeCommand, type ThinCliReader } from '../../src/xapi/index.js'
import { type Peer, readUpload, type Script, say } from '../xapi/fake-server.js'
import type { Run } from './program.js'
import { said, setStage } from './stage.js'

const stage = setStage()
const { converse, serve } = stage

describe('what the server says is what is printed', () => {
  const cases: [what: string, script: Script, run: Run][] = [
    ['Print adds a line end', say(0, { name: 'Print', text: 'ab' }), said('ab\n', '', 0)],
    ['PrintStderr adds nothing', say(1, { name: 'PrintStderr', text: 'no' }), said('', 'no', 1)],
    ['Exit 3', say(3), said('', '', 3)],
    ['Exit 255', say(255), said('', '', 255)],
    [
      'Error with parameters',
      say(1, { name: 'Error', code: 'CA_CERTIFICATE_EXPIRED', params: ['now', 'then'] }),
      said('', 'Error code: CA_CERTIFICATE_EXPIRED\nError parameters: now, then\n', 1),
    ],
    [
      'Error without',
      say(1, { name: 'Error', code: 'CA_CERTIFICATE_INVALID', params: [] }),
      said('', 'Error code: CA_CERTIFICATE_INVALID\nError parameters: \n', 1),
    ],
    ['Debug is not shown', say(0, { name: 'Debug', text: 'x' }), said('', '', 0)],
    ['text that is no ASCII', say(0, { name: 'Print', text: 'Zürich €' }), said('Zürich €\n', '', 0)],
    [
      'what follows Exit is nothing',
      say(0, { name: 'Exit', status: 4 }, { name: 'Print', text: 'x' }),
      said('', '', 4),
    ],
  ]
  it.each(cases)('%s', async (_what, script, run) => {
    expect(await converse(script)).toEqual(run)
  })

  it('leaves quietly when nobody reads', async () => {
    const run = await converse(say(0, { name: 'Print', text: 'x' }), ['x'], { closeOutput: true })
    expect(run).toEqual(said('', '', 1))
  })

  it('a megabyte in one piece', async () => {
    const text = 'x'.repeat(1_000_000)
    const { stdout, exitCode } = await converse(say(0, { name: 'Print', text }))
    expect([stdout.length, exitCode]).toEqual([1_000_001, 0])
  })

  it('the trace with --debug, and with --debug-on-fail only when it fails', async () => {
    const debug = { name: 'Debug', text: 'look' } as const
    expect((await converse(say(0, debug), ['x', '--debug'])).stderr).toContain('debug from server: look\n')
    expect((await converse(say(0, debug), ['x', '--debug-on-fail'])).stderr).toBe('')
    expect((await converse(say(1, debug), ['x', '--debug-on-fail'])).stderr).toMatch(
      /^Debug info:\n(.*\n)*debug from server: look\n/,
    )
  })
})

describe('what is sent', () => {
  it('the request, with the credentials last', async () => {
    const { address, port, requests } = await serve(say(0))
    await writeFile(join(stage.xe.folder, '.xe'), 'username=rc\nkept=3\n')
    await stage.xe.run(['pool-list', '--minimal', '-s', address, `port=${port}`, 'nossl=true', 'a=1'], {
      env: { XE_EXTRA_ARGS: 'password=secret,b=2', BAGGAGE: 'k=v', TRACEPARENT: '00-1' },
    })
    await rm(join(stage.xe.folder, '.xe'))
    const body = 'pool-list\n--minimal\na=1\nb=2\nkept=3\nusername=rc\npassword=secret'
    expect(requests).toMatchObject([
      {
        head: `POST /cli HTTP/1.0\r\nUser-agent: xe-cli/Unix/0.2\r\noriginator: cli\r\ntraceparent: 00-1\r\nbaggage: k=v\r\ncontent-length: ${body.length}\r\n\r\n`,
        body,
      },
    ])
  })

  it('user name and password from a file', async () => {
    const file = stage.work('credentials')
    await writeFile(file, 'admin\nsecret\n')
    const { address, port, requests } = await serve(say(0))
    await stage.xe.run(['x', '-pwf', file, '--nossl', '-s', address, '-p', String(port)])
    expect(requests[0]?.body).toBe('x\nusername=admin\npassword=secret')
  })

  it('nothing of the password stays visible in the list of processes', async () => {
    let commandLine = ''
    const { address, port } = await serve(async (peer) => {
      await peer.greet()
      commandLine = (await readFile(`/proc/${await started}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim()
      peer.exit(0)
    })
    let onStart = (_pid: number) => {}
    const started = new Promise<number>((resolve) => {
      onStart = resolve
    })
    await stage.xe.run(['x', '-pw', 'hunter2', '--nossl', '-s', address, '-p', String(port)], { onStart })
    expect(commandLine).toBe('xe')
  })
})

describe('servers that are none', () => {
  const banner =
    (bytes: Buffer | string): Script =>
    (peer) =>
      void peer.socket.end(bytes)
  const foreign = /^Failed to contact a running management agent\.\nTry specifying a server name and port\.\nUsage: xe /
  const cases: [what: string, script: Script, stderr: string | RegExp][] = [
    ['silence', banner(''), 'Unable to contact server. Please check server and port settings.\n'],
    ['another protocol', banner('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n'), foreign],
    ['HTTP', banner('HTTP/1.1 500 Internal Error\r\ncontent-length: 0\r\n\r\n'), 'Server internal error.\n'],
    [
      'a later protocol',
      banner(encodeBanner({ major: 1, minor: 5 })),
      /^Protocol version mismatch: Server has protocol version 1\.5\. Client has 0\.2\.\nTry specifying a server name and port on the command-line\.\nUsage: xe /,
    ],
    ['half a banner', banner('XenSource thin'), 'Lost connection to the server.\n'],
    ['no word after the banner', async (peer) => end(peer, await peer.greet()), 'Lost connection to the server.\n'],
    [
      'half a frame',
      async (peer) => {
        await peer.greet()
        peer.socket.end(encodeCommand({ name: 'Print', text: 'half' }).subarray(0, 9))
      },
      'Lost connection to the server.\n',
    ],
    [
      'a frame of 2 GB',
      async (peer) => {
        await peer.greet()
        peer.socket.end(Buffer.from('ffffff7f09000000', 'hex'))
      },
      /^Unhandled exception\n/,
    ],
    [
      'an unknown command',
      async (peer) => {
        await peer.greet()
        peer.socket.end(Buffer.from('080000000900000002000000', 'hex'))
      },
      /^Unhandled exception\n/,
    ],
  ]
  it.each(cases)('%s', async (_what, script, stderr) => {
    const run = await converse(script)
    expect(run).toMatchObject({ stdout: '', exitCode: 1 })
    if (typeof stderr === 'string') expect(run.stderr).toBe(stderr)
    else expect(run.stderr).toMatch(stderr)
  })

  it('an older minor is fine', async () => {
    const older: Script = (peer) => {
      peer.socket.write(encodeBanner({ major: 0, minor: 1 }))
      peer.exit(0)
    }
    expect(await converse(older)).toEqual(said('', '', 0))
  })

  it('nobody at all', async () => {
    const server = await serve(say(0))
    const { address, port } = server
    await server.close()
    const stderr = `Error: Connection refused (calling connect ${address}:${port})\n`
    expect(await stage.xe.run(['x', '--nossl', '-s', address, '-p', String(port)])).toEqual(said('', stderr, 1))
    expect(await stage.xe.run(['x', '-s', address, '-p', String(port)])).toEqual(said('', stderr, 1))
  })

  it('a name that nobody knows', async () => {
    const unknown = said('', "Host 'nobody.invalid' not found.\n", 1)
    expect(await stage.xe.run(['x', '-s', 'nobody.invalid'])).toEqual(unknown)
    expect(await stage.xe.run(['x', '-s', 'nobody.invalid', '--nossl'])).toEqual(unknown)
  })
})

async function end(peer: Peer, _reader: ThinCliReader): Promise<void> {
  peer.socket.end()
}

describe('Prompt', () => {
  it.each([
    ['two lines', 'yes\nno\n', ['yes', 'no']],
    ['a line without an end, then nothing', 'yes', ['yes', '']],
  ])('%s', async (_what, stdin, answers) => {
    const received: string[] = []
    await converse(
      async (peer) => {
        const reader = await peer.greet()
        for (const _ of answers) {
          peer.socket.write(encodeCommand({ name: 'Prompt' }))
          received.push((await readUpload(reader)).toString())
        }
        peer.exit(0)
      },
      ['x'],
      { stdin },
    )
    expect(received).toEqual(answers)
  })
})
