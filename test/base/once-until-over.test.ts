/** A failure that comes again with every round is reported once. */
import { expect, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { onceUntilOver } from '../../src/base/once-until-over.js'

const full = (name: string) => Object.assign(new Error(`ENOSPC: no space, open '${name}'`), { code: 'ENOSPC' })
const unusable = (reason: string) => new WlbError('DATABASE_UNAVAILABLE', 'x', { reason }, '')

const cases: [rounds: string, failures: (Error | undefined)[], reported: number][] = [
  ['the same failure three times', [new Error('a'), new Error('a'), new Error('a')], 1],
  ['a full disk, a temporary file of another name each time', [full('.a1'), full('.a2'), full('.a3')], 1],
  ['another failure', [new Error('a'), new Error('b')], 2],
  ['the same code for another reason', [unusable('a'), unusable('b'), unusable('b')], 2],
  ['a round without one between', [new Error('a'), undefined, new Error('a')], 2],
]
test.each(cases)('%s', (_, failures, reported) => {
  const seen: unknown[] = []
  const repeated = onceUntilOver((error) => void seen.push(error))
  for (const failure of failures) failure ? repeated.failed(failure) : repeated.over()
  expect(seen).toHaveLength(reported)
})
