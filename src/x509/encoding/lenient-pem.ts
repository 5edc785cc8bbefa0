/**
 * PEM as people send it: saved by Windows, pasted into mails, with lines joined and notes between the blocks. It is read where
 * there is only one way to read it, and what was unusual is noted; otherwise it is refused with the number of the line.
 */
import { fail } from '../errors.js'
import { decodeBase64 } from './pem.js'

export interface LenientBlock {
  readonly label: string
  /** The encapsulated headers of RFC 1421: `DEK-Info: DES-EDE3-CBC,...`. */
  readonly headers: readonly string[]
  readonly der: Buffer
  /** Where it begins, from 1. */
  readonly line: number
}

/** Something unusual that does not stop the reading. */
export interface Oddity {
  readonly line?: number
  readonly text: string
}

export interface LenientPem {
  readonly blocks: readonly LenientBlock[]
  readonly oddities: readonly Oddity[]
}

/** Labels of blocks that are read; a block with any other label may hold anything. */
const OURS = /CERTIFICATE|PRIVATE KEY|PKCS|CMS|CRL/
const WHOLE_LINE = /^-----(BEGIN|END) ([^-]{1,60})-----$/
const INSIDE_LINE = /(-----(?:BEGIN|END) [A-Z0-9#][A-Z0-9#. ]{0,59}-----)/
const HEADER = /^[A-Za-z][A-Za-z0-9-]*:/
/** A line of base64 whose line end was lost is long; a word of prose is not. */
const LOST_LINE = /^[A-Za-z0-9+/]{40,}={0,2}$/

/** Reading ends after one block more than this. */
export const BLOCK_LIMIT = 1000
const ODDITY_LIMIT = 100
const CR = 0x0d
const LF = 0x0a

interface Open {
  readonly label: string
  readonly line: number
  readonly headers: string[]
  readonly body: string[]
  inHeaders: boolean
}

/**
 * Reads every block of a text, up to one more than `BLOCK_LIMIT`; text between them is left out.
 *
 * @throws PEM_MALFORMED when a block is cut off, ends as another one, or holds something that is not base64.
 */
export function readLenientPem(text: string, file: string): LenientPem {
  const blocks: LenientBlock[] = []
  const oddities: Oddity[] = []
  const malformed = (line: number, found: string) => fail('PEM_MALFORMED', { file, line, found })
  let open: Open | undefined

  const begin = (label: string, line: number) => {
    if (open) abandon(open, `line ${line} begins another`)
    open = { label, line, headers: [], body: [], inHeaders: false }
  }
  const end = (label: string, line: number) => {
    if (!open) {
      if (OURS.test(label)) throw malformed(line, `an end of ${label} without a beginning`)
      return
    }
    if (open.label !== label) throw malformed(line, `${open.label} begun on line ${open.line} ends as ${label}`)
    const der = decodeBase64(open.body.join(''))
    if (der && der.length > 0) {
      if (open.headers.length > 0 && !label.includes('KEY')) note(open.line, `the ${label} block has header lines`)
      blocks.push({ label, headers: open.headers, der, line: open.line })
    } else if (OURS.test(label)) {
      throw malformed(open.line, `the ${label} block holds ${der ? 'nothing' : 'something that is not base64'}`)
    }
    open = undefined
  }
  /** A line of prose that looks like the beginning of a block is recognised by what follows it. */
  const abandon = ({ label, line, body }: Open, why: string) => {
    const isProse = !body.some((each) => each.length >= 16 && decodeBase64(each) !== undefined)
    if (OURS.test(label) && !isProse) throw malformed(line, `the ${label} block does not end: ${why}`)
    note(line, `a line that looks like the beginning of a ${label} block and is none`)
  }
  const note = (line: number, what: string) => {
    if (oddities.length < ODDITY_LIMIT) oddities.push({ line, text: what })
  }

  let number = 0
  for (const raw of splitLines(text)) {
    number++
    const line = raw.trim()
    if (line === '' && !open?.inHeaders) continue
    if (blocks.length > BLOCK_LIMIT) break
    const pieces = line.includes('-----') && !WHOLE_LINE.test(line) ? splitJoined(line) : [line]
    if (pieces.length > 1) note(number, 'ends of lines are missing here; read as if they were there')
    for (const piece of pieces) {
      const [, word, label = ''] = WHOLE_LINE.exec(piece) ?? []
      if (word === 'BEGIN') begin(label, number)
      else if (word === 'END') end(label, number)
      else if (open) addTo(open, piece)
    }
  }
  if (open) abandon(open, 'the file is over')
  return { blocks, oddities }
}

/** A generator, so that a hostile file of nothing but line ends costs no memory. CR, LF and both together end a line. */
function* splitLines(text: string): Generator<string> {
  const hasCr = text.includes('\r')
  let start = 0
  for (let end = 0; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code !== LF && !(hasCr && code === CR)) continue
    yield text.slice(start, end)
    if (code === CR && text.charCodeAt(end + 1) === LF) end++
    start = end + 1
  }
  yield text.slice(start)
}

/** `-----END X----------BEGIN X-----`, or a whole block on one line; prose with a marker in it stays one piece. */
function splitJoined(line: string): string[] {
  const pieces = line.split(INSIDE_LINE).flatMap((piece) => {
    return piece.startsWith('-----') ? [piece] : piece.split(/\s+|\\r|\\n/)
  })
  const kept = pieces.filter((piece) => piece !== '')
  const isTorn = kept.every((piece, index) => {
    if (WHOLE_LINE.test(piece) || LOST_LINE.test(piece)) return true
    return kept[index + 1]?.startsWith('-----END ') && decodeBase64(piece) !== undefined
  })
  return isTorn ? kept : [line]
}

function addTo(open: Open, line: string): void {
  if (open.body.length === 0 && (open.inHeaders || HEADER.test(line))) {
    open.inHeaders = line !== ''
    if (line !== '') open.headers.push(line)
  } else if (line !== '') {
    open.body.push(line.includes(' ') || line.includes('\t') ? line.replace(/[ \t]+/g, '') : line)
  }
}
