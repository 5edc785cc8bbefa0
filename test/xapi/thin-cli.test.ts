import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  BANNER,
  decodeMessage,
  encodeBanner,
  encodeBlob,
  encodeCliRequest,
  encodeCommand,
  encodeResponse,
  type ThinCliCommand,
  type ThinCliMessage,
  ThinCliReader,
} from '../../src/xapi/index.js'

const hex = (bytes: Buffer) => bytes.toString('hex').replace(/..(?=.)/g, '$& ')
const bytes = (text: string) => Buffer.from(text.replace(/[^0-9a-f]/g, ''), 'hex')

describe('the bytes of the protocol', () => {
  it('the banner', () => {
    expect(hex(BANNER)).toBe(
      '58 65 6e 53 6f 75 72 63 65 20 74 68 69 6e 20 43 4c 49 20 70 72 6f 74 6f 63 6f 6c 00 00 00 00 02 00 00 00',
    )
  })

  const frames: [what: string, frame: Buffer, written: string][] = [
    ['Print "ab"', encodeCommand({ name: 'Print', text: 'ab' }), '0e000000 09000000 00000000 02000000 6162'],
    ['Exit 0', encodeCommand({ name: 'Exit', status: 0 }), '0c000000 09000000 04000000 00000000'],
    ['Load "w.pem"', encodeCommand({ name: 'Load', file: 'w.pem' }), '11000000 09000000 01000000 05000000 772e70656d'],
    ['OK', encodeResponse('OK'), '08000000 0a000000 05000000'],
    ['Failed', encodeResponse('Failed'), '08000000 0a000000 06000000'],
    ['Wait', encodeResponse('Wait'), '08000000 0a000000 12000000'],
    ['Chunk 5', encodeBlob({ name: 'Chunk', bytes: 5 }), '0c000000 0b000000 07000000 05000000'],
    ['End', encodeBlob({ name: 'End' }), '08000000 0b000000 08000000'],
    [
      'Error',
      encodeCommand({ name: 'Error', code: 'A', params: ['b', ''] }),
      '1a000000 09000000 0e000000 01000000 41 02000000 01000000 62 00000000',
    ],
    ['Exit -1', encodeCommand({ name: 'Exit', status: -1 }), '0c000000 09000000 04000000 ffffffff'],
  ]
  it.each(frames)('%s', (_what, frame, written) => {
    expect(hex(frame)).toBe(hex(bytes(written)))
  })

  it('the request that opens a conversation', () => {
    expect(
      encodeCliRequest({ args: ['pool-list', 'é', 'password=x'], traceparent: '00-1\r\nx: y', baggage: '' }).toString(),
    ).toBe(
      'POST /cli HTTP/1.0\r\nUser-agent: xe-cli/Unix/0.2\r\noriginator: cli\r\ntraceparent: 00-1  x: y\r\ncontent-length: 23\r\n\r\npool-list\né\npassword=x',
    )
  })
})

describe('frames that are none', () => {
  const broken: [what: string, payload: string, found: RegExp][] = [
    ['nothing', '', /int cut short/],
    ['an unknown kind', '08000000 00000000', /kind 8/],
    ['a tag of another kind', '09000000 05000000', /command tag 5/],
    ['a command as a response', '0a000000 00000000', /response tag 0/],
    ['an unused tag', '09000000 02000000', /command tag 2/],
    ['a string longer than the frame', '09000000 00000000 03000000 6162', /cut short/],
    ['a string of negative length', '09000000 00000000 ffffffff', /length of -1/],
    ['a chunk of negative length', '0b000000 07000000 ffffffff', /length of -1/],
    ['a list that cannot be that long', '09000000 0e000000 00000000 ffffff7f', /list of 2147483647/],
    ['bytes left over', '0a000000 05000000 00', /1 bytes too many/],
  ]
  it.each(broken)('%s', (_what, payload, found) => {
    expect(() => decodeMessage(bytes(payload))).toThrow(
      expect.objectContaining({ code: 'THIN_CLI_MALFORMED', facts: { found: expect.stringMatching(found) } }),
    )
  })
})

const text = fc.string({ unit: 'binary' }).map((value) => value.toWellFormed())
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const command: fc.Arbitrary<ThinCliCommand> = fc.oneof(
  fc.record({ name: fc.constantFrom('Print' as const, 'PrintStderr' as const, 'Debug' as const), text }),
  fc.record({ name: fc.constant('Load' as const), file: text }),
  fc.record({ name: fc.constant('Prompt' as const) }),
  fc.record({ name: fc.constant('Exit' as const), status: int }),
  fc.record({ name: fc.constantFrom('HttpGet' as const, 'HttpPut' as const), file: text, url: text }),
  fc.record({ name: fc.constant('Error' as const), code: text, params: fc.array(text) }),
  fc.record({ name: fc.constant('HttpConnect' as const), url: text }),
)
const message: fc.Arbitrary<ThinCliMessage> = fc.oneof(
  fc.record({ kind: fc.constant('command' as const), command }),
  fc.record({
    kind: fc.constant('response' as const),
    response: fc.constantFrom('OK' as const, 'Failed' as const, 'Wait' as const),
  }),
  fc.record({ kind: fc.constant('blob' as const), blob: fc.constant({ name: 'End' as const }) }),
  fc.record({
    kind: fc.constant('blob' as const),
    blob: fc.record({ name: fc.constant('Chunk' as const), bytes: fc.nat(2 ** 31 - 1) }),
  }),
)

