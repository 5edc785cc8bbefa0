/**
 * pool.send_test_post: a request to any address, verified as hosts verify each other and not as WLB is verified, so it
 * says nothing about WLB (docs/protocol/pool.md, test post).
 */
import type { TLSSocket } from 'node:tls'
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { connectAsHost, PeerNotTrusted } from '../host/intra-pool.js'
import { resolveByHostsFile } from '../host/name-resolution.js'
import { type Call, changing, type Method } from './method.js'

export const TEST_POST_METHODS: readonly [string, Method][] = [['pool.send_test_post', changing(3, sendTestPost)]]

const TIMEOUT_MS = 30_000
const ANSWER_LIMIT_BYTES = 1_048_576

async function sendTestPost({ host, args }: Call): Promise<ApiValue> {
  const [name, port, body] = [args.text(0, 'host'), args.number(1, 'port'), args.text(2, 'body')]
  const address = await resolveByHostsFile(host.layout.hosts)(name)
  if (address === undefined) throw new ApiFailure('INTERNAL_ERROR', [`${name} has no address`])
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS)
  try {
    const socket = await connectAsHost(host.layout, address, port)
    timeout.signal.addEventListener('abort', () => socket.destroy())
    const head = `POST / HTTP/1.1\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\nHost: ${name}\r\n\r\n`
    socket.write(head + body)
    return await answerOf(socket)
  } catch (error) {
    // The number is a literal of the pool's here, with a zero that WLB's own timeouts do not have.
    if (timeout.signal.aborted) throw new ApiFailure('WLB_TIMEOUT', ['30.0'])
    if (error instanceof PeerNotTrusted) {
      throw new ApiFailure('SSL_VERIFY_ERROR', ['Pre-verification error: self-signed certificate'])
    }
    throw new ApiFailure('INTERNAL_ERROR', [error instanceof Error ? error.message : String(error)])
  } finally {
    clearTimeout(timer)
  }
}

/** What stands behind the head, as it came. */
async function answerOf(socket: TLSSocket): Promise<string> {
  let text = ''
  for await (const piece of socket.setEncoding('utf8')) {
    text += piece
    if (text.length > ANSWER_LIMIT_BYTES) break
  }
  socket.destroy()
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}
