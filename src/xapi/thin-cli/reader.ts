/**
 * Reads a thin CLI conversation, a message at a time and never more of it than was asked for
 * (docs/protocol/thin-cli.md): raw bytes and a forwarded conversation follow frames on the same stream.
 */
import type { Readable } from 'node:stream'
import { BANNER_BYTES, couldBeBanner, decodeBanner, type ProtocolVersion } from './banner.js'
import { ByteReader } from './byte-reader.js'
import { decodeMessage, malformedFrame, type ThinCliCharset, type ThinCliMessage } from './message.js'

export interface ThinCliReaderOptions {
  /** A longer frame is refused before it is read. A client's frames have 12 bytes at most; a server's hold whole lists. */
  readonly maxFrameBytes?: number
  readonly charset?: ThinCliCharset
}

/** What came where a banner belongs. */
export type BannerReading =
  | { readonly state: 'banner'; readonly version: ProtocolVersion }
  /** The stream ended before a single byte. */
  | { readonly state: 'silent' }
  /** An HTTP answer: the server refused the request itself. */
  | { readonly state: 'http'; readonly start: string }
  | { readonly state: 'foreign'; readonly start: string }

const DEFAULT_MAX_FRAME_BYTES = 64 * 1024 * 1024

/** Opened on a stream that nobody else reads; the stream stays the caller's to close. */
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
   * Reads what the other side sends first: a banner, or as many bytes as it takes to see that it is none, so that a
   * stranger that says little and stays connected keeps nobody waiting.
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
   * @throws THIN_CLI_LOST when it ended inside one; THIN_CLI_MALFORMED when the frame is wrong or too long.
   */
  async readMessage(): Promise<ThinCliMessage | undefined> {
    const head = await this.#bytes.takeUpTo(4)
    if (head.length === 0) return undefined
    if (head.length < 4) throw this.#bytes.lost()
    const length = head.readInt32LE()
    if (length < 8 || length > this.#maxFrameBytes) throw malformedFrame(`a frame of ${length} bytes`)
    return decodeMessage(await this.#bytes.take(length), this.#charset)
  }

  /** Reads exactly the raw bytes that follow a chunk's frame, in pieces as they come. @throws THIN_CLI_LOST */
  readRaw(bytes: number): AsyncGenerator<Buffer, void, undefined> {
    return this.#bytes.pieces(bytes)
  }

  /** Stops reading and gives back what was read too far. The stream may be piped elsewhere afterwards. */
  release(): Buffer {
    return this.#bytes.release()
  }
}
