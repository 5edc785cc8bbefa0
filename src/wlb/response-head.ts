/**
 * Status line and headers of an answer as a pool reads them: one header matters, `Content-Length`, and lines that do not
 * hold exactly one colon are passed over (docs/protocol/wlb.md, framing).
 */

export type ResponseHead =
  | { readonly state: 'read'; readonly status: number; readonly contentLength: number | undefined }
  /** The pool says that nothing was answered: WLB_CONNECTION_RESET. */
  | { readonly state: 'no-response' }

/** Reads everything before the empty line; lines end with LF or CRLF. */
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
