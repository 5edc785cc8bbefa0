/**
 * The thin CLI's messages as bytes, both directions (docs/protocol/thin-cli.md, encoding): little-endian ints, strings
 * with their length before them, one frame a message. The raw bytes of a chunk follow its frame and belong to no frame.
 */
import { WlbError } from '../../base/error.js'

/** What a server tells the client to do. */
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

/** What a client answers; `Wait` is a heartbeat, sent while it is busy. */
export type ThinCliResponse = 'OK' | 'Failed' | 'Wait'

/** How a client sends a file or a line: chunks, each followed by that many raw bytes, then the end. */
export type ThinCliBlob = { readonly name: 'Chunk'; readonly bytes: number } | { readonly name: 'End' }

export type ThinCliMessage =
  | { readonly kind: 'command'; readonly command: ThinCliCommand }
  | { readonly kind: 'response'; readonly response: ThinCliResponse }
  | { readonly kind: 'blob'; readonly blob: ThinCliBlob }

/** The protocol names no character set. `latin1` keeps every byte as it is; `utf8` is what people type. */
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

/** Writes one command with the frame's length before it. */
export function encodeCommand(command: ThinCliCommand, charset: ThinCliCharset = 'utf8'): Buffer {
  const text = (value: string) => encodeString(value, charset)
  return encodeFrame(KIND.command, COMMAND_TAGS[command.name], ...commandFields(command, text))
}

/** Writes one response with the frame's length before it. */
export function encodeResponse(response: ThinCliResponse): Buffer {
  return encodeFrame(KIND.response, RESPONSE_TAGS[response])
}

/** Writes the frame that announces raw bytes, or their end; the caller sends the bytes themselves. */
export function encodeBlob(blob: ThinCliBlob): Buffer {
  const fields = blob.name === 'Chunk' ? [encodeInt(blob.bytes)] : []
  return encodeFrame(KIND.blob, BLOB_TAGS[blob.name], ...fields)
}

/**
 * Reads the payload of one frame.
 *
 * @throws THIN_CLI_MALFORMED when kind or tag is unknown, a string runs past the end, or bytes are left over.
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
      if (!response) throw malformedFrame(`response tag ${tag}`)
      return { kind: 'response', response }
    }
    case KIND.blob:
      if (tag === BLOB_TAGS.End) return { kind: 'blob', blob: { name: 'End' } }
      if (tag === BLOB_TAGS.Chunk) return { kind: 'blob', blob: { name: 'Chunk', bytes: fields.count() } }
      throw malformedFrame(`blob tag ${tag}`)
    default:
      throw malformedFrame(`message kind ${kind}`)
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
      throw malformedFrame(`command tag ${tag}`)
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

/** A place in a payload: every read is checked against what is left before anything is made of it. */
class Fields {
  #at = 0
  readonly #payload: Buffer
  readonly #charset: ThinCliCharset

  constructor(payload: Buffer, charset: ThinCliCharset) {
    this.#payload = payload
    this.#charset = charset
  }

  int(): number {
    if (this.#payload.length - this.#at < 4) throw malformedFrame('an int cut short')
    const value = this.#payload.readInt32LE(this.#at)
    this.#at += 4
    return value
  }

  count(): number {
    const value = this.int()
    if (value < 0) throw malformedFrame(`a length of ${value}`)
    return value
  }

  string(): string {
    const length = this.count()
    if (length > this.#payload.length - this.#at) throw malformedFrame(`a string of ${length} bytes cut short`)
    const start = this.#at
    this.#at += length
    return this.#payload.toString(this.#charset, start, this.#at)
  }

  strings(): string[] {
    const length = this.count()
    // Each has a length of its own: a count that cannot be true costs nothing.
    if (length > (this.#payload.length - this.#at) / 4) throw malformedFrame(`a list of ${length} cut short`)
    return Array.from({ length }, () => this.string())
  }

  end(): void {
    const left = this.#payload.length - this.#at
    if (left > 0) throw malformedFrame(`${left} bytes too many`)
  }
}

/** Shared with the reader: both find frames that are not the protocol's. */
export function malformedFrame(found: string): WlbError {
  return new WlbError(
    'THIN_CLI_MALFORMED',
    'The other side does not speak the thin CLI protocol.',
    { found },
    'xe help',
  )
}
