/** What is written to a stream, as text. */
import { Writable } from 'node:stream'

export function written(write: (out: Writable) => void): string {
  let text = ''
  const out = new Writable({
    write(piece, _encoding, done) {
      text += String(piece)
      done()
    },
  })
  write(out)
  return text
}
