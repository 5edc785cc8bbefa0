/**
 * The client's side of a thin CLI conversation: it does what the server says, as far as it was permitted to
 * (docs/protocol/thin-cli.md, encoding). All knowledge of pools is the server's.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Duplex, Writable } from 'node:stream'
import { WlbError } from '../../base/error.js'
import { BANNER, PROTOCOL_VERSION, type ProtocolVersion } from './banner.js'
import { encodeBlob, encodeResponse, type ThinCliCommand } from './message.js'
import { ThinCliReader } from './reader.js'
import { type CliRequest, encodeCliRequest } from './request.js'
import { copyFile, fetchToFile, openConsole, sendFile, type TransferTarget, writeAll } from './transfer.js'

/** Where a conversation shows and asks. */
export interface ThinCliTerminal {
  readonly output: Writable
  readonly errors: Writable
  /** One line, without its end; empty when there is no more input. */
  readLine(): Promise<string>
  /** Joins the keyboard and screen to a console until the person leaves it or it ends. */
  attachConsole(stream: Duplex, received: Buffer): Promise<void>
  trace(text: string): void
}

export interface ThinCliConversation {
  /** Connected, with nothing sent yet. Closing it is the caller's. */
  readonly stream: Duplex
  readonly request: CliRequest
  /** Files the server may ask for or write, absolute: protection against a hostile one. */
  readonly permittedFiles: ReadonlySet<string>
  readonly terminal: ThinCliTerminal
  /** Opens a second connection for a transfer, verified as the first one was. */
  connectAside(target: TransferTarget): Promise<Duplex>
  /** Milliseconds of any clock that only goes forward. */
  now(): number
}

const HEARTBEAT_MS = 300_000
const MAX_CHUNK_BYTES = 0x7fff_ffff

/**
 * Runs one command and returns the exit status the server gave.
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
    if (!message) return client.explainEnd(lost())
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
      throw new WlbError('THIN_CLI_SILENT', 'The server closed the connection without a word.', {}, 'xe help')
    case 'http':
      throw new WlbError(
        'THIN_CLI_HTTP',
        'The server refused the request.',
        { answer: firstLine(reading.start) },
        'xe help',
      )
    case 'foreign':
      throw new WlbError('THIN_CLI_FOREIGN', 'No management agent answers there.', {}, 'xe help')
    case 'banner':
  }
  if (reading.version.major !== PROTOCOL_VERSION.major) throw versionMismatch(reading.version)
  stream.write(BANNER)
  return reading.version
}

/** What one conversation remembers between commands: the upload under way and the last heartbeat. */
class Client {
  readonly #conversation: ThinCliConversation
  readonly #hearsHeartbeats: boolean
  #lastBeatMs: number
  /** Runs beside the conversation: a server that refuses a file says so before it has read all of it. */
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

  /** An end while a file was on its way is about that file. */
  explainEnd(error: unknown): never {
    if (this.#upload) throw uploadFailed(this.#upload.file, error)
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
    // Only a complete upload is forgotten: when it broke off, the connection's end will be blamed on it.
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
      this.#conversation.stream.end() // the promised bytes will never come: let the server see that
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

  /** A transfer that the server refused is the server's to explain; what failed here is known here only. */
  async #transfer(run: () => Promise<void>): Promise<void> {
    await this.#uploaded()
    const { terminal } = this.#conversation
    try {
      await run()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      terminal.trace(`transfer failed: ${reason}`)
      const isExplained = error instanceof WlbError && error.code === 'TRANSFER_REFUSED'
      if (!isExplained) await writeAll(terminal.errors, Buffer.from(`xe: transfer failed: ${reason}\n`))
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
    const path = resolve(file)
    if (!this.#conversation.permittedFiles.has(path)) throw notPermitted(file)
    return path
  }

  async #send(...parts: Buffer[]): Promise<void> {
    await writeAll(this.#conversation.stream, Buffer.concat(parts))
  }
}

interface UploadSource {
  readonly handle: FileHandle
  readonly bytes: number
}

/** Undefined where there is nothing to send: no such file, no right to read it, a folder, or more than a chunk can say. */
async function openForUpload(file: string): Promise<UploadSource | undefined> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (!handle) return undefined
  const { size } = await handle.stat()
  const sendable = (await handle.stat()).isFile() && size <= MAX_CHUNK_BYTES
  if (sendable) return { handle, bytes: size }
  await handle.close()
  return undefined
}

/** A pool takes any text around a certificate, and copies the file to every host as it is. A host's own key belongs in its file. */
function spreadsCertificates(args: readonly string[]): boolean {
  const command = args.find((arg) => !arg.includes('=') && !arg.startsWith('-')) ?? ''
  return /-(ca-)?certificate(-|$)/.test(command) && command !== 'host-server-certificate-install'
}

/** Where a certificate with its key ends long before; what is larger is no certificate. */
const LOOK_FOR_KEY_BYTES = 1024 * 1024

async function holdsPrivateKey({ handle, bytes }: UploadSource): Promise<boolean> {
  const start = Buffer.alloc(Math.min(bytes, LOOK_FOR_KEY_BYTES))
  await handle.read(start, 0, start.length, 0) // at a position, so that the upload still begins at the beginning
  return /-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----/.test(start.toString('latin1'))
}

function privateKeyWarning(file: string): string {
  return `xe: warning: ${file} holds a private key, which certificates installed in a pool do not need; every host gets a copy\n`
}

/** The server's bytes as the text a person typed. */
function asTyped(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? ''
}

function versionMismatch({ major, minor }: ProtocolVersion): WlbError {
  const client = `${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}`
  return new WlbError(
    'THIN_CLI_VERSION',
    'The server speaks another version of the protocol.',
    { server: `${major}.${minor}`, client },
    'xe -version',
  )
}

function lost(): WlbError {
  const reason = 'the other side closed it'
  return new WlbError('THIN_CLI_LOST', 'The connection ended before the command did.', { reason }, 'xe help')
}

function uploadFailed(file: string, cause: unknown): WlbError {
  return new WlbError('UPLOAD_FAILED', 'The server went away while a file was sent.', { file }, 'xe help', cause)
}

function notPermitted(file: string): WlbError {
  return new WlbError(
    'FILE_NOT_PERMITTED',
    'The server asked for a file that was not named on the command line.',
    { file },
    'xe help',
  )
}
