/** What a line of the log says of errors, and how long it gets. */
import { connect } from 'node:net'
import { describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { openLog } from '../../src/config/index.js'
import { freePort } from '../free-port.js'

function logged(write: (log: ReturnType<typeof openLog>) => void): string[] {
  const lines: string[] = []
  write(openLog({ write: (line) => void lines.push(line) }))
  return lines
}
const recordOf = (error: unknown) => JSON.parse(logged((log) => log.error({ err: error }, 'failed'))[0] ?? '').err

describe('an error that is expected has its code and facts, a defect its stack', () => {
  const withCode = (code: string, message: string) => Object.assign(new Error(message), { code })
  const cases: [what: string, error: unknown, words: string][] = [
    ['one of our codes', new WlbError('DISK_FULL', 'No space.', { path: '/x' }, 'df'), 'code facts message name'],
    ['the network', withCode('ECONNREFUSED', 'connect ECONNREFUSED'), 'code message name'],
    ['a certificate', withCode('ERR_TLS_CERT_ALTNAME_INVALID', 'Host: x. is not'), 'code message name'],
    ['a database', withCode('23505', 'duplicate key value'), 'code message name'],
    ['a time limit', AbortSignal.abort().reason, 'code message name'],
    ['a defect', new Error('x is not so'), 'message name stack'],
    ['a wrong call of ours', new TypeError('x is not a function'), 'message name stack'],
    [
      'one that Node finds',
      Object.assign(new TypeError('bad'), { code: 'ERR_INVALID_ARG_TYPE' }),
      'code message name stack',
    ],
    ['no error at all', 'just text', 'message'],
  ]
  it.each(cases)('%s', (_, error, words) => {
    expect(Object.keys(recordOf(error)).sort().join(' ')).toBe(words)
  })

  test('a connection that is refused, as Node reports it', async () => {
    const port = await freePort()
    const error = await new Promise((resolve) => connect(port, '127.0.0.1').once('error', resolve))
    expect(recordOf(error)).toMatchObject({ code: 'ECONNREFUSED' })
    expect(recordOf(error)).not.toHaveProperty('stack')
  })
})

describe('text from outside stays in one line of limited length', () => {
  const long = 'x'.repeat(100_000)
  const cases: [what: string, write: (log: ReturnType<typeof openLog>) => void][] = [
    ['a fact', (log) => log.info({ reason: long }, 'failed')],
    ['a fact in facts, and a list', (log) => log.info({ a: { b: [long, { c: long }] } }, 'failed')],
    ['the message', (log) => log.info({ a: 1 }, long)],
    ['the message alone', (log) => log.info(long)],
    ['the text of an error', (log) => log.info({ err: new Error(long) }, 'failed')],
    ['a fact of an error', (log) => log.info({ err: new WlbError('A', 'b', { long }, '') }, 'failed')],
    ['what is no error', (log) => log.info({ err: long }, 'failed')],
  ]
  it.each(cases)('%s', (_, write) => {
    const [line = ''] = logged(write)
    expect(line.length).toBeLessThan(10_000)
    expect(line).toContain(`${'x'.repeat(2000)}... (100000 characters)`)
  })

  test('a new line or an escape sequence in it is escaped', () => {
    const lines = logged((log) => log.info({ name: 'a\n{"level":"error"}\u001b[2J' }, 'from\nthe pool'))
    expect(lines.join('').match(/[\n\u001b]/g)).toEqual(['\n'])
  })

  test('dates, secrets and levels are what they were', () => {
    const [line = ''] = logged((log) => log.warn({ at: new Date(0), password: 'x', a: { session: 'y' } }, 'said'))
    expect(JSON.parse(line)).toMatchObject({
      level: 'warn',
      at: '1970-01-01T00:00:00.000Z',
      password: '[secret]',
      a: { session: '[secret]' },
      msg: 'said',
    })
  })
})
