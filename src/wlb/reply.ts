/**
 * Writes an answer as the appliance does, and reads it as a pool does (docs/protocol/wlb.md, results; reading an
 * answer).
 */
import { escapeXml, type XmlElement } from '../base/text/xml.js'
import { wrap, writeElements } from './operation.js'
import { type MethodName, OPERATIONS, type ResultOf, type WlbReply } from './operations.js'
import { descend, leafText, malformed, ReplyRejected, refuseResultCode } from './pool-result.js'
import { readPoolXml } from './pool-xml.js'
import { NAMESPACES } from './service.js'

/** An answer as the pool received it. */
export interface PoolResponse {
  readonly status: number
  /** All bytes after the empty line. Chunked encoding is not decoded, because a pool does not support it. */
  readonly body: Uint8Array
  /** The length from the header, if any; a shorter body was not received completely. */
  readonly contentLength?: number | undefined
}

type ReadReply<Result> =
  | { readonly state: 'ok'; readonly result: Result }
  /** The error that the pool's API reports. */
  | { readonly state: 'failed'; readonly code: string; readonly params: readonly string[] }

/**
 * Writes the answer to a call that succeeded. It has no `ResultCode`, because a pool treats even 0 as a failure for
 * some methods.
 */
export function encodeReply(reply: WlbReply): string {
  return replyEnvelope(reply.method, writeResult(reply))
}

/** Writes the answer to a call that was understood but refused. `code` is a key of RESULT_CODES. */
export function encodeRefusal(method: MethodName, code: number, message: string): string {
  return replyEnvelope(method, writeElements({ ErrorMessage: message, ResultCode: String(code) }))
}

/** Writes a fault in the SOAP 1.2 form, the only one a pool reads. It is sent with HTTP status 200. */
export function encodeFault(text: string, who: 'Sender' | 'Receiver'): string {
  return (
    `<s:Envelope xmlns:s="${NAMESPACES.soap12}"><s:Body><s:Fault><s:Code><s:Value>s:${who}</s:Value></s:Code>` +
    `<s:Reason><s:Text xml:lang="en">${escapeXml(text)}</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`
  )
}

/**
 * Reads an answer by a pool's rules, including faults and unusual forms, and returns what the pool's API would return.
 * The caller does the checks that need the pool's database (whether a host is live, whether a VM exists).
 */
export function readReply<Method extends MethodName>(
  method: Method,
  response: PoolResponse,
): ReadReply<ResultOf<Method>> {
  const { status, body, contentLength } = response
  const { result: shape } = OPERATIONS[method]
  if (status === 401 || status === 403) return failed('WLB_AUTHENTICATION_FAILED')
  if (status !== 200) return failed('WLB_CONNECTION_RESET')
  // A pool reads downloads to the end of the stream and ignores the content length.
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

/** The name of the root element does not matter. A fault counts only when the result is missing. */
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

export type ResponseHead =
  | { readonly state: 'read'; readonly status: number; readonly contentLength: number | undefined }
  /** The pool reports WLB_CONNECTION_RESET, as if there were no answer. */
  | { readonly state: 'no-response' }

/**
 * Reads status line and headers, up to the empty line, as a pool does. Lines end with LF or CRLF. Of the headers only
 * `Content-Length` is read; lines without exactly one colon are ignored (docs/protocol/wlb.md, framing).
 */
export function readResponseHead(head: string): ResponseHead {
  const [statusLine = '', ...lines] = head.split('\n').map((line) => line.replace(/\r$/, ''))
  const status = /^HTTP\/\S* (\d{3})(?: .*)?$/.exec(statusLine)?.[1]
  if (status === undefined) return { state: 'no-response' }
  let contentLength: number | undefined
  for (const line of lines) {
    const [name = '', value, ...more] = line.split(':')
    if (value === undefined || more.length > 0 || name.toLowerCase() !== 'content-length') continue
    if (!/^\d{1,15}$/.test(value.trim())) return { state: 'no-response' }
    contentLength = Number(value.trim())
  }
  return { state: 'read', status: Number(status), contentLength }
}

export interface ResultCode {
  readonly name: string
  readonly meaning: string
}

/**
 * The codes a refusal may have. A pool passes them on. A console translates exactly these codes and hides the messages of
 * all others (docs/protocol/wlb.md, results).
 */
export const RESULT_CODES: Readonly<Record<number, ResultCode>> = {
  0: { name: 'None', meaning: 'success; left out of an answer' },
  5: { name: 'AccessDenied', meaning: 'the WLB credentials were not accepted; HTTP status 401 is clearer' },
  6: { name: 'RBACPermissionDenied', meaning: 'the pool user logged in, but may not do what is needed' },
  4000: { name: 'Unknown', meaning: 'unknown' },
  4001: { name: 'CannotInitWmi', meaning: 'no session with the pool' },
  4002: { name: 'XenCannotLogIn', meaning: 'the pool refused the user name or the password' },
  4003: { name: 'XenCannotConnect', meaning: 'the pool could not be reached' },
  4004: { name: 'NullReference', meaning: 'the request element is missing' },
  4005: { name: 'RegistryKeyMissing', meaning: 'a registry key is missing' },
  4006: { name: 'NotImplemented', meaning: 'not offered here' },
  4007: { name: 'InvalidParameter', meaning: 'an argument is missing or unusable' },
  4008: { name: 'HyperVWmi', meaning: 'no pool data could be collected' },
  4009: { name: 'NotConfigured', meaning: 'the configuration is missing' },
  4010: { name: 'InvalidOperation', meaning: 'not possible now' },
  4011: { name: 'ArgumentOutOfRange', meaning: 'a value is out of range' },
  4012: { name: 'NotInitialized', meaning: 'the collector has not started' },
  4013: { name: 'CannotGetCollector', meaning: 'the collector cannot move or start VMs' },
  4014: { name: 'GenericException', meaning: 'any other failure' },
  4015: { name: 'UnknownPool', meaning: 'the pool is not registered here' },
  4016: { name: 'NoMetrics', meaning: 'no current metrics' },
  4017: { name: 'NoStorageRepositories', meaning: 'no host sees the storage needed' },
  4018: { name: 'NoFreeCpus', meaning: 'no free CPUs' },
  4019: { name: 'NoFreeMemory', meaning: 'no free memory' },
  4020: { name: 'NotLicensed', meaning: 'a host lacks the licence' },
  // Misspelled in the protocol.
  4021: { name: 'AuthenicationFailure', meaning: 'the stored pool credentials no longer work' },
  4022: { name: 'HostExcluded', meaning: 'the host is excluded from evacuation' },
  4023: { name: 'HostNotFound', meaning: 'the configuration names a host that is not in the pool' },
}
