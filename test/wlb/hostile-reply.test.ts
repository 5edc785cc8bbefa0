import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { encodeReply } from '../../src/wlb/index.js'
import { describeReply } from './reply-words.js'
import { CALLS, REPLIES } from './samples.js'

/** Of this process's own time, so that a busy machine changes nothing.. */
const MOST_MICROSECONDS = 5_000_000

describe('hostile answers', () => {
  const deep = '<a>'.repeat(100_000)
  const cases: [what: string, body: string][] = [
    ['100,000 nested elements', deep + '</a>'.repeat(100_000)],
    ['100,000 nested elements with prefixes', '<p:a xmlns:p="u">'.repeat(100_000) + '</p:a>'.repeat(100_000)],
    ['never closed', deep],
    ['entity bomb', `<!DOCTYPE a [<!ENTITY x "${'y'.repeat(1000)}">]><a>${'&x;'.repeat(100_000)}</a>`],
    ['external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    ['1 MB of references', `<a>${'&#65;'.repeat(200_000)}</a>`],
    ['1 MB of ampersands', `<a>${'&'.repeat(1_000_000)}</a>`],
    ['1 MB of attributes', `<a${' b="1"'.repeat(170_000)}/>`],
    ['1 MB of comments', `<a>${'<!---->'.repeat(150_000)}</a>`],
    ['1 MB of broken bytes', `<a>${'\ufffd'.repeat(330_000)}`],
    ['100,000 quotes in a document type', `<!DOCTYPE a ${'"'.repeat(100_001)}>`],
  ]
  it.each(cases)('%s', (_, body) => {
    const started = process.cpuUsage()
    expect(describeReply('GetXenPoolConfiguration', body)).toMatch(/^WLB_MALFORMED_RESPONSE/)
    expect(process.cpuUsage(started).user).toBeLessThan(MOST_MICROSECONDS)
  })

  test('garbage is a failure the pool has a name for, never a crash', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '&',
      ';',
      '"',
      '<Envelope>',
      '<Body>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '<?',
      '<!DOCTYPE',
      'a',
    )
    const soup = fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join('')))
    const method = fc.constantFrom(...CALLS.map((call) => call.method))
    fc.assert(
      fc.property(method, fc.oneof(soup, fc.uint8Array()), (name, body) => {
        expect(describeReply(name, body)).toMatch(/^WLB_MALFORMED_RESPONSE/)
      }),
      { numRuns: 2_000 },
    )
  })

  test('an answer bent anywhere is read or refused, never a crash', () => {
    const bent = fc.tuple(fc.constantFrom(...REPLIES), fc.nat(), fc.nat(100), fc.uint8Array({ maxLength: 4 }))
    fc.assert(
      fc.property(bent, ([reply, at, removed, inserted]) => {
        const body = Buffer.from(encodeReply(reply))
        const start = at % body.length
        const changed = Buffer.concat([body.subarray(0, start), inserted, body.subarray(start + removed)])
        expect(describeReply(reply.method, changed)).toMatch(/^(?:ok|WLB_)/)
      }),
      { numRuns: 1_000 },
    )
  })
})
