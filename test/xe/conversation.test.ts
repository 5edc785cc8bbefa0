/** `xe` against servers that do exactly what they are told: what it prints, writes, sends and exits with. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeBanner, encodeCommand, type ThinCliReader } from '../../src/xapi/index.js'
import { type FakeServer, type Peer, type Place, readUpload, type Script, say, startFakeServer } from './fake-server.js'
import { buildXe, type Run, type RunOptions, type XeProgram } from './program.js'

let xe: XeProgram
let servers: FakeServer[] = []

beforeAll(async () => {
  xe = await buildXe()
})
afterAll(() => xe.remove())
beforeEach(() => mkdir(join(xe.folder, 'work')))
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()))
  servers = []
  await rm(join(xe.folder, 'work'), { recursive: true })
})

async function serve(script: Script, place?: Place): Promise<FakeServer> {
  const server = await startFakeServer(script, place)
  servers.push(server)
  return server
}

/** Runs a command over plain TCP against a server that plays `script`. */
async function converse(script: Script, args: readonly string[] = ['x'], options: RunOptions = {}): Promise<Run> {
  const { address, port } = await serve(script)
  const cwd = join(xe.folder, 'work')
  return xe.run([...args, '--nossl', '-s', address, '-p', String(port)], { cwd, ...options })
}

const said = (stdout: string, stderr: string, exitCode: number): Run => ({ stdout, stderr, exitCode })

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
    await writeFile(join(xe.folder, '.xe'), 'username=rc\nkept=3\n')
    await xe.run(['pool-list', '--minimal', '-s', address, `port=${port}`, 'nossl=true', 'a=1'], {
      env: { XE_EXTRA_ARGS: 'password=secret,b=2', BAGGAGE: 'k=v', TRACEPARENT: '00-1' },
    })
    await rm(join(xe.folder, '.xe'))
    const body = 'pool-list\n--minimal\na=1\nb=2\nkept=3\nusername=rc\npassword=secret'
    expect(requests).toMatchObject([
      {
        head: `POST /cli HTTP/1.0\r\nUser-agent: xe-cli/Unix/0.2\r\noriginator: cli\r\ntraceparent: 00-1\r\nbaggage: k=v\r\ncontent-length: ${body.length}\r\n\r\n`,
        body,
      },
    ])
  })

  it('user name and password from a file', async () => {
    const file = join(xe.folder, 'work', 'credentials')
    await writeFile(file, 'admin\nsecret\n')
    await converse(say(0), ['x', '-pwf', file])
    expect(servers[0]?.requests[0]?.body).toBe('x\nusername=admin\npassword=secret')
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
    await xe.run(['x', '-pw', 'hunter2', '--nossl', '-s', address, '-p', String(port)], { onStart })
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
    const { address, port } = await serve(say(0))
    await servers.pop()?.close()
    const stderr = `Error: Connection refused (calling connect ${address}:${port})\n`
    expect(await xe.run(['x', '--nossl', '-s', address, '-p', String(port)])).toEqual(said('', stderr, 1))
    expect(await xe.run(['x', '-s', address, '-p', String(port)])).toEqual(said('', stderr, 1))
  })

  it('a name that nobody knows', async () => {
    const unknown = said('', "Host 'nobody.invalid' not found.\n", 1)
    expect(await xe.run(['x', '-s', 'nobody.invalid'])).toEqual(unknown)
    expect(await xe.run(['x', '-s', 'nobody.invalid', '--nossl'])).toEqual(unknown)
  })
})

async function end(peer: Peer, _reader: ThinCliReader): Promise<void> {
  peer.socket.end()
}

