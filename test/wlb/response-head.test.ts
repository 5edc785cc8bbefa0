import { describe, expect, it } from 'vitest'
import { readResponseHead } from '../../src/wlb/index.js'

const OK = 'HTTP/1.1 200 OK'
const cases: [head: string, outcome: string][] = [
  [OK, '200 -'],
  ['HTTP/1.0 500 Internal Server Error', '500 -'],
  ['HTTP/9 204', '204 -'],
  ['nonsense', 'no response'],
  ['', 'no response'],
  ['HTTP/1.1 20 OK', 'no response'],
  [`${OK}\r\nContent-Length: 12`, '200 12'],
  [`${OK}\ncontent-length:12`, '200 12'],
  [`${OK}\r\nCONTENT-LENGTH: 12\r\nX: y`, '200 12'],
  [`${OK}\r\nContent-Length : 12`, '200 -'],
  [`${OK}\r\nContent-Length: 12:3`, '200 -'],
  [`${OK}\r\nContent-Length: twelve`, 'no response'],
  [`${OK}\r\nContent-Length:`, 'no response'],
  [`${OK}\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\nContent-Length: 1`, '200 1'],
  [`${OK}\r\nTransfer-Encoding: chunked`, '200 -'],
]

describe('the head of an answer, as a pool reads it', () => {
  it.each(cases)('%j: %s', (head, outcome) => {
    const read = readResponseHead(head)
    expect(read.state === 'read' ? `${read.status} ${read.contentLength ?? '-'}` : 'no response').toBe(outcome)
  })
})
