import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseCommandLine, splitBody } from '../../../src/lab/thin-cli/command-line.js'
import { layOut } from '../../../src/lab/thin-cli/conversation.js'
import { createPool } from './pool-in-memory.js'
import { BANNER_BYTES, dial, hostFor, xe } from './raw-client.js'

describe('arguments', () => {
  const CASES: [args: string[], read: string][] = [
    [['c', 'a=b'], 'a=b'],
    [['c', 'a=b=c'], 'a=b=c'],
    [['c', 'a'], 'a='],
    [['c', ''], '='],
    [['c', '--force'], 'force=true'],
    [['c', '--a=b'], 'a=b=true'],
    [['c', '--'], '=true'],
    [['c', '-u', 'me', '-pw', '-s', '-h', 'x', '-p', '80'], 'username=me password=-s server=x port=80'],
  ]
  it.each(CASES)('%j', (args, read) => {
    const { parameters } = parseCommandLine(args)
    expect(parameters.map(([key, value]) => `${key}=${value}`).join(' ')).toBe(read)
  })

  test('a body gives back the lines it was made of, CRs and all', () => {
    const line = fc.string().filter((text) => !/[\r\n]/.test(text) && !text.startsWith('session_id='))
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), fc.constantFrom('\n', '\r\n'), (lines, separator) => {
        expect(splitBody(Buffer.from(lines.join(separator)))).toEqual({ sessionRef: undefined, args: lines })
      }),
    )
  })
})

test('every key of a record ends in the same column', () => {
  const key = fc.string({ minLength: 1 }).filter((text) => !/[\n:]/.test(text))
  fc.assert(
    fc.property(fc.array(key, { minLength: 1 }), (keys) => {
      const lines = layOut(keys.map((name) => [name, ''])).split('\n')
      expect(lines.pop()).toBe('')
      expect(new Set(lines.map((line) => Buffer.byteLength(line))).size).toBe(1)
    }),
  )
})

test('a minimal list can be taken apart again', async () => {
  const name = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\n'))
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 1 }), async (names) => {
      const pool = createPool()
      pool.answer('pool.certificate_list', names)
      const { stdout } = await xe(hostFor(pool), 'pool-certificate-list --minimal')
      expect(takeApart(stdout.slice(0, -1))).toEqual(names)
    }),
    { numRuns: 50 },
  )
})

test('whatever a client sends, the conversation ends and the session with it', async () => {
  const upload = fc.uint8Array({ maxLength: 64 })
  await fc.assert(
    fc.asyncProperty(upload, async (bytes) => {
      const host = hostFor(createPool())
      const { client, served } = await dial(host, 'pool-certificate-install\nfilename=w.pem\nusername=root')
      client.resume().end(Buffer.concat([BANNER_BYTES, bytes]))
      await served
      expect(host.log).toEqual(['user login root', 'user logout'])
    }),
    { numRuns: 50 },
  )
})

/** As a script would: a backslash makes the next character an ordinary one. */
function takeApart(line: string): string[] {
  const items = ['']
  for (let at = 0; at < line.length; at++) {
    if (line[at] === ',') items.push('')
    else items[items.length - 1] += line[at] === '\\' ? (line[++at] ?? '') : (line[at] ?? '')
  }
  return items
}