describe('files the server asks for', () => {
  it('sends one that was named, as one chunk', async () => {
    await writeFile(join(xe.folder, 'work', 'w.pem'), 'hello')
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

  it('a server that refuses 33 MiB while they are sent is heard', async () => {
    await writeFile(join(xe.folder, 'work', 'big.pem'), Buffer.alloc(33 * 1024 * 1024, 'x'))
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
    await writeFile(join(xe.folder, 'work', 'big.pem'), Buffer.alloc(33 * 1024 * 1024, 'x'))
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
    await writeFile(join(xe.folder, 'work', 'empty.pem'), '')
    let length: number | undefined
    await converse(
      async (peer) => {
        const reader = await peer.greet()
        peer.socket.write(encodeCommand({ name: 'Load', file: join(xe.folder, 'work', 'empty.pem') }))
        await reader.readMessage()
        length = (await readUpload(reader)).length
        peer.exit(0)
      },
      ['pool-certificate-install', 'filename=./empty.pem'],
    )
    expect(length).toBe(0)
  })
})

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

describe('transfers on a connection of their own', () => {
  /** Answers the conversation with one command, and any other connection with `answer`. */
  function transfer(
    command: Parameters<typeof encodeCommand>[0],
    answer: (peer: Peer) => unknown,
    received: unknown[],
  ) {
    return async (peer: Peer) => {
      if (!peer.head.startsWith('POST /cli ')) {
        received.push(peer.head)
        answer(peer)
        return
      }
      const reader = await peer.greet()
      peer.socket.write(encodeCommand(command))
      const response = await reader.readMessage()
      received.push(response?.kind === 'response' ? response.response : response)
      peer.exit(0)
    }
  }
  const answered = (text: string) => (peer: Peer) => peer.socket.end(text)

  it('HttpGet writes a new file that only its owner reads', async () => {
    const received: unknown[] = []
    const get = { name: 'HttpGet', file: 'report.xml', url: '/wlb_report?session_id=s' } as const
    const run = await converse(
      transfer(get, answered('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nreport'), received),
      ['pool-retrieve-wlb-report', 'filename=report.xml'],
    )
    expect(run).toEqual(said('', '', 0))
    expect(received).toEqual(['GET /wlb_report?session_id=s HTTP/1.0\r\n\r\n', 'OK'])
    const file = join(xe.folder, 'work', 'report.xml')
    expect(await readFile(file, 'utf8')).toBe('report')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('HttpGet never writes over a file', async () => {
    const received: unknown[] = []
    const file = join(xe.folder, 'work', 'there')
    await writeFile(file, 'precious')
    const run = await converse(
      transfer({ name: 'HttpGet', file, url: '/x' }, answered('HTTP/1.1 200 OK\r\n\r\nnew'), received),
      ['x', `filename=${file}`],
    )
    expect(received[1]).toBe('Failed')
    expect(run.stderr).toMatch(/^xe: transfer failed: EEXIST: file already exists/)
    expect(await readFile(file, 'utf8')).toBe('precious')
  })

  const outcomes: [what: string, answer: string, response: string, stdout: string][] = [
    ['to standard output', 'HTTP/1.0 200 OK\r\n\r\nbody', 'OK', 'body'],
    ['an empty body', 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n', 'OK', ''],
    ['404', 'HTTP/1.0 404 Not Found\r\n\r\nbody', 'Failed', ''],
    ['a head cut short', 'HTTP/1.0 200', 'Failed', ''],
    ['no HTTP', 'hello\r\n\r\n', 'Failed', ''],
  ]
  it.each(outcomes)('HttpGet %s', async (_what, answer, response, stdout) => {
    const received: unknown[] = []
    const run = await converse(transfer({ name: 'HttpGet', file: '', url: '/x' }, answered(answer), received))
    expect([received.at(-1), run.stdout, run.exitCode]).toEqual([response, stdout, 0])
  })

  it('HttpGet leaves no half file', async () => {
    const received: unknown[] = []
    const cut = answered('HTTP/1.0 200 OK\r\ncontent-length: 100\r\n\r\nhalf')
    await converse(transfer({ name: 'HttpGet', file: 'f', url: '/x' }, cut, received), ['x', 'filename=f'])
    expect(received.at(-1)).toBe('Failed')
    expect(existsSync(join(xe.folder, 'work', 'f'))).toBe(false)
  })

  it('HttpGet follows 302, but not for ever', async () => {
    const received: unknown[] = []
    const moved = (peer: Peer) => {
      const next = peer.head.startsWith('GET /start ') ? '302 Found\r\nLocation: /end\r\n\r\n' : '200 OK\r\n\r\ndone'
      peer.socket.end(`HTTP/1.0 ${next}`)
    }
    const run = await converse(transfer({ name: 'HttpGet', file: '', url: '/start' }, moved, received))
    expect([run.stdout, received.at(-1)]).toEqual(['done', 'OK'])
    const circle = answered('HTTP/1.0 302 Found\r\nLocation: /start\r\n\r\n')
    await converse(transfer({ name: 'HttpGet', file: '', url: '/start' }, circle, received))
    expect(received.at(-1)).toBe('Failed')
  })

  it('HttpPut sends the file after the answer', async () => {
    const received: unknown[] = []
    await writeFile(join(xe.folder, 'work', 'f'), 'content')
    const take = async (peer: Peer) => {
      peer.socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const pieces: Buffer[] = []
      peer.socket.on('data', (piece: Buffer) => pieces.push(piece))
      await once(peer.socket, 'end')
      received.push(Buffer.concat(pieces).toString())
    }
    await converse(transfer({ name: 'HttpPut', file: 'f', url: '/import' }, take, received), ['x', 'filename=f'])
    expect(received).toEqual(['PUT /import HTTP/1.0\r\nContent-length: 7\r\n\r\n', 'content', 'OK'])
  })

  it('HttpConnect joins keyboard and screen until the console ends', async () => {
    const received: unknown[] = []
    const console = (peer: Peer) => {
      peer.socket.write('HTTP/1.1 200 OK\r\n\r\nlogin: ')
      peer.socket.on('data', (typed: Buffer) => peer.socket.end(`hello ${typed}`))
    }
    const run = await converse(transfer({ name: 'HttpConnect', url: '/console?x' }, console, received), ['x'], {
      stdin: 'root',
    })
    expect(run.stdout).toBe('login: hello root')
    expect(received).toEqual(['CONNECT /console?x HTTP/1.0\r\ncontent-length: 0\r\n\r\n', 'OK'])
  })
})

describe('this host', () => {
  it('is reached by its socket, and only by its literal address', async () => {
    await mkdir(join(xe.folder, 'var/lib/xcp'), { recursive: true })
    const local = await serve(say(0, { name: 'Print', text: 'local' }), { path: join(xe.folder, 'var/lib/xcp/xapi') })
    expect(await xe.run(['pool-list'])).toEqual(said('local\n', '', 0))
    expect(await xe.run(['pool-list', '-s', '127.0.0.1', '-p', '9'])).toEqual(said('local\n', '', 0))
    expect(local.requests[0]?.body).toBe('pool-list\nusername=root\npassword=null')
    expect((await xe.run(['pool-list', '--nossl', '-s', 'localhost', '-p', '9'])).stderr).toMatch(
      /^Error: Connection refused/,
    )
    await local.close()
    servers = []
  })

  it('or by plain TCP where there is no socket', async () => {
    const { port } = await serve(say(0, { name: 'Print', text: 'plain' }), { address: '127.0.0.1' })
    expect(await xe.run(['x', '-p', String(port)], { env: { XE_ROOT: '/nowhere' } })).toEqual(said('plain\n', '', 0))
  })

  it('at a path of any length', async () => {
    const root = join(xe.folder, 'work', 'd'.repeat(200))
    await mkdir(join(root, 'var/lib/xcp'), { recursive: true })
    const cwd = process.cwd()
    process.chdir(join(root, 'var/lib/xcp'))
    await serve(say(0, { name: 'Print', text: 'deep' }), { path: 'xapi' }).finally(() => process.chdir(cwd))
    expect((await xe.run(['x'], { env: { XE_ROOT: root } })).stdout).toBe('deep\n')
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
    const run = await xe.run(args)
    expect(run.exitCode).toBe(exitCode)
    expect(run.stdout).toMatch(stdout)
    expect(run.stderr).toMatch(stderr)
  })

  it('a wrong ~/.xe is said and ignored', async () => {
    await writeFile(join(xe.folder, '.xe'), 'nonsense\n')
    const run = await converse(say(0))
    await rm(join(xe.folder, '.xe'))
    expect(run).toEqual(said('', 'Error parsing rc file. No defaults loaded\n', 0))
  })
})

it('carries no library', () => {
  expect(xe.inputs.filter((input) => input.includes('node_modules'))).toEqual([])
})
