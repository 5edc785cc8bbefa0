/** The answer to what is no HTTP request, or not a whole one in time: with a length, like every other, and in the log. */
import { STATUS_CODES } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Log } from '../../config/log.js'

/** Answers and closes; `error` is what the HTTP parser made of it. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex, log: Log): void {
  const status = statusOf(error.code)
  const remote = socket instanceof Socket ? socket.remoteAddress : undefined
  log.info({ remote, status, reason: error.message }, 'unreadable request')
  const text = `${STATUS_CODES[status]}\n`
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${text.length}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy())
}

function statusOf(code: string | undefined): 400 | 408 | 431 {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408
    case 'HPE_HEADER_OVERFLOW':
      return 431
    default:
      return 400
  }
}
