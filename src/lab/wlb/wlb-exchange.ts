/** One request and its answer on a fresh connection, read as a pool reads it (docs/protocol/wlb.md, framing). */
import type { Duplex } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { SaxesParser } from 'saxes'
import { type PoolResponse, type ResponseHead, readResponseHead } from '../../wlb/index.js'

interface ExchangeOptions {
  /** Reports and diagnostics: whatever the header says, the body ends where the connection does. */
  readonly readsToEnd: boolean
  /** Called when the head of an answer with status 200 has arrived. */
  readonly onAccepted?: (() => void) | undefined
}

const HEAD_LIMIT_BYTES = 65_536
/** The lab's own limit; a pool has none. */
const BODY_LIMIT_BYTES = 64 * 1024 * 1024

/** Sends the request and reads the answer; `reset` when the connection broke, or the answer was not HTTP. */
export async function exchange(
  stream: Duplex,
  request: Buffer,
  { readsToEnd, onAccepted }: ExchangeOptions,
): Promise<PoolResponse | 'reset'> {
  stream.write(request)
  const document = new DocumentEnd()
  let unread = Buffer.alloc(0)
  let head: Extract<ResponseHead, { state: 'read' }> | undefined
  const body: Buffer[] = []
  let bodyBytes = 0
  try {
    for await (const piece of stream) {
      let fresh = Buffer.from(piece)
      if (!head) {
        unread = Buffer.concat([unread, fresh])
        const headBytes = measureHead(unread)
        if (headBytes === undefined && unread.length <= HEAD_LIMIT_BYTES) continue
        const read = readResponseHead(unread.toString('latin1', 0, headBytes ?? 0))
        if (read.state === 'no-response') return 'reset'
        head = read
        if (head.status !== 200) return { status: head.status, body: Buffer.alloc(0) }
        onAccepted?.()
        fresh = unread.subarray(headBytes)
      }
      body.push(fresh)
      bodyBytes += fresh.length
      if (bodyBytes > BODY_LIMIT_BYTES) return 'reset'
      if (readsToEnd) continue
      if (head.contentLength === undefined ? document.isReachedBy(fresh) : bodyBytes >= head.contentLength) break
    }
  } catch {
    return 'reset'
  }
  return head ? { status: head.status, body: Buffer.concat(body), contentLength: head.contentLength } : 'reset'
}

/** Measures status line and headers, the empty line included; undefined while that line has not arrived. */
function measureHead(received: Buffer): number | undefined {
  const found = /\r?\n\r?\n/.exec(received.toString('latin1', 0, HEAD_LIMIT_BYTES + 4))
  return found ? found.index + found[0].length : undefined
}

/** Finds where an answer without a length ends: at the root's end tag, or where it stops being XML. */
class DocumentEnd {
  readonly #parser = new SaxesParser({ xmlns: false, position: false })
  readonly #decoder = new StringDecoder('utf8')
  #isReached = false
  #isWide: boolean | undefined

  constructor() {
    let depth = 0
    const reach = () => {
      this.#isReached = true
    }
    this.#parser.on('error', reach)
    this.#parser.on('opentag', () => {
      depth++
    })
    this.#parser.on('closetag', () => {
      depth--
      if (depth === 0) reach()
    })
  }

  isReachedBy(bytes: Buffer): boolean {
    // UTF-16 is left to the end of the connection: the scanner reads one encoding only.
    this.#isWide ??= bytes.length > 0 ? bytes[0] === 0xfe || bytes[0] === 0xff : undefined
    if (this.#isWide || this.#isReached) return this.#isReached
    this.#parser.write(this.#decoder.write(bytes))
    return this.#isReached
  }
}
