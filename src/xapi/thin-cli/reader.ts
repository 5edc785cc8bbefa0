/**
 * Reads a thin CLI conversation from a stream, a message at a time and never more of it than was asked for: what
 * follows (raw bytes, a forwarded conversation) stays in the stream or comes back with `release`.
 */
import type { Readable } from 'node:stream'
import { WlbError } from '../../error.js'
import { BANNER_BYTES, decodeBanner, type ProtocolVersion } from './banner.js'
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
  readonly #stream: Readable
  readonly #maxFrameBytes: number
  readonly #charset: ThinCliCharset
  #buffered: Buffer[] = []
  #bufferedBytes = 0
  #failure: Error | undefined
  #finished: boolean
  #wake: (() => void) | undefined

  constructor(stream: Readable, options: ThinCliReaderOptions = {}) {
    this.#stream = stream
    this.#maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES
    this.#charset = options.charset ?? 'utf8'
    this.#finished = stream.readableEnded || stream.destroyed
    stream.on('readable', this.#onReadable)
    stream.on('end', this.#onEnd)
    stream.on('close', this.#onEnd)
    stream.on('error', this.#onError)
  }

  /** Reads what the other side sends first: 35 bytes, or as many as it takes to see that they are no banner. */
  async readBanner(): Promise<BannerReading> {
    const bytes = await this.#takeUpTo(BANNER_BYTES)
    if (bytes.length === 0) return { state: 'silent' }
    const version = decodeBanner(bytes)
    if (version) return { state: 'banner', version }
    const start = bytes.toString('latin1')
    return { state: start.startsWith('HTTP') ? 'http' : 'foreign', start }
  }

  /**
   * Reads the next message; undefined when the stream ended between two messages.
   *
   * @throws THIN_CLI_LOST when it ended inside one; THIN_CLI_MALFORMED when the frame is wrong or too long.
   */
  async readMessage(): Promise<ThinCliMessage | undefined> {
    const head = await this.#takeUpTo(4)
    if (head.length === 0) return undefined
    if (head.length < 4) throw lost(this.#failure)
    const length = head.readInt32LE()
    if (length < 8 || length > this.#maxFrameBytes) throw malformedFrame(`a frame of ${length} bytes`)
    return decodeMessage(await this.#take(length), this.#charset)
  }

  /** Reads exactly the raw bytes that follow a chunk's frame, in pieces as they come. @throws THIN_CLI_LOST */
  async *readRaw(bytes: number): AsyncGenerator<Buffer, void, undefined> {
    let missing = bytes
    while (missing > 0) {
      if (this.#bufferedBytes === 0 && !(await this.#pull())) throw lost(this.#failure)
      const piece = this.#cut(Math.min(missing, this.#bufferedBytes))
      missing -= piece.length
      yield piece
    }
  }

  /** Stops reading and gives back what was read too far. The stream may be piped elsewhere afterwards. */
  release(): Buffer {
    this.#stream.off('readable', this.#onReadable)
    this.#stream.off('end', this.#onEnd)
    this.#stream.off('close', this.#onEnd)
    this.#stream.off('error', this.#onError)
    return this.#cut(this.#bufferedBytes)
  }

  async #take(bytes: number): Promise<Buffer> {
    const taken = await this.#takeUpTo(bytes)
    if (taken.length < bytes) throw lost(this.#failure)
    return taken
  }

  async #takeUpTo(bytes: number): Promise<Buffer> {
    while (this.#bufferedBytes < bytes && (await this.#pull())) {}
    return this.#cut(Math.min(bytes, this.#bufferedBytes))
  }

  /** Waits for bytes; false when there will be none. */
  async #pull(): Promise<boolean> {
    for (;;) {
      const piece: unknown = this.#stream.read()
      if (Buffer.isBuffer(piece)) {
        this.#buffered.push(piece)
        this.#bufferedBytes += piece.length
        return true
      }
      if (this.#finished) return false
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #cut(bytes: number): Buffer {
    const all = this.#buffered.length === 1 ? this.#buffered[0]! : Buffer.concat(this.#buffered)
    const rest = all.subarray(bytes)
    this.#buffered = rest.length > 0 ? [rest] : []
    this.#bufferedBytes = rest.length
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

function lost(cause: Error | undefined): WlbError {
  return new WlbError(
    'THIN_CLI_LOST',
    'The connection ended in the middle of a message.',
    { reason: cause?.message ?? 'the other side closed it' },
    'xe help',
    cause,
  )
}
