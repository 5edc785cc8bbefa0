import { expect, it } from 'vitest'
import { counted } from '../../src/base/text/counted.js'

it.each([
  [0, '0 hosts'],
  [1, '1 host'],
  [2, '2 hosts'],
])('%i: %s', (count, said) => expect(counted(count, 'host')).toBe(said))
