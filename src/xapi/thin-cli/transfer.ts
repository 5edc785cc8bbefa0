/** The HTTP transfers of `xe`: files and consoles, each on its own connection (docs/protocol/thin-cli.md, encoding). */
import { type FileHandle, open, rm } from 'node:fs/promises'
import type { Duplex, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { WlbError } from '../../base/error.js'
import { systemCode } from '../../base/files/file-failure.js'
import { type HostAddress, readHostAddress } from '../../base/names/host-address.js'
import { fail } from '../errors.js'
import { ByteReader } from './reader.js'

/** The target of a URL that the server sent: another host or, without `host`, the server of the conversation. */
export interface TransferTarget {
  readonly host?: HostAddress
  readonly port?: number
  readonly path: string
}

export interface Transfer {
  open(target: TransferTarget): Promise<Duplex>
  /** Called after each piece of data, so that heartbeats can be sent. */
  beat(): void
}

const MAX_HEAD_BYTES = 64 * 1024
const MAX_REDIRECTS = 5
const PIECE_BYTES = 64 * 1024

/** Reads `https://host/path`; anything else is a path on the same server. @throws HOST_ADDRESS_INVALID */
function parseTransferUrl(url: string): TransferTarget {
  const found = /^https:\/\/(\[[^\]/]+\]|[^/:]+)(?::(\d{1,5}))?(\/.*)?$/.exec(url)
  if (!found) return { path: url }
  const [, host = '', port, path = '/'] = found
  return {
    host: readHostAddress(host.replace(/^\[|\]$/g, ''), 'the host of a transfer'),
    path,
    port: port === undefined ? undefined : Number(port),
  }
}

/**
 * Fetches `url` into `file`, which must not exist and is made readable by its owner only; an empty `file` means `output`.
 * An incomplete file is removed.
 *
 * @throws TRANSFER_REFUSED when the server's answer is not 200; TRANSFER_FILE_UNUSABLE when the file cannot be made; other file
 * errors unchanged.
 */
export async function fetchToFile(url: string, file: string, output: Writable, transfer: Transfer): Promise<void> {
  await follow(
    url,
    transfer,
    (path) => `GET ${path} HTTP/1.0\r\n\r\n`,
    async (_stream, answer, bytes) => {
      if (file === '') return copyBody(answer, bytes, (piece) => writeAll(output, piece), transfer)
      const target = await open(file, 'wx', 0o600).catch((error: unknown) => {
        throw fail('TRANSFER_FILE_UNUSABLE', { why: asSysError(file, error) }, error)
      })
      try {
        await copyBody(answer, bytes, (piece) => target.writeFile(piece), transfer)
      } catch (error) {
        await rm(file, { force: true })
        throw error
      } finally {
        await target.close()
      }
    },
  )
}

/**
 * Sends `file` to `url`. The server answers the head before the body is sent.
 *
 * @throws TRANSFER_REFUSED when that answer is not 200; TRANSFER_FILE_UNUSABLE when there is no such file; other file errors unchanged.
 */
export async function sendFile(url: string, file: string, transfer: Transfer): Promise<void> {
  const source = await open(file, 'r').catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
    throw fail('TRANSFER_FILE_UNUSABLE', { why: `file '${file}' does not exist` }, error)
  })
  try {
    const stat = await source.stat()
    const length = stat.isFile() ? `\r\nContent-length: ${stat.size}` : ''
    await follow(
      url,
      transfer,
      (path) => `PUT ${path} HTTP/1.0${length}\r\n\r\n`,
      async (stream) => {
        await copyFile(source, stream, transfer.beat)
        stream.end()
        // The server may close the connection after the last byte; this is not an error, so only the writable side is awaited.
        await finished(stream, { readable: false })
      },
    )
  } finally {
    await source.close()
  }
}

/** In the C library's words. */
const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EEXIST: 'File exists',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  EROFS: 'Read-only file system',
}

/** As the real client prints it, which shows the exception of its language. */
function asSysError(file: string, error: unknown): string {
  const code = systemCode(error) ?? String(error)
  return `Sys_error("${file}: ${SYSTEM_TEXTS[code] ?? code}")`
}

