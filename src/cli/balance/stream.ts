/** `wlb balance plan --stream`: a document a line in, a plan a line out, for programs that ask again and again. */

import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { explain, LIMITS, optimise } from '../../balance/index.js'
import { errorDocument, WlbError } from '../../base/error.js'
import { visibleJson } from '../../base/text/printable.js'
import { parseDocument, tooLarge } from './read-document.js'

/** Answers until the input ends. A line that is no pool is answered by its error, and the next one is read. */
export async function streamPlans(file: string, isExplained: boolean): Promise<void> {
  const input = file === '-' ? process.stdin : createReadStream(file)
  let line = 0
  for await (const text of linesOf(input)) {
    line++
    if (text === '') continue
    const answer = visibleJson(JSON.stringify(answerTo(file, text, line, isExplained)))
    if (!(await print(`${answer}\n`))) return
  }
}

/** False when nobody gets the answers any more: the reader is gone, or the disk is full (standard-output.ts says so). */
async function print(line: string): Promise<boolean> {
  const { stdout } = process
  if (!stdout.write(line) && !stdout.errored) await once(stdout, 'drain').catch(() => undefined)
  return !stdout.errored
}

function answerTo(file: string, text: string | undefined, line: number, isExplained: boolean): object {
  try {
    if (text === undefined) throw tooLarge(file, line)
    const pool = parseDocument(file, text, line)
    const plan = optimise(pool)
    return isExplained ? { ...plan, explanation: explain(pool, plan) } : plan
  } catch (error) {
    if (error instanceof WlbError) return { error: errorDocument(error) }
    throw error
  }
}

/** Lines without blanks at their ends; undefined stands for one that is longer than a document may be. */
async function* linesOf(input: Readable): AsyncIterable<string | undefined> {
  let pieces: Buffer[] = []
  let sizeBytes = 0
  const take = () => {
    const line = sizeBytes > LIMITS.documentBytes ? undefined : Buffer.concat(pieces).toString('utf8').trim()
    pieces = []
    sizeBytes = 0
    return line
  }
  for await (const chunk of input) {
    let rest: Buffer = Buffer.from(chunk)
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      add(rest.subarray(0, end))
      yield take()
      rest = rest.subarray(end + 1)
    }
    add(rest)
  }
  if (sizeBytes > 0) yield take()

  function add(piece: Buffer): void {
    sizeBytes += piece.length
    if (sizeBytes <= LIMITS.documentBytes) pieces.push(piece)
    else pieces = []
  }
}
