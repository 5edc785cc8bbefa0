/** An answer: what the appliance writes, and what a pool makes of it (docs/protocol/wlb.md, results; reading an answer). */
import { escapeXml, type XmlElement } from '../base/xml.js'
import { type MethodName, OPERATIONS, type ResultOf, type WlbReply } from './operations.js'
import { descend, leafText, malformed, ReplyRejected, refuseResultCode } from './pool-result.js'
import { readPoolXml } from './pool-xml.js'
import { wrap, writeElements } from './result-shapes.js'
import { NAMESPACES } from './service.js'

/** An answer on the pool's side of the connection. */
export interface PoolResponse {
  readonly status: number
  /** All that came behind the empty line. Chunks are not undone: a pool does not know them. */
  readonly body: Uint8Array
  /** Where the header gave one: a body that ends before it was not received. */
  readonly contentLength?: number | undefined
}

type ReadReply<Result> =
  | { readonly state: 'ok'; readonly result: Result }
  /** What the pool's API reports. */
  | { readonly state: 'failed'; readonly code: string; readonly params: readonly string[] }

/** Writes the answer to a call that succeeded. It holds no `ResultCode`: a pool takes even 0 for a failure in places. */
export function encodeReply(reply: WlbReply): string {
  return replyEnvelope(reply.method, writeResult(reply))
}

/** Writes the answer to a call that was understood and is refused, with a number of RESULT_CODES. */
export function encodeRefusal(method: MethodName, code: number, message: string): string {
  return replyEnvelope(method, writeElements({ ErrorMessage: message, ResultCode: String(code) }))
}

/** Writes a fault in the SOAP 1.2 form, the only one a pool reads; it travels with status 200. */
export function encodeFault(text: string, who: 'Sender' | 'Receiver'): string {
  return (
    `<s:Envelope xmlns:s="${NAMESPACES.soap12}"><s:Body><s:Fault><s:Code><s:Value>s:${who}</s:Value></s:Code>` +
    `<s:Reason><s:Text xml:lang="en">${escapeXml(text)}</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`
  )
}

/**
 * Reads an answer by a pool's rules, faults and odd forms included, and returns what the pool's API would.
 * Checks that need the pool's own database (is that host live, does that VM exist) are the caller's.
 */
export function readReply<Method extends MethodName>(
  method: Method,
  response: PoolResponse,
): ReadReply<ResultOf<Method>> {
  const { status, body, contentLength } = response
  const { result: shape } = OPERATIONS[method]
  if (status === 401 || status === 403) return failed('WLB_AUTHENTICATION_FAILED')
  if (status !== 200) return failed('WLB_CONNECTION_RESET')
  // Downloads are read to the end of the stream, whatever the header says.
  const isDownload = shape.kind === 'download'
  if (!isDownload && contentLength !== undefined && body.length < contentLength)
    return failed('INTERNAL_ERROR', 'End_of_file')

  const received = isDownload || contentLength === undefined ? body : body.subarray(0, contentLength)
  const document = readPoolXml(received)
  if (document.state === 'unreadable') {
    return isDownload
      ? failed('WLB_MALFORMED_RESPONSE', method, 'Expected data is truncated.', Buffer.from(body).toString('utf8'))
      : failed('WLB_MALFORMED_RESPONSE', method, document.reason, '')
  }
  try {
    const result = { method, element: findResult(method, document.root), document: document.root }
    if (!isDownload) refuseResultCode(result)
    return { state: 'ok', result: shape.read(result) }
  } catch (error) {
    if (error instanceof ReplyRejected) return failed(error.code, ...error.params)
    throw error
  }
}

/** The root may be called anything; a fault counts only where the result is missing. */
function findResult(method: string, root: XmlElement): XmlElement {
  const result = descend(root, ['Body', `${method}Response`, `${method}Result`])
  if (result) return result
  const text = descend(root, ['Body', 'Fault', 'Reason', 'Text'])
  if (text) throw new ReplyRejected('WLB_INTERNAL_ERROR', ['Exception:', leafText(text)])
  throw malformed(method, 'Expected data is missing or corrupt. No exception found.', root)
}

function replyEnvelope(method: MethodName, inside: string): string {
  return (
    `<s:Envelope xmlns:s="${NAMESPACES.soap11}"><s:Body><${method}Response xmlns="${NAMESPACES.dwm}">` +
    `${wrap(`${method}Result`, inside)}</${method}Response></s:Body></s:Envelope>`
  )
}

function writeResult<Method extends MethodName>(reply: { method: Method; result: ResultOf<Method> }): string {
  return OPERATIONS[reply.method].result.write(reply.result)
}

function failed(
  code: string,
  ...params: string[]
): { readonly state: 'failed'; code: string; params: readonly string[] } {
  return { state: 'failed', code, params }
}
