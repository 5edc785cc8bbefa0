/** Writes a request as a pool does, and reads it as the appliance does (docs/protocol/wlb.md, reading a request). */
import { childElements, childNamed, decodeXmlBytes, parseXml } from '../base/text/xml.js'
import { fail } from './errors.js'
import { ArgumentRefused } from './operation.js'
import { type MethodName, OPERATIONS, type RequestOf, type WlbCall } from './operations.js'
import { NAMESPACES, SERVICE_PATH, SOAP_ACTION_PREFIX } from './service.js'

/** The deepest request has eight levels; each further one makes every element below it dearer to read. */
const XML_LIMITS = { maxDepth: 16, doctype: 'refuse' } as const

type DecodedRequest =
  | { readonly kind: 'call'; readonly call: WlbCall }
  /** Answered with a fault. */
  | { readonly kind: 'unknown-method'; readonly method: string }
  /** Answered with a refusal that carries `code`. */
  | { readonly kind: 'invalid'; readonly method: MethodName; readonly code: 4004 | 4007; readonly message: string }

/**
 * Reads a request body. Bytes must be UTF-8. The element below `Body` names the method. Prefixes, namespaces, the order of
 * arguments and unknown arguments are ignored; text is not trimmed.
 *
 * @throws XML_MALFORMED when the document is not well-formed.
 * @throws XML_FORBIDDEN when it has a document type declaration or is nested too deeply.
 * @throws SOAP_MALFORMED when it is XML but not an envelope with a method in its body.
 */
export function decodeRequest(body: string | Uint8Array): DecodedRequest {
  const envelope = parseXml(typeof body === 'string' ? body : decodeXmlBytes(body), XML_LIMITS)
  const content = envelope.local === 'Envelope' ? childNamed(envelope, 'Body') : undefined
  const element = content && childElements(content)[0]
  if (!element) throw fail('SOAP_MALFORMED', { root: envelope.local })

  const operation = Object.values(OPERATIONS).find(({ method }) => method === element.local)
  if (!operation) return { kind: 'unknown-method', method: element.local }
  const { method } = operation
  const request = childNamed(element, 'request')
  if (!request) return { kind: 'invalid', method, code: 4004, message: 'request is missing' }
  try {
    return { kind: 'call', call: operation.readCall(request) }
  } catch (error) {
    if (error instanceof ArgumentRefused) return { kind: 'invalid', method, code: 4007, message: error.message }
    throw error
  }
}

/** Writes the body of a request with exactly the bytes a pool writes, white space included. */
export function encodeRequest(call: WlbCall): string {
  return `<s:Envelope xmlns:s="${NAMESPACES.soap11}">
  <s:Body>
    <${call.method} xmlns="${NAMESPACES.dwm}">
      <request xmlns:i="${NAMESPACES.instance}">
        ${writeArguments(call)}
      </request>
    </${call.method}>
  </s:Body>
</s:Envelope>`
}

/**
 * Writes the request line and the headers in a pool's order and letter case, with the empty line that ends them.
 * `host` is the host part of the pool's wlb_url: no port, an IPv6 address without brackets.
 */
export function requestHead(request: {
  readonly call: WlbCall
  readonly host: string
  readonly userName: string
  readonly password: string
  readonly bodyBytes: number
  readonly userAgent: string
}): string {
  const credentials = Buffer.from(`${request.userName}:${request.password}`, 'utf8').toString('base64')
  return [
    `POST ${SERVICE_PATH} HTTP/1.1`,
    `content-length: ${request.bodyBytes}`,
    `user-agent: ${request.userAgent}`,
    'connection: close',
    `SOAPAction: "${SOAP_ACTION_PREFIX}${request.call.method}"`,
    'Content-Type: text/xml; charset=utf-8',
    `Authorization: Basic ${credentials}`,
    `Host: ${request.host}`,
    '',
    '',
  ].join('\r\n')
}

function writeArguments<Method extends MethodName>(call: { method: Method; request: RequestOf<Method> }): string {
  return OPERATIONS[call.method].request.write(call.request)
}
