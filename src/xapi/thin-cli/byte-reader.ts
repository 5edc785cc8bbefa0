/**
 * Takes bytes from a stream as they are asked for. Paused in between, so a fast sender waits; nothing is ever closed
 * here, and what was read too far can be had back.
 */
import type { Readable } from 'node:stream'
import { WlbError } from '../../base/error.js'

/** Opened on a stream that nobody else reads. */
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

  /** Looks at what has been read and not taken yet. */
  peek(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] ?? Buffer.alloc(0)
  }

  /** Waits for more bytes than `peek` shows; false when there will be none. */
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

  /** Takes `bytes`, or what there is when the stream ends before. */
  async takeUpTo(bytes: number): Promise<Buffer> {
    while (this.#length < bytes && (await this.pull())) {}
    return this.#cut(Math.min(bytes, this.#length))
  }

  /** @throws THIN_CLI_LOST when the stream ends before. */
  async take(bytes: number): Promise<Buffer> {
    const taken = await this.takeUpTo(bytes)
    if (taken.length < bytes) throw this.lost()
    return taken
  }

  /** Takes exactly `bytes` in pieces as they come; without a number, all there is. @throws THIN_CLI_LOST */
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

  /** Stops reading and gives back what was not taken. The stream may be piped elsewhere afterwards. */
  release(): Buffer {
    this.#stream.off('readable', this.#onReadable)
    this.#stream.off('end', this.#onEnd)
    this.#stream.off('close', this.#onEnd)
    this.#stream.off('error', this.#onError)
    return this.#cut(this.#length)
  }

  /** The connection went away inside something: what to throw then. */
  lost(): WlbError {
    const reason = this.#failure?.message ?? 'the other side closed it'
    return new WlbError(
      'THIN_CLI_LOST',
      'The connection ended in the middle of a message.',
      { reason },
      'xe help',
      this.#failure,
    )
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
