/** Files a host serves over HTTP beside its API, such as `/wlb_diagnostics`: each host answers for itself (docs/protocol/pool.md). */
import { type IncomingHttpHeaders, request } from 'node:http'
import { isIPv6 } from 'node:net'
import { WlbError } from '../base/error.js'
import { connectPinned, type Trust } from '../tls/index.js'

export interface Download {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** At most the limit that was given. */
  readonly body: Buffer
}

export interface DownloadTarget {
  readonly address: string
  readonly port: number
  readonly trust: Trust
  /** For the whole of it. */
  readonly timeoutMs: number
  readonly limitBytes: number
  readonly signal?: AbortSignal
}

/**
 * Gets `path` over a connection that is judged first, and closes it. Whatever status is answered is the caller's to read.
 *
 * @throws what `connectPinned` throws; DOWNLOAD_FAILED when the answer breaks off, takes too long or is too long.
 */
export async function download(target: DownloadTarget, path: string): Promise<Download> {
  const { address, port, trust, timeoutMs, limitBytes, signal } = target
  const place = `${address}:${port}`
  const startedMs = performance.now()
  const { socket } = await connectPinned({ address, port, trust, timeoutMs, ...(signal && { signal }) })
  const leftMs = Math.max(1, timeoutMs - (performance.now() - startedMs))
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      reject(downloadFailed(place, why))
      sent.destroy()
      socket.destroy()
    }
    const timer = setTimeout(() => fail(`no end within ${timeoutMs} ms`), leftMs)
    const abort = () => fail('given up')
    signal?.addEventListener('abort', abort)
    const headers = { Host: isIPv6(address) ? `[${address}]` : address, Connection: 'close', 'User-Agent': 'OpenWLB' }
    const sent = request({ createConnection: () => socket, path, method: 'GET', headers }, (response) => {
      const pieces: Buffer[] = []
      let length = 0
      response.on('data', (piece: Buffer) => {
        length += piece.length
        if (length > limitBytes) fail(`more than ${limitBytes} bytes`)
        else pieces.push(piece)
      })
      response.once('error', (error) => fail(error.message))
      response.once('end', () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        socket.destroy()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) })
      })
    })
    sent.once('error', (error) => fail(error.message))
    sent.once('close', () => fail('the connection was closed before an answer'))
    sent.end()
  })
}

function downloadFailed(server: string, why: string): WlbError {
  return new WlbError('DOWNLOAD_FAILED', 'The host did not answer the download.', { server, why }, 'wlb trust status')
}
