/**
 * The client side of a thin CLI conversation: carries out the permitted commands of the server (docs/protocol/thin-cli.md,
 * encoding). The server interprets the `xe` command; the client only reads, prints and transfers files for it.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Duplex, Writable } from 'node:stream'
import { WlbError } from '../../base/error.js'
import { fail } from '../errors.js'
import {
  BANNER,
  type CliRequest,
  encodeBlob,
  encodeCliRequest,
  encodeResponse,
  PROTOCOL_VERSION,
  type ProtocolVersion,
  type ThinCliCommand,
} from './message.js'
import { ThinCliReader } from './reader.js'
import { copyFile, fetchToFile, openConsole, sendFile, type TransferTarget, writeAll } from './transfer.js'

export interface ThinCliTerminal {
  readonly output: Writable
  readonly errors: Writable
  /** Reads one line, without its line end; empty when there is no more input. */
  readLine(): Promise<string>
  /** Connects keyboard and screen to a console until the user leaves it or it ends. */
  attachConsole(stream: Duplex, received: Buffer): Promise<void>
  trace(text: string): void
}

export interface ThinCliConversation {
  /** A connection on which nothing has been sent yet. The caller closes it. */
  readonly stream: Duplex
  readonly request: CliRequest
  /** Absolute paths of the files the server may read or write: protection against a hostile server. */
  readonly permittedFiles: ReadonlySet<string>
  readonly terminal: ThinCliTerminal
  /** Opens another connection for a transfer, verified like the first one. */
  connectAside(target: TransferTarget): Promise<Duplex>
  /** Milliseconds of a monotonic clock. */
  now(): number
}

const HEARTBEAT_MS = 300_000
const MAX_CHUNK_BYTES = 0x7fff_ffff

/**
 * Runs one command and returns the exit status that the server sends.
 *
 * @throws THIN_CLI_SILENT, THIN_CLI_FOREIGN, THIN_CLI_HTTP, THIN_CLI_VERSION when the banner is missing or wrong;
 *   THIN_CLI_LOST, THIN_CLI_MALFORMED when the conversation breaks; UPLOAD_FAILED, FILE_NOT_PERMITTED for files.
 */
export async function runThinCliClient(conversation: ThinCliConversation): Promise<number> {
  const { stream, request, terminal } = conversation
  const reader = new ThinCliReader(stream, { charset: 'latin1' })
  stream.write(encodeCliRequest(request))
  const server = await greet(reader, stream)
  terminal.trace(`server speaks protocol ${server.major}.${server.minor}`)
  const client = new Client(conversation, server)
  for (;;) {
    const message = await reader.readMessage().catch((error: unknown) => client.explainEnd(error))
    if (!message) return client.explainEnd(fail('THIN_CLI_LOST', { reason: 'the other side closed it' }))
    if (message.kind !== 'command') continue
    terminal.trace(`server asks for ${message.command.name}`)
    if (message.command.name === 'Exit') return message.command.status
    await client.obey(message.command)
  }
}

async function greet(reader: ThinCliReader, stream: Duplex): Promise<ProtocolVersion> {
  const reading = await reader.readBanner()
  switch (reading.state) {
    case 'silent':
      throw fail('THIN_CLI_SILENT', {})
    case 'http':
      throw fail('THIN_CLI_HTTP', { answer: firstLine(reading.start) })
    case 'foreign':
      throw fail('THIN_CLI_FOREIGN', {})
    case 'banner':
  }
  const { version } = reading
  if (version.major !== PROTOCOL_VERSION.major) {
    throw fail('THIN_CLI_VERSION', { server: printVersion(version), client: printVersion(PROTOCOL_VERSION) })
  }
  stream.write(BANNER)
  return version
}

/** The state of a conversation between commands: the current upload and the time of the last heartbeat. */
class Client {
  readonly #conversation: ThinCliConversation
  readonly #hearsHeartbeats: boolean
  #lastBeatMs: number
  /** Runs while commands are read, because a server may refuse a file before it has read all of it. */
  #upload: { readonly file: string; readonly done: Promise<boolean> } | undefined

  constructor(conversation: ThinCliConversation, server: ProtocolVersion) {
    this.#conversation = conversation
    this.#hearsHeartbeats = server.major * 10 + server.minor >= 2
    this.#lastBeatMs = conversation.now()
  }

