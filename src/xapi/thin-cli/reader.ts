/**
 * Reads a thin CLI conversation from a stream, one message at a time (docs/protocol/thin-cli.md). It consumes no more than it
 * was asked for, because raw bytes or a forwarded conversation follow on the same stream. Between reads the stream is paused,
 * so that a fast sender waits.
 */
import type { Readable } from 'node:stream'
import type { WlbError } from '../../base/error.js'
import { fail } from '../errors.js'
import {
  BANNER_BYTES,
  couldBeBanner,
  decodeBanner,
  decodeMessage,
  type ProtocolVersion,
  type ThinCliCharset,
  type ThinCliMessage,
} from './message.js'

export interface ThinCliReaderOptions {
  /**
   * A longer frame is refused before it is read. A client's frames have at most 12 bytes; a server's can hold long
   * lists.
   */
  readonly maxFrameBytes?: number
  readonly charset?: ThinCliCharset
}

/** What the other side sent first. */
export type BannerReading =
  | { readonly state: 'banner'; readonly version: ProtocolVersion }
  /** The stream ended before the first byte. */
  | { readonly state: 'silent' }
  /** An HTTP answer: the server refused the opening request. */
  | { readonly state: 'http'; readonly start: string }
  | { readonly state: 'foreign'; readonly start: string }

/** The longest are tables, and those have a frame for each record; texts of other commands have some MB at most. */
const DEFAULT_MAX_FRAME_BYTES = 16 * 1024 * 1024

/** Reads messages from a stream that nothing else reads. The caller closes the stream. */
export class ThinCliReader {
  readonly #bytes: ByteReader
  readonly #maxFrameBytes: number
  readonly #charset: ThinCliCharset

  constructor(stream: Readable, options: ThinCliReaderOptions = {}) {
    this.#bytes = new ByteReader(stream)
    this.#maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES
    this.#charset = options.charset ?? 'utf8'
  }

  /**
   * Reads the banner. It stops as soon as the bytes cannot be a banner, so that it does not wait for a foreign server
   * that sends a few bytes and stays connected.
   *
   * @throws THIN_CLI_LOST when the stream ended inside a banner.
   */
  async readBanner(): Promise<BannerReading> {
    for (;;) {
      const start = this.#bytes.peek().toString('latin1')
      if (start.startsWith('HTTP')) return { state: 'http', start }
      if (!couldBeBanner(start) && !'HTTP'.startsWith(start)) return { state: 'foreign', start }
      if (start.length >= BANNER_BYTES) break
      if (await this.#bytes.pull()) continue
      if (start === '') return { state: 'silent' }
      throw this.#bytes.lost()
    }
    const version = decodeBanner(await this.#bytes.take(BANNER_BYTES))
    return version ? { state: 'banner', version } : { state: 'foreign', start: '' }
  }

  /**
   * Reads the next message; undefined when the stream ended between two messages.
   *
   * @throws THIN_CLI_LOST when it ended inside a message; THIN_CLI_MALFORMED when the frame is wrong or too long.
   */
  async readMessage(): Promise<ThinCliMessage | undefined> {
    const head = await this.#bytes.takeUpTo(4)
    if (head.length === 0) return undefined
    if (head.length < 4) throw this.#bytes.lost()
    const length = head.readInt32LE()
    if (length < 8 || length > this.#maxFrameBytes)
      throw fail('THIN_CLI_MALFORMED', { found: `a frame of ${length} bytes` })
    return decodeMessage(await this.#bytes.take(length), this.#charset)
  }

  /** Reads exactly `bytes` raw bytes after a chunk's frame, in pieces as they arrive. @throws THIN_CLI_LOST */
  readRaw(bytes: number): AsyncGenerator<Buffer, void, undefined> {
    return this.#bytes.pieces(bytes)
  }

  /** Stops reading and returns the bytes read but not used. Afterwards the stream may be piped elsewhere. */
  release(): Buffer {
    return this.#bytes.release()
  }
}

/** Takes a requested number of bytes from a stream that nothing else reads. `release` returns the bytes not taken. */
export class ByteReader {
  readonly #stream: Readable
  #pieces: Buffer[] = []
  #length = 0
  #failure: Error | undefined
  #finished: boolean
  #wake: (() => void) | undefined

  constructor(stream: Readable) {
    this.#stream = stream
    this.#finished = stream.readableEnded || stream.destroyed
    stream.on('readable', this.#onReadable)
    stream.on('end', this.#onEnd)
    stream.on('close', this.#onEnd)
    stream.on('error', this.#onError)
  }

  /** Returns the bytes that were read and not taken yet. */
  peek(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] ?? Buffer.alloc(0)
  }

  /** Waits for more bytes than `peek` returns; false when the stream has ended. */
  async pull(): Promise<boolean> {
    for (;;) {
      const piece: unknown = this.#stream.read()
      if (Buffer.isBuffer(piece)) {
        this.#pieces.push(piece)
        this.#length += piece.length
        return true
      }
      if (this.#finished) return false
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Takes `bytes` bytes, or fewer when the stream ends first. */
  async takeUpTo(bytes: number): Promise<Buffer> {
    while (this.#length < bytes && (await this.pull())) {}
    return this.#cut(Math.min(bytes, this.#length))
  }

  /** @throws THIN_CLI_LOST when the stream ends first. */
  async take(bytes: number): Promise<Buffer> {
    const taken = await this.takeUpTo(bytes)
    if (taken.length < bytes) throw this.lost()
    return taken
  }

  /** Takes exactly `bytes` bytes, in pieces as they arrive; without a number, all until the end. @throws THIN_CLI_LOST */
  async *pieces(bytes = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer, void, undefined> {
    let missing = bytes
    while (missing > 0) {
      if (this.#length === 0 && !(await this.pull())) {
        if (missing === Number.POSITIVE_INFINITY && !this.#failure) return
        throw this.lost()
      }
      const piece = this.#cut(Math.min(missing, this.#length))
      missing -= piece.length
      yield piece
    }
  }

  /** Stops reading and returns the bytes not taken. Afterwards the stream may be piped elsewhere. */
  release(): Buffer {
    this.#stream.off('readable', this.#onReadable)
    this.#stream.off('end', this.#onEnd)
    this.#stream.off('close', this.#onEnd)
    this.#stream.off('error', this.#onError)
    return this.#cut(this.#length)
  }

  /** The error for a connection that ended in the middle of a message. */
  lost(): WlbError {
    return fail('THIN_CLI_LOST', { reason: this.#failure?.message ?? 'the other side closed it' }, this.#failure)
  }

  #cut(bytes: number): Buffer {
    const all = this.peek()
    const rest = all.subarray(bytes)
    this.#pieces = rest.length > 0 ? [rest] : []
    this.#length = rest.length
    return all.subarray(0, bytes)
  }

  readonly #onReadable = () => this.#wake?.()
  readonly #onEnd = () => {
    this.#finished = true
    this.#wake?.()
  }
  readonly #onError = (error: Error) => {
    this.#failure = error
    this.#onEnd()
  }
}
