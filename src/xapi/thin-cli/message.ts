/**
 * The byte encoding of a thin CLI conversation, both directions (docs/protocol/thin-cli.md, opening; encoding): the HTTP
 * request that opens it, the banner of each side, then messages. A message is one frame of little-endian ints and
 * length-prefixed strings. The raw bytes of a chunk follow its frame and are not framed.
 */
import { fail } from '../errors.js'

export interface CliRequest {
  /** Sent one per line. The server splits at newlines, so an argument that contains one becomes two. */
  readonly args: readonly string[]
  readonly traceparent?: string | undefined
  readonly baggage?: string | undefined
}

/** Writes the opening request. On success the server answers with its banner, not with HTTP. */
export function encodeCliRequest({ args, traceparent, baggage }: CliRequest): Buffer {
  const body = Buffer.from(args.join('\n'))
  const head = [
    'POST /cli HTTP/1.0',
    'User-agent: xe-cli/Unix/0.2',
    'originator: cli',
    ...(traceparent ? [`traceparent: ${oneLine(traceparent)}`] : []),
    ...(baggage ? [`baggage: ${oneLine(baggage)}`] : []),
    `content-length: ${body.length}`,
    '',
    '',
  ]
  return Buffer.concat([Buffer.from(head.join('\r\n')), body])
}

/** A line break in a header's value would start another header. */
function oneLine(value: string): string {
  return value.replace(/[\r\n]/g, ' ')
}

export interface ProtocolVersion {
  readonly major: number
  readonly minor: number
}

/** Our version. The major numbers of both sides must be equal; heartbeats exist since 0.2. */
export const PROTOCOL_VERSION: ProtocolVersion = { major: 0, minor: 2 }

const GREETING = 'XenSource thin CLI protocol'
export const BANNER_BYTES = GREETING.length + 8

export function encodeBanner(version: ProtocolVersion): Buffer {
  const bytes = Buffer.alloc(BANNER_BYTES)
  bytes.write(GREETING, 'latin1')
  bytes.writeInt32LE(version.major, GREETING.length)
  bytes.writeInt32LE(version.minor, GREETING.length + 4)
  return bytes
}

/** The 35 bytes that each side sends first. */
export const BANNER: Buffer = encodeBanner(PROTOCOL_VERSION)

/** Reads exactly 35 bytes; undefined when they are not a banner. */
export function decodeBanner(bytes: Buffer): ProtocolVersion | undefined {
  if (bytes.length !== BANNER_BYTES || bytes.toString('latin1', 0, GREETING.length) !== GREETING) return undefined
  return { major: bytes.readInt32LE(GREETING.length), minor: bytes.readInt32LE(GREETING.length + 4) }
}

/** Whether `start` (as latin1) may be the beginning of a banner. */
export function couldBeBanner(start: string): boolean {
  return GREETING.startsWith(start.slice(0, GREETING.length))
}

/** A command of the server to the client. */
export type ThinCliCommand =
  | { readonly name: 'Print'; readonly text: string }
  | { readonly name: 'Load'; readonly file: string }
  | { readonly name: 'Prompt' }
  | { readonly name: 'Exit'; readonly status: number }
  | { readonly name: 'HttpGet'; readonly file: string; readonly url: string }
  | { readonly name: 'HttpPut'; readonly file: string; readonly url: string }
  | { readonly name: 'Error'; readonly code: string; readonly params: readonly string[] }
  | { readonly name: 'Debug'; readonly text: string }
  | { readonly name: 'PrintStderr'; readonly text: string }
  | { readonly name: 'HttpConnect'; readonly url: string }

/** A response of the client. `Wait` is a heartbeat, sent during a long transfer. */
export type ThinCliResponse = 'OK' | 'Failed' | 'Wait'

/** How a client sends a file or a line: chunks, each followed by the given number of raw bytes, then the end. */
export type ThinCliBlob = { readonly name: 'Chunk'; readonly bytes: number } | { readonly name: 'End' }

export type ThinCliMessage =
  | { readonly kind: 'command'; readonly command: ThinCliCommand }
  | { readonly kind: 'response'; readonly response: ThinCliResponse }
  | { readonly kind: 'blob'; readonly blob: ThinCliBlob }

/** The protocol defines no character set. `latin1` keeps every byte unchanged; `utf8` is what users type. */
export type ThinCliCharset = 'utf8' | 'latin1'

const KIND = { command: 9, response: 10, blob: 11 } as const
const RESPONSE_TAGS = { OK: 5, Failed: 6, Wait: 18 } as const satisfies Record<ThinCliResponse, number>
const COMMAND_TAGS = {
  Print: 0,
  Load: 1,
  Prompt: 3,
  Exit: 4,
  HttpGet: 12,
  HttpPut: 13,
  Error: 14,
  Debug: 15,
  PrintStderr: 16,
  HttpConnect: 17,
} as const satisfies Record<ThinCliCommand['name'], number>
const BLOB_TAGS = { Chunk: 7, End: 8 } as const satisfies Record<ThinCliBlob['name'], number>

/** Writes one command as a frame with its length. */
export function encodeCommand(command: ThinCliCommand, charset: ThinCliCharset = 'utf8'): Buffer {
  const text = (value: string) => encodeString(value, charset)
  return encodeFrame(KIND.command, COMMAND_TAGS[command.name], ...commandFields(command, text))
}

/** Writes one response as a frame with its length. */
export function encodeResponse(response: ThinCliResponse): Buffer {
  return encodeFrame(KIND.response, RESPONSE_TAGS[response])
}

