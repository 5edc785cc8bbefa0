/** The names a host compares its own with, and that those and no others fit. */
import { describe, expect, it } from 'vitest'
import { checkHost, namesCompared, validate } from '../../src/x509/index.js'
import { element, sequence, setOf } from '../differential/der-writer.js'
import { OID } from '../differential/extension-writer.js'
import { createRareKeys, makePath, oneString } from '../differential/rare/rare-path.js'

const UTF8 = 0x0c
const NO_STRING = 0x0d
type CommonName = readonly [tag: number, text: string]

const facts: readonly (readonly [what: string, commonNames: readonly CommonName[], dns: string, compared: string])[] = [
  ['the common name', [[UTF8, 'a.lab']], '', 'a.lab'],
  [
    'each common name',
    [
      [UTF8, 'a.lab'],
      [UTF8, 'b.lab'],
    ],
    '',
    'a.lab, b.lab',
  ],
  ['a dNSName instead of the common name', [[UTF8, 'a.lab']], 'b.lab', 'b.lab'],
  ['a dNSName beside a common name that is no text', [[NO_STRING, 'a.lab']], 'b.lab', 'b.lab'],
  ['no common name that is no text', [[NO_STRING, 'a.lab']], '', 'no name at all, because its common name is no text'],
  [
    'a common name, and not the one after it that is no text',
    [
      [UTF8, 'a.lab'],
      [NO_STRING, 'b.lab'],
    ],
    '',
    'a.lab',
  ],
  [
    'none after a common name that is no text',
    [
      [NO_STRING, 'a.lab'],
      [UTF8, 'b.lab'],
    ],
    '',
    'no name at all, because its common name is no text',
  ],
  [
    'a common name after an empty one',
    [
      [NO_STRING, ''],
      [UTF8, 'b.lab'],
    ],
    '',
    'b.lab',
  ],
  ['nothing in an empty common name', [[UTF8, '']], '', 'no name at all'],
  ['nothing without names', [], '', 'no name at all'],
]

describe('the names of a certificate that count', () => {
  const keys = createRareKeys()

  it.each(facts)('%s', (_what, commonNames, dns, compared) => {
    const names = dns === '' ? [] : [element(0x82, Buffer.from(dns))]
    const leaf = {
      subject: sequence(...commonNames.map(([tag, text]) => setOf(oneString(tag, text)))),
      extensions: [{ oid: OID.altNames, value: sequence(...names) }],
    }
    const { sent } = makePath({ leaf }, keys, new Date())
    const [served] = sent
    if (!served) throw new Error('no leaf')
    const asked = ['a.lab', 'b.lab']
    expect(asked.filter((name) => checkHost(served, name))).toEqual(namesCompared(served))

    const { defects } = validate({
      presented: sent,
      anchors: [],
      crls: undefined,
      name: 'other.lab',
      now: new Date(),
    })
    const told = defects.find(({ code }) => code === 'NAME_MISMATCH')?.message ?? ''
    expect(told.slice(told.indexOf('other.lab'))).toBe(`other.lab; it is compared with ${compared}.`)
  })
})
