/**
 * The server's side of one thin CLI connection: messages to and from the client, and the layout of answers
 * (docs/protocol/thin-cli.md, output).
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { BANNER, encodeCommand, PROTOCOL_VERSION, type ThinCliCommand, ThinCliReader } from '../../xapi/index.js'
import { refusal } from './command-line.js'

/** The most a client may upload in one file. */
const UPLOAD_LIMIT_BYTES = 33_554_432

/** A client's frames are 12 bytes and shorter; anything much longer is not the protocol. */
const CLIENT_FRAME_LIMIT_BYTES = 1024

/** The client has closed the connection. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

export class Conversation {
  readonly #stream: Duplex
  readonly #reader: ThinCliReader
  #departure: Promise<void> | undefined

  constructor(stream: Duplex) {
    this.#stream = stream
    this.#reader = new ThinCliReader(stream, { maxFrameBytes: CLIENT_FRAME_LIMIT_BYTES })
    // The next read or write reports it; without a listener a reset would end the host.
    stream.on('error', () => {})
  }

  /** Exchanges banners; false when the client speaks another protocol or version. */
  async greet(): Promise<boolean> {
    await this.#write(BANNER)
    const reading = await this.#reader.readBanner()
    return reading.state === 'banner' && reading.version.major === PROTOCOL_VERSION.major
  }

  /** Throws `ClientGone`. */
  async send(command: ThinCliCommand): Promise<void> {
    await this.#write(encodeCommand(command))
  }

  async printError(text: string): Promise<void> {
    await this.send({ name: 'PrintStderr', text: `${text}\n` })
  }

  /** Fetches a file from the client; undefined when it could not open it. Throws a `Refusal` when it is too large. */
  async load(file: string): Promise<string | undefined> {
    await this.send({ name: 'Load', file })
    const message = await this.#next()
    if (message.kind !== 'response' || message.response === 'Wait') throw refusal('Thin CLI protocol error')
    return message.response === 'OK' ? await this.#readChunks() : undefined
  }

  /** Waits for the client to have finished a transfer, heartbeats left out. */
  async readOutcome(): Promise<'OK' | 'Failed'> {
    for (;;) {
      const message = await this.#next()
      if (message.kind !== 'response') throw refusal('Thin CLI protocol error')
      if (message.response !== 'Wait') return message.response
    }
  }

  /** Settles when the client hangs up. Only for commands during which a client sends nothing. */
  departure(): Promise<void> {
    this.#departure ??= this.#reader.readMessage().then(
      () => {},
      () => {},
    )
    return this.#departure
  }

  /** Gives the connection back together with bytes that were read too far; nothing more is read or written here. */
  release(): Buffer {
    return this.#reader.release()
  }

  /**
   * Ends our side. What the client still sends is read and dropped: closing on unread bytes would reset the connection
   * and lose the last answer.
   */
  async end(): Promise<void> {
    this.#reader.release()
    this.#stream.resume()
    if (this.#stream.destroyed || this.#stream.writableFinished) return
    const finished = new Promise<void>((resolve) => {
      this.#stream.once('finish', resolve)
      this.#stream.once('close', resolve)
    })
    this.#stream.end()
    await finished
  }

  async #readChunks(): Promise<string> {
    const pieces: Buffer[] = []
    let totalBytes = 0
    for (;;) {
      const message = await this.#next()
      if (message.kind !== 'blob') throw refusal('Thin CLI protocol error')
      if (message.blob.name === 'End') return Buffer.concat(pieces).toString()
      totalBytes += message.blob.bytes
      if (totalBytes > UPLOAD_LIMIT_BYTES) throw tooLarge()
      for await (const piece of this.#reader.readRaw(message.blob.bytes)) pieces.push(piece)
    }
  }

  async #next() {
    const message = await this.#reader.readMessage()
    if (!message) throw new ClientGone()
    return message
  }

  async #write(bytes: Buffer): Promise<void> {
    if (!this.#stream.writable) throw new ClientGone()
    if (this.#stream.write(bytes)) return
    const stop = new AbortController()
    await Promise.race([
      once(this.#stream, 'drain', { signal: stop.signal }),
      once(this.#stream, 'close', { signal: stop.signal }),
    ])
      .catch(() => {})
      .finally(() => stop.abort())
    if (this.#stream.destroyed) throw new ClientGone()
  }
}

function tooLarge() {
  return refusal(
    `Fatal error: A CLI client tried to transfer more than the maximum allowed of ${UPLOAD_LIMIT_BYTES}B, aborting.`,
  )
}

/** The keys come with their markers. */
export type TableRecord = readonly (readonly [key: string, value: string])[]

export interface Printer {
  table(records: readonly TableRecord[]): Promise<void>
  list(items: readonly string[]): Promise<void>
  /** Left out by `--minimal`. */
  message(text: string): Promise<void>
  /** On stderr; left out by `--minimal`. */
  note(text: string): Promise<void>
  /** Sends what was held back; called once, when the command has succeeded. */
  flush(): Promise<void>
}

export function openPrinter(conversation: Conversation, minimal: boolean): Printer {
  return minimal ? openMinimalPrinter(conversation) : openFullPrinter(conversation)
}

function openFullPrinter(conversation: Conversation): Printer {
  const print = (text: string) => conversation.send({ name: 'Print', text })
  return {
    async table(records) {
      for (const record of records) await print(`${layOut(record)}\n`)
    },
    async list(items) {
      for (const item of items) await print(item)
    },
    message: print,
    note: (text) => conversation.send({ name: 'PrintStderr', text }),
    flush: async () => {},
  }
}

/** The pool holds its pieces in a stack: several tables or lists come out last one first. */
function openMinimalPrinter(conversation: Conversation): Printer {
  const pieces: string[] = []
  const hold = (items: readonly string[]) => {
    pieces.unshift(items.map(escapeItem).join(','))
  }
  return {
    async table(records) {
      if (records.length > 0 && records.every(({ length }) => length > 0)) hold(records.map((record) => record[0]![1]))
    },
    async list(items) {
      hold(items)
    },
    message: async () => {},
    note: async () => {},
    flush: () => conversation.send({ name: 'Print', text: pieces.join(',') }),
  }
}

/** The first key is padded on the right and the others on the left, all to the longest and four more bytes. */
export function layOut(record: TableRecord): string {
  const width = 4 + Math.max(0, ...record.map(([key]) => Buffer.byteLength(key)))
  const lines = record.map(([key, value], index) => {
    const padding = ' '.repeat(width - Buffer.byteLength(key))
    return `${index === 0 ? key + padding : padding + key}: ${value}`
  })
  return `${lines.join('\n')}\n`
}

function escapeItem(item: string): string {
  return item.replace(/[\\,]/g, '\\$&')
}
