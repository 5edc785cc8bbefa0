/** Transfers that `xe` makes on a connection of its own, and what is left of them. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { encodeCommand } from '../../src/xapi/index.js'
import type { Peer } from '../xapi/fake-server.js'
import { said, setStage } from './stage.js'

const stage = setStage()
const { converse } = stage

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
    const file = stage.work('report.xml')
    expect(await readFile(file, 'utf8')).toBe('report')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('HttpGet never writes over a file', async () => {
    const received: unknown[] = []
    const file = stage.work('there')
    await writeFile(file, 'precious')
    const run = await converse(
      transfer({ name: 'HttpGet', file, url: '/x' }, answered('HTTP/1.1 200 OK\r\n\r\nnew'), received),
      ['x', `filename=${file}`],
    )
    expect(received[1]).toBe('Failed')
    expect(run.stderr).toBe(`Operation failed. Error: Sys_error("${file}: File exists")\n`)
    expect(await readFile(file, 'utf8')).toBe('precious')
  })

  const places: [what: string, file: string, why: string][] = [
    ['a device', '/dev/null', 'File exists'], // the real one opens what is new alone
    ['a missing folder', '/nowhere/report.xml', 'No such file or directory'],
    ['a folder', '/', 'File exists'],
  ]
  it.each(places)('HttpGet into %s: said in the words of the real client', async (_what, file, why) => {
    const received: unknown[] = []
    const run = await converse(
      transfer({ name: 'HttpGet', file, url: '/x' }, answered('HTTP/1.1 200 OK\r\n\r\nnew'), received),
      ['x', `filename=${file}`],
    )
    expect([received[1], run.stderr]).toEqual(['Failed', `Operation failed. Error: Sys_error("${file}: ${why}")\n`])
  })

  it('HttpPut of a file that is not there', async () => {
    const received: unknown[] = []
    const put = transfer(
      { name: 'HttpPut', file: '/nowhere/at', url: '/x' },
      answered('HTTP/1.1 200 OK\r\n\r\n'),
      received,
    )
    const run = await converse(put, ['x', 'filename=/nowhere/at'])
    expect(run.stderr).toBe("Operation failed. Error: file '/nowhere/at' does not exist\n")
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
    expect(existsSync(stage.work('f'))).toBe(false)
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
    await writeFile(stage.work('f'), 'content')
    let content: Promise<string> | undefined
    const take = (peer: Peer) => {
      peer.socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const pieces: Buffer[] = []
      peer.socket.on('data', (piece: Buffer) => pieces.push(piece))
      content = once(peer.socket, 'end').then(() => Buffer.concat(pieces).toString())
    }
    await converse(transfer({ name: 'HttpPut', file: 'f', url: '/import' }, take, received), ['x', 'filename=f'])
    // Two connections: which of them is heard first is nobody's promise.
    expect(await content).toBe('content')
    expect(received).toEqual(['PUT /import HTTP/1.0\r\nContent-length: 7\r\n\r\n', 'OK'])
  })

  it('HttpPut is done when the server closes as soon as it has every byte', async () => {
    const received: unknown[] = []
    await writeFile(stage.work('f'), 'content')
    const take = (peer: Peer) => {
      peer.socket.on('data', () => peer.socket.end())
      peer.socket.write('HTTP/1.1 200 OK\r\n\r\n')
    }
    const run = await converse(transfer({ name: 'HttpPut', file: 'f', url: '/import' }, take, received), [
      'x',
      'filename=f',
    ])
    expect([run.stderr, run.exitCode, received.at(-1)]).toEqual(['', 0, 'OK'])
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