/** Writes the frame that announces raw bytes, or their end. The caller sends the raw bytes. */
export function encodeBlob(blob: ThinCliBlob): Buffer {
  const fields = blob.name === 'Chunk' ? [encodeInt(blob.bytes)] : []
  return encodeFrame(KIND.blob, BLOB_TAGS[blob.name], ...fields)
}

/**
 * Reads the payload of one frame.
 *
 * @throws THIN_CLI_MALFORMED when the kind or tag is unknown, a string exceeds the frame, or bytes are left over.
 */
export function decodeMessage(payload: Buffer, charset: ThinCliCharset = 'utf8'): ThinCliMessage {
  const fields = new Fields(payload, charset)
  const kind = fields.int()
  const tag = fields.int()
  const message = readBody(kind, tag, fields)
  fields.end()
  return message
}

function commandFields(command: ThinCliCommand, text: (value: string) => Buffer): Buffer[] {
  switch (command.name) {
    case 'Print':
    case 'Debug':
    case 'PrintStderr':
      return [text(command.text)]
    case 'Load':
      return [text(command.file)]
    case 'Prompt':
      return []
    case 'Exit':
      return [encodeInt(command.status)]
    case 'HttpGet':
    case 'HttpPut':
      return [text(command.file), text(command.url)]
    case 'Error':
      return [text(command.code), encodeInt(command.params.length), ...command.params.map(text)]
    case 'HttpConnect':
      return [text(command.url)]
  }
}

function readBody(kind: number, tag: number, fields: Fields): ThinCliMessage {
  switch (kind) {
    case KIND.command:
      return { kind: 'command', command: readCommand(tag, fields) }
    case KIND.response: {
      const response = (['OK', 'Failed', 'Wait'] as const).find((name) => RESPONSE_TAGS[name] === tag)
      if (!response) throw fail('THIN_CLI_MALFORMED', { found: `response tag ${tag}` })
      return { kind: 'response', response }
    }
    case KIND.blob:
      if (tag === BLOB_TAGS.End) return { kind: 'blob', blob: { name: 'End' } }
      if (tag === BLOB_TAGS.Chunk) return { kind: 'blob', blob: { name: 'Chunk', bytes: fields.count() } }
      throw fail('THIN_CLI_MALFORMED', { found: `blob tag ${tag}` })
    default:
      throw fail('THIN_CLI_MALFORMED', { found: `message kind ${kind}` })
  }
}

function readCommand(tag: number, fields: Fields): ThinCliCommand {
  switch (tag) {
    case COMMAND_TAGS.Print:
      return { name: 'Print', text: fields.string() }
    case COMMAND_TAGS.Load:
      return { name: 'Load', file: fields.string() }
    case COMMAND_TAGS.Prompt:
      return { name: 'Prompt' }
    case COMMAND_TAGS.Exit:
      return { name: 'Exit', status: fields.int() }
    case COMMAND_TAGS.HttpGet:
      return { name: 'HttpGet', file: fields.string(), url: fields.string() }
    case COMMAND_TAGS.HttpPut:
      return { name: 'HttpPut', file: fields.string(), url: fields.string() }
    case COMMAND_TAGS.Error:
      return { name: 'Error', code: fields.string(), params: fields.strings() }
    case COMMAND_TAGS.Debug:
      return { name: 'Debug', text: fields.string() }
    case COMMAND_TAGS.PrintStderr:
      return { name: 'PrintStderr', text: fields.string() }
    case COMMAND_TAGS.HttpConnect:
      return { name: 'HttpConnect', url: fields.string() }
    default:
      throw fail('THIN_CLI_MALFORMED', { found: `command tag ${tag}` })
  }
}

function encodeInt(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

function encodeString(value: string, charset: ThinCliCharset): Buffer {
  const bytes = Buffer.from(value, charset)
  return Buffer.concat([encodeInt(bytes.length), bytes])
}

function encodeFrame(kind: number, tag: number, ...fields: Buffer[]): Buffer {
  const payload = Buffer.concat([encodeInt(kind), encodeInt(tag), ...fields])
  return Buffer.concat([encodeInt(payload.length), payload])
}

/** Reads the fields of a payload. Lengths are checked against the remaining bytes before anything is allocated. */
class Fields {
  #at = 0
  readonly #payload: Buffer
  readonly #charset: ThinCliCharset

  constructor(payload: Buffer, charset: ThinCliCharset) {
    this.#payload = payload
    this.#charset = charset
  }

  int(): number {
    if (this.#payload.length - this.#at < 4) throw fail('THIN_CLI_MALFORMED', { found: 'an int cut short' })
    const value = this.#payload.readInt32LE(this.#at)
    this.#at += 4
    return value
  }

  count(): number {
    const value = this.int()
    if (value < 0) throw fail('THIN_CLI_MALFORMED', { found: `a length of ${value}` })
    return value
  }

  string(): string {
    const length = this.count()
    if (length > this.#payload.length - this.#at)
      throw fail('THIN_CLI_MALFORMED', { found: `a string of ${length} bytes cut short` })
    const start = this.#at
    this.#at += length
    return this.#payload.toString(this.#charset, start, this.#at)
  }

  strings(): string[] {
    const length = this.count()
    // Each string takes at least the four bytes of its length, so an impossible count is refused before allocation.
    if (length > (this.#payload.length - this.#at) / 4)
      throw fail('THIN_CLI_MALFORMED', { found: `a list of ${length} cut short` })
    return Array.from({ length }, () => this.string())
  }

  end(): void {
    const left = this.#payload.length - this.#at
    if (left > 0) throw fail('THIN_CLI_MALFORMED', { found: `${left} bytes too many` })
  }
}