/** Opens a terminal's byte stream at `url`; the caller closes it. @throws TRANSFER_REFUSED */
export async function openConsole(url: string, transfer: Transfer): Promise<{ stream: Duplex; received: Buffer }> {
  const target = parseTransferUrl(url)
  const stream = await transfer.open(target)
  try {
    await writeAll(stream, Buffer.from(`CONNECT ${target.path} HTTP/1.0\r\ncontent-length: 0\r\n\r\n`))
    const bytes = new ByteReader(stream)
    const answer = await readHead(bytes)
    if (answer.status !== 200) throw refused(url, answer.status)
    return { stream, received: bytes.release() }
  } catch (error) {
    stream.destroy()
    throw error
  }
}

/** Copies an open file with backpressure; stops after `bytes` bytes when that length was announced. */
export async function copyFile(source: FileHandle, sink: Writable, beat: () => void, bytes = Infinity): Promise<void> {
  let missing = bytes
  while (missing > 0) {
    const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, missing))
    const { bytesRead } = await source.read(buffer)
    if (bytesRead === 0) break
    missing -= bytesRead
    await writeAll(sink, buffer.subarray(0, bytesRead))
    beat()
  }
  if (missing > 0 && bytes !== Infinity) throw new Error(`the file became ${missing} bytes shorter while it was sent`)
}

/** Writes and waits until there is room for more. Rejects when the other side has closed. */
export async function writeAll(sink: Writable, piece: Buffer): Promise<void> {
  if (sink.destroyed || sink.errored) throw sink.errored ?? new Error('the connection is closed')
  if (sink.write(piece)) return
  const { promise, resolve, reject } = withResolvers()
  const onClose = () => reject(new Error('the connection is closed'))
  sink.once('drain', resolve).once('close', onClose).once('error', reject)
  try {
    await promise
  } finally {
    sink.off('drain', resolve).off('close', onClose).off('error', reject)
  }
}

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve = () => {}
  let reject = (_error: Error) => {}
  const promise = new Promise<void>((onDone, onError) => {
    resolve = onDone
    reject = onError
  })
  return { promise, resolve, reject }
}

interface Head {
  readonly status: number
  readonly fields: ReadonlyMap<string, string>
}

/** Sends a request, follows redirects, and passes the stream of the 200 answer to `use`. */
async function follow(
  url: string,
  transfer: Transfer,
  head: (path: string) => string,
  use: (stream: Duplex, answer: Head, bytes: ByteReader) => Promise<void>,
  redirects = 0,
): Promise<void> {
  const target = parseTransferUrl(url)
  const stream = await transfer.open(target)
  let moved: string | undefined
  try {
    await writeAll(stream, Buffer.from(head(target.path)))
    const bytes = new ByteReader(stream)
    const answer = await readHead(bytes)
    moved = answer.status === 302 && redirects < MAX_REDIRECTS ? answer.fields.get('location') : undefined
    if (moved === undefined) {
      if (answer.status !== 200) throw refused(url, answer.status)
      await use(stream, answer, bytes)
    }
  } finally {
    stream.destroy()
  }
  if (moved !== undefined) await follow(moved, transfer, head, use, redirects + 1)
}

async function readHead(bytes: ByteReader): Promise<Head> {
  for (;;) {
    const text = bytes.peek().toString('latin1')
    const end = /\r?\n\r?\n/.exec(text)
    if (end) {
      await bytes.take(end.index + end[0].length)
      return parseHead(text.slice(0, end.index))
    }
    if (text.length > MAX_HEAD_BYTES || !(await bytes.pull())) throw bytes.lost()
  }
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split(/\r?\n/)
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
  })
  return { status: Number(/^HTTP\/\d\.\d (\d{3})/.exec(first)?.[1] ?? 0), fields: new Map(fields) }
}

/** Without a length the body ends with the connection. With one, a shorter body is an error. */
async function copyBody(
  answer: Head,
  bytes: ByteReader,
  write: (piece: Buffer) => Promise<void>,
  transfer: Transfer,
): Promise<void> {
  const length = answer.fields.get('content-length')
  const expected = length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined
  for await (const piece of bytes.pieces(expected)) {
    await write(piece)
    transfer.beat()
  }
}

/** The path is given without its query, which holds a session. */
function refused(url: string, status: number): WlbError {
  return fail('TRANSFER_REFUSED', { path: url.replace(/\?.*/s, ''), status })
}
