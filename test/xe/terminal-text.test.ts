/** What a server says to xe: the bytes as they came for a pipe, and text without control characters for a terminal. */
import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { textStream } from '../../src/cli/xe/terminal-text.js'

function shown(isTTY: boolean, ...pieces: Buffer[]): string {
  const written: Buffer[] = []
  const screen = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      written.push(Buffer.from(piece))
      done()
    },
  })
  const stream = textStream(Object.assign(screen, { isTTY }))
  for (const piece of pieces) stream.write(piece)
  return Buffer.concat(written).toString('latin1')
}

const ordinary = Buffer.from('uuid ( RO)\t: Zürich €\n\n  name-label: 東京\n')
const hostile = Buffer.from('a\u001b[2Jb\u009bc\u202ed\r\n')
const cases: [what: string, isTTY: boolean, pieces: Buffer[], shown: string][] = [
  ['ordinary text in a pipe', false, [ordinary], ordinary.toString('latin1')],
  ['ordinary text at a terminal', true, [ordinary], ordinary.toString('latin1')],
  [
    'the same, cut in the middle of a letter',
    true,
    [ordinary.subarray(0, 15), ordinary.subarray(15)],
    ordinary.toString('latin1'),
  ],
  ['control characters in a pipe: as they came', false, [hostile], hostile.toString('latin1')],
  ['control characters at a terminal', true, [hostile], 'a\\x1b[2Jb\\x9bc\\u202ed\\x0d\n'],
]
it.each(cases)('%s', (_, isTTY, pieces, text) => expect(shown(isTTY, ...pieces)).toBe(text))
