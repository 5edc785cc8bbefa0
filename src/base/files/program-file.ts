/** Why a program that settings name cannot be started: the system says ENOENT for half a dozen reasons. */
import { constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { quoteWord } from '../text/quote-word.js'
import { systemCode } from './file-failure.js'

export interface StartFault {
  readonly why: string
  /** What to type. */
  readonly repair: string
}

const HEAD_BYTES = 512

/** Undefined where nothing is wrong, or where `program` is looked for on the path. */
export async function findStartFault(program: string): Promise<StartFault | undefined> {
  if (!isAbsolute(program)) return undefined
  const list = `ls -l ${quoteWord(program)}`
  try {
    const status = await stat(program)
    if (!status.isFile()) return { why: 'it is no file', repair: list }
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'ENOENT') return { why: `it cannot be looked at (${code})`, repair: list }
    return (await findArguments(program)) ?? { why: 'there is no such file', repair: list }
  }
  const mayRun = await access(program, constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!mayRun) return { why: 'it is not executable', repair: `chmod +x ${quoteWord(program)}` }
  return findInterpreterFault(program)
}

async function findArguments(program: string): Promise<StartFault | undefined> {
  const [first = ''] = program.split(/\s/, 1)
  if (first === program || !(await isThere(first))) return undefined
  const why = `it must be one path: ${first} is there, and no arguments can follow it; write a small program that calls it with them`
  return { why, repair: `ls -l ${quoteWord(first)}` }
}

/** Of a script: its first line names the program that reads it. */
async function findInterpreterFault(program: string): Promise<StartFault | undefined> {
  const head = await readHead(program)
  if (head.startsWith('\xef\xbb\xbf#!')) {
    const repair = `sed -i '1s/^\\xef\\xbb\\xbf//' ${quoteWord(program)}`
    return { why: 'a byte order mark stands before its #! line', repair }
  }
  const [, line = ''] = /^#!([^\n]*)/.exec(head) ?? []
  if (line.endsWith('\r')) {
    const why = `its lines end in CR LF, as Windows writes them: the system looks for an interpreter named "${line.trim()}\\r"`
    return { why, repair: `sed -i 's/\\r$//' ${quoteWord(program)}` }
  }
  const [interpreter = ''] = line.trim().split(/\s/, 1)
  if (interpreter === '' || (await isThere(interpreter))) return undefined
  return { why: `its first line names ${interpreter}, which is not there`, repair: `head -1 ${quoteWord(program)}` }
}

async function readHead(program: string): Promise<string> {
  const file = await open(program).catch(() => undefined) // a program may be executable and unreadable
  if (!file) return ''
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
