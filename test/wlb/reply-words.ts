import { type MethodName, readReply } from '../../src/wlb/index.js'

/** What the pool's API would say: `ok` with the result, or the error with its items; the answer itself is left out. */
export function describeReply(method: MethodName, body: string | Uint8Array, status = 200): string {
  const reply = readReply(method, { status, body: typeof body === 'string' ? Buffer.from(body) : body })
  if (reply.state === 'ok') return `ok ${JSON.stringify(reply.result)}`
  const [first, second, third] = reply.params
  const shown = reply.code === 'WLB_MALFORMED_RESPONSE' && third !== undefined ? [first, second] : reply.params
  return `${reply.code} [${shown.join('; ')}]`
}
