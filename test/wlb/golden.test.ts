import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeFault, encodeRefusal, encodeReply, encodeRequest, requestHead } from '../../src/wlb/index.js'
import { CALLS, REPLIES } from './samples.js'

/** `UPDATE_GOLDEN=1` writes the files anew; their line ends are part of the bytes, which snapshots would not keep. */
function expectGolden(name: string, text: string): void {
  const path = new URL(`golden/${name}`, import.meta.url)
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, text)
  expect(text).toBe(readFileSync(path, 'utf8'))
}

describe('the exact bytes', () => {
  it.each(CALLS)('of a request: $method', (call) => {
    const body = encodeRequest(call)
    const head = requestHead({
      call,
      host: 'wlb.lab.internal',
      userName: 'wlbuser',
      password: 'pa:ss€',
      bodyBytes: Buffer.byteLength(body),
      userAgent: 'xapi/26.13',
    })
    expectGolden(`${call.method}.request`, head + body)
  })

  it.each(REPLIES)('of a reply: $method', (reply) => {
    expectGolden(`${reply.method}.reply`, encodeReply(reply))
  })

  it('of a refusal', () => {
    const message = 'Pool 6b1f is not registered here'
    expectGolden('refusal.reply', encodeRefusal('GetXenPoolConfiguration', 4015, message))
  })

  it('of a fault', () => {
    expectGolden('fault.reply', encodeFault('Unknown method <FooBar>', 'Sender'))
  })
})
