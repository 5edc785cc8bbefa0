/** Downloads from a host over HTTPS, such as `/wlb_diagnostics`. Each host serves its own files (docs/protocol/pool.md). */
import { type IncomingHttpHeaders, request } from 'node:http'
import { isIPv6 } from 'node:net'
import type { HostAddress } from '../base/names/host-address.js'
import { connectPinned, type Trust } from '../tls/index.js'
import { fail } from './errors.js'

export interface Download {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** At most `limitBytes` long. */
  readonly body: Buffer
}

export interface DownloadTarget {
  readonly address: HostAddress
  readonly port: number
  readonly trust: Trust
  /** The time limit from connecting to the last byte. */
  readonly timeoutMs: number
  readonly limitBytes: number
  readonly signal?: AbortSignal
}

/**
 * Gets `path` over a verified connection, and closes the connection. The caller checks the HTTP status.
 *
 * @throws what `connectPinned` throws; DOWNLOAD_FAILED when the answer ends early, takes too long or is too long.
 */
export async function download(target: DownloadTarget, path: string): Promise<Download> {
  const { address, port, trust, timeoutMs, limitBytes, signal } = target
  const place = `${address}:${port}`
  const startedMs = performance.now()
  const { socket } = await connectPinned({ address, port, trust, timeoutMs, signal })
  const leftMs = Math.max(1, timeoutMs - (performance.now() - startedMs))
  return new Promise((resolve, reject) => {
    const giveUp = (why: string) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      reject(fail('DOWNLOAD_FAILED', { server: place, why }))
      sent.destroy()
      socket.destroy()
    }
    const timer = setTimeout(() => giveUp(`not complete within ${timeoutMs} ms`), leftMs)
    const abort = () => giveUp('cancelled')
    signal?.addEventListener('abort', abort)
    const headers = { Host: isIPv6(address) ? `[${address}]` : address, Connection: 'close', 'User-Agent': 'OpenWLB' }
    const sent = request({ createConnection: () => socket, path, method: 'GET', headers }, (response) => {
      const pieces: Buffer[] = []
      let length = 0
      response.on('data', (piece: Buffer) => {
        length += piece.length
        if (length > limitBytes) giveUp(`more than ${limitBytes} bytes`)
        else pieces.push(piece)
      })
      response.once('error', (error) => giveUp(error.message))
      response.once('end', () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        socket.destroy()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) })
      })
    })
    sent.once('error', (error) => giveUp(error.message))
    sent.once('close', () => giveUp('the connection was closed before an answer'))
    sent.end()
  })
}