  async obey(command: Exclude<ThinCliCommand, { name: 'Exit' }>): Promise<void> {
    const { terminal } = this.#conversation
    switch (command.name) {
      case 'Print':
        return writeAll(terminal.output, Buffer.from(`${command.text}\n`, 'latin1'))
      case 'PrintStderr':
        return writeAll(terminal.errors, Buffer.from(command.text, 'latin1'))
      case 'Debug':
        return terminal.trace(`debug from server: ${asTyped(command.text)}`)
      case 'Error': {
        const lines = `Error code: ${command.code}\nError parameters: ${command.params.join(', ')}\n`
        return writeAll(terminal.errors, Buffer.from(lines, 'latin1'))
      }
      case 'Load':
        return this.#load(asTyped(command.file))
      case 'Prompt':
        return this.#prompt()
      case 'HttpGet': {
        const file = this.#permitted(asTyped(command.file), 'or standard output')
        return this.#transfer(() => fetchToFile(asTyped(command.url), file, terminal.output, this.#side))
      }
      case 'HttpPut': {
        const file = this.#permitted(asTyped(command.file))
        return this.#transfer(() => sendFile(asTyped(command.url), file, this.#side))
      }
      case 'HttpConnect':
        return this.#transfer(async () => {
          const { stream, received } = await openConsole(asTyped(command.url), this.#side)
          await terminal.attachConsole(stream, received).finally(() => stream.destroy())
        })
    }
  }

  /** When the connection ends during an upload, the error names the file. */
  explainEnd(error: unknown): never {
    if (this.#upload) throw fail('UPLOAD_FAILED', { file: this.#upload.file }, error)
    throw error
  }

  async #load(named: string): Promise<void> {
    await this.#uploaded()
    const file = this.#permitted(named)
    const source = await openForUpload(file)
    if (!source) return this.#send(encodeResponse('Failed'))
    if (spreadsCertificates(this.#conversation.request.args) && (await holdsPrivateKey(source))) {
      await writeAll(this.#conversation.terminal.errors, Buffer.from(privateKeyWarning(named)))
    }
    const done = this.#sendContent(source).then(
      () => true,
      () => false,
    )
    this.#upload = { file: named, done }
    // An incomplete upload is kept, because it explains why the connection ended.
    void done.then((complete) => {
      if (complete) this.#upload = undefined
    })
  }

  async #sendContent({ handle, bytes }: UploadSource): Promise<void> {
    try {
      await this.#send(encodeResponse('OK'), encodeBlob({ name: 'Chunk', bytes }))
      await copyFile(handle, this.#conversation.stream, () => {}, bytes)
      await this.#send(encodeBlob({ name: 'End' }))
    } catch (error) {
      this.#conversation.stream.end() // tells the server that the announced bytes will not come
      throw error
    } finally {
      await handle.close()
    }
  }

  async #uploaded(): Promise<void> {
    await this.#upload?.done
  }

  async #prompt(): Promise<void> {
    await this.#uploaded()
    const line = Buffer.from(await this.#conversation.terminal.readLine())
    await this.#send(encodeBlob({ name: 'Chunk', bytes: line.length }), line, encodeBlob({ name: 'End' }))
  }

  /** Prints a failure on this side. A transfer that the server refused is explained by the server. */
  async #transfer(run: () => Promise<void>): Promise<void> {
    await this.#uploaded()
    const { terminal } = this.#conversation
    try {
      await run()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      terminal.trace(`transfer failed: ${reason}`)
      const code = error instanceof WlbError ? error.code : undefined
      if (error instanceof WlbError && code === 'TRANSFER_FILE_UNUSABLE')
        await writeAll(terminal.errors, Buffer.from(`Operation failed. Error: ${error.facts.why}\n`))
      else if (code !== 'TRANSFER_REFUSED')
        await writeAll(terminal.errors, Buffer.from(`xe: transfer failed: ${reason}\n`))
      return this.#send(encodeResponse('Failed'))
    }
    return this.#send(encodeResponse('OK'))
  }

  readonly #beat = (): void => {
    const nowMs = this.#conversation.now()
    if (!this.#hearsHeartbeats || nowMs - this.#lastBeatMs < HEARTBEAT_MS) return
    this.#lastBeatMs = nowMs
    this.#conversation.stream.write(encodeResponse('Wait'))
  }

  readonly #side = {
    open: (target: TransferTarget) => this.#conversation.connectAside(target),
    beat: this.#beat,
  }

  #permitted(file: string, orOutput?: 'or standard output'): string {
    if (file === '' && orOutput) return ''
    if (!this.#conversation.permittedFiles.has(resolve(file))) throw fail('FILE_NOT_PERMITTED', { file })
    return file
  }

  async #send(...parts: Buffer[]): Promise<void> {
    await writeAll(this.#conversation.stream, Buffer.concat(parts))
  }
}

interface UploadSource {
  readonly handle: FileHandle
  readonly bytes: number
}

/**
 * Undefined when the file cannot be opened, is neither a regular file nor a device, or is larger than a chunk can be. A device is as
 * long as its size says, as for the pool's own client: /dev/null is an empty file.
 */
async function openForUpload(file: string): Promise<UploadSource | undefined> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (!handle) return undefined
  const stat = await handle.stat()
  if ((stat.isFile() || stat.isCharacterDevice()) && stat.size <= MAX_CHUNK_BYTES) return { handle, bytes: stat.size }
  await handle.close()
  return undefined
}

/**
 * Whether the command installs a certificate in the pool, which copies the file unchanged to every host. A host's own
 * certificate is different: its file must contain the key.
 */
function spreadsCertificates(args: readonly string[]): boolean {
  const command = args.find((arg) => !arg.includes('=') && !arg.startsWith('-')) ?? ''
  return /-(ca-)?certificate(-|$)/.test(command) && command !== 'host-server-certificate-install'
}

/** Much more than a certificate with its key needs. */
const LOOK_FOR_KEY_BYTES = 1024 * 1024

async function holdsPrivateKey({ handle, bytes }: UploadSource): Promise<boolean> {
  const start = Buffer.alloc(Math.min(bytes, LOOK_FOR_KEY_BYTES))
  await handle.read(start, 0, start.length, 0) // an explicit position leaves the file offset at 0 for the upload
  return /-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----/.test(start.toString('latin1'))
}

function privateKeyWarning(file: string): string {
  return `xe: warning: ${file} holds a private key, which certificates installed in a pool do not need; every host gets a copy\n`
}

/** Decodes as UTF-8 what was read as latin1: names and URLs that the user typed. */
function asTyped(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

function printVersion({ major, minor }: ProtocolVersion): string {
  return `${major}.${minor}`
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? ''
}
