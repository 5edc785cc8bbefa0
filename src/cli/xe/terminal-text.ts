/**
 * What a pool says, for `xe` to show. A pipe and a file get the bytes as they came. A terminal gets text: what would move its
 * cursor, hide or turn round is shown as an escape. Tabs stay, tables have them.
 */

import { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { WriteStream } from 'node:tty'
import { visibleText } from '../../base/text/printable.js'

type Output = Writable & Pick<WriteStream, 'isTTY'>

export function textFor(stream: Pick<Output, 'isTTY'>, text: string): string {
  return stream.isTTY ? text.split('\t').map(visibleText).join('\t') : text
}

/** `stream` itself, or one before it that makes text safe where it is a terminal. */
export function textStream(stream: Output): Writable {
  if (!stream.isTTY) return stream
  const decoder = new StringDecoder('utf8')
  return new Writable({
    write: (piece: Buffer, _encoding, done) => {
      // at once where that is possible: the program may end after its last piece
      if (stream.write(textFor(stream, decoder.write(piece)))) done()
      else stream.once('drain', done)
    },
  })
}