describe('laws', () => {
  test('what was written is read again, however the stream was cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message), fc.integer({ min: 1, max: 50 }), async (messages, pieceBytes) => {
        const stream = streamOf(Buffer.concat([BANNER, ...messages.map(encode)]), pieceBytes)
        const reader = new ThinCliReader(stream)
        expect(await reader.readBanner()).toEqual({ state: 'banner', version: { major: 0, minor: 2 } })
        for (const expected of messages) expect(await reader.readMessage()).toEqual(expected)
        expect(await reader.readMessage()).toBeUndefined()
      }),
    )
  })

  test('a conversation cut anywhere ends or is an error; it never hangs', async () => {
    await fc.assert(
      fc.asyncProperty(message, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (one, part) => {
        const whole = encode(one)
        const cut = Math.floor(whole.length * part)
        const reader = new ThinCliReader(streamOf(whole.subarray(0, cut), 7))
        const outcome = await reader.readMessage().catch((error: unknown) => error)
        if (cut === 0) expect(outcome).toBeUndefined()
        else expect(outcome).toMatchObject({ code: 'THIN_CLI_LOST' })
      }),
    )
  })

  test('garbage is an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 12, maxLength: 64 }), async (garbage) => {
        const frame = Buffer.from(garbage)
        frame.writeInt32LE(garbage.length - 4)
        frame.writeInt32LE(99, 4)
        const reader = new ThinCliReader(streamOf(frame, 64))
        await expect(reader.readMessage()).rejects.toMatchObject({ code: 'THIN_CLI_MALFORMED' })
      }),
    )
  })
})

describe('the reader', () => {
  const lengths: [length: string, outcome: string][] = [
    ['00000000', 'THIN_CLI_MALFORMED'],
    ['07000000', 'THIN_CLI_MALFORMED'],
    ['ffffffff', 'THIN_CLI_MALFORMED'],
    ['01040000', 'THIN_CLI_MALFORMED'],
    ['00040000', 'THIN_CLI_LOST'],
  ]
  it.each(lengths)('with frames bounded to 1024 bytes, a length of %s: %s', async (length, code) => {
    const reader = new ThinCliReader(streamOf(bytes(length), 4), { maxFrameBytes: 1024 })
    await expect(reader.readMessage()).rejects.toMatchObject({ code })
  })

  it.each([
    ['00000001', 'THIN_CLI_LOST'], // 16 MB: it is waited for
    ['01000001', 'THIN_CLI_MALFORMED'],
    ['00000004', 'THIN_CLI_MALFORMED'],
  ])('unless told otherwise, frames have at most 16 MB; a length of %s: %s', async (length, code) => {
    await expect(new ThinCliReader(streamOf(bytes(length), 4)).readMessage()).rejects.toMatchObject({ code })
  })

  const banners: [sent: string, outcome: string][] = [
    ['', 'silent'],
    ['HTTP/1.0 500 Internal Error', 'http'],
    ['HT', 'THIN_CLI_LOST'],
    ['SSH-2.0-x', 'foreign'],
    ['XenSource', 'THIN_CLI_LOST'],
    ['XenSource thin HTTP protocol', 'foreign'],
  ]
  it.each(banners)('"%s" where a banner belongs: %s', async (sent, outcome) => {
    const reader = new ThinCliReader(streamOf(Buffer.from(sent), 64))
    const said = await reader.readBanner().then(
      ({ state }) => state,
      (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
    )
    expect(said).toBe(outcome)
  })

  it('sees a stranger without waiting for 35 bytes or an end', async () => {
    const stream = new PassThrough()
    stream.write('SSH-2.0')
    expect(await new ThinCliReader(stream).readBanner()).toEqual({ state: 'foreign', start: 'SSH-2.0' })
  })

  it('gives another version as it is', async () => {
    const reader = new ThinCliReader(streamOf(encodeBanner({ major: 7, minor: -1 }), 64))
    expect(await reader.readBanner()).toEqual({ state: 'banner', version: { major: 7, minor: -1 } })
  })

  it('reads raw bytes and no further, and gives the rest back', async () => {
    const stream = new PassThrough()
    stream.write(Buffer.concat([encodeBlob({ name: 'Chunk', bytes: 5 }), Buffer.from('helloworld')]))
    const reader = new ThinCliReader(stream)
    expect(await reader.readMessage()).toEqual({ kind: 'blob', blob: { name: 'Chunk', bytes: 5 } })
    expect(Buffer.concat(await all(reader.readRaw(5))).toString()).toBe('hello')
    expect(reader.release().toString()).toBe('world')
    expect(stream.destroyed).toBe(false)
    stream.end('!')
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('!')
  })

  it('a stream that ends inside raw bytes is lost', async () => {
    const reader = new ThinCliReader(streamOf(Buffer.from('hel'), 64))
    await expect(all(reader.readRaw(5))).rejects.toMatchObject({ code: 'THIN_CLI_LOST' })
  })

  it('bytes that are no UTF-8 survive as latin1', () => {
    const frame = encodeCommand({ name: 'Print', text: '\xff\xfe' }, 'latin1')
    expect(decodeMessage(frame.subarray(4), 'latin1')).toEqual({
      kind: 'command',
      command: { name: 'Print', text: '\xff\xfe' },
    })
  })
})

async function all(pieces: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const collected: Buffer[] = []
  for await (const piece of pieces) collected.push(piece)
  return collected
}

function encode(one: ThinCliMessage): Buffer {
  switch (one.kind) {
    case 'command':
      return encodeCommand(one.command)
    case 'response':
      return encodeResponse(one.response)
    case 'blob':
      return encodeBlob(one.blob)
  }
}

function streamOf(content: Buffer, pieceBytes: number): PassThrough {
  const stream = new PassThrough({ highWaterMark: content.length + 1 })
  for (let at = 0; at < content.length; at += pieceBytes) stream.write(content.subarray(at, at + pieceBytes))
  stream.end()
  return stream
}
