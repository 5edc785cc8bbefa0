/** What the commands of the small authority ask for alike: the passphrase, a yes, and files of bounded size. */
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { AUTHORITY_LIMITS } from '../../authority/index.js'
import { WlbError } from '../../base/error.js'
import { readStandardInput } from '../../base/limited-file.js'
import { paths } from '../../config/index.js'
import { EXIT } from '../print.js'
import { readSecretFile } from '../secret-file.js'

/** The authority's folder: the one that was named, or its place below the root, which needs no appliance to be set up. */
export function chooseFolder(root: string, dir: string | undefined): string {
  return dir === undefined ? paths(root).authority : resolve(dir)
}

/** Said on stderr by every command: nobody should take this for more than it is. */
export function sayWhatItIs(): void {
  process.stderr.write(`A small authority, for labs and small sites.\n${AUTHORITY_LIMITS.join('\n')}\n\n`)
}

/**
 * Takes the passphrase from the first line of a file (`-` is stdin), or asks for it without showing it; a new one twice.
 * Undefined when the question was answered with Ctrl-C.
 *
 * @throws USAGE_NEEDS_ANSWERS when there is no file and nobody to ask.
 */
export async function readPassphrase(
  file: string | undefined,
  kind: 'new' | 'known',
  command: string,
): Promise<string | undefined> {
  if (file !== undefined) return readSecretFile(file)
  if (!process.stdin.isTTY) throw nobodyToAsk(command)
  const { isCancel, password } = await import('@clack/prompts')
  const first = await password({ message: "Passphrase of the authority's keys" })
  if (isCancel(first)) return undefined
  if (kind === 'known') return first
  const again = await password({
    message: 'The same again',
    validate: (value) => (value === first ? undefined : 'The two differ.'),
  })
  return isCancel(again) ? undefined : first
}

/**
 * Asks once, unless --yes was given.
 *
 * @throws USAGE_NEEDS_YES when there is nobody to ask.
 */
export async function isSure(yes: boolean | undefined, question: string, command: string): Promise<boolean> {
  if (yes) return true
  if (!process.stdin.isTTY) throw needsYes(question, command)
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message: question, initialValue: false })) === true
}

export function sayNothingChanged(): void {
  process.stderr.write('wlb: nothing was changed\n')
  process.exitCode = EXIT.interrupted
}

const MAX_BYTES = 1_000_000

/**
 * Reads a file, or stdin for `-`; what goes on after a megabyte is none of ours, and is refused by whoever parses it.
 *
 * @throws INPUT_UNREADABLE
 */
export async function readBytes(file: string, what: string): Promise<Buffer> {
  try {
    if (file === '-') return await readStandardInput(MAX_BYTES)
    const pieces: Buffer[] = await createReadStream(file, { end: MAX_BYTES }).toArray()
    return Buffer.concat(pieces)
  } catch (error) {
    throw inputUnreadable(file, what, error)
  }
}

function nobodyToAsk(command: string): WlbError {
  return new WlbError(
    'USAGE_NEEDS_ANSWERS',
    'There is nobody here to ask for the passphrase.',
    { missing: '--passphrase-file' },
    `${command} --passphrase-file FILE --yes`,
  )
}

function needsYes(question: string, command: string): WlbError {
  return new WlbError(
    'USAGE_NEEDS_YES',
    'There is nobody here to answer the question.',
    { question, missing: '--yes' },
    `${command} --passphrase-file FILE --yes`,
  )
}

function inputUnreadable(file: string, what: string, cause: unknown): WlbError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new WlbError(
    'INPUT_UNREADABLE',
    'A file that was named cannot be read.',
    { what, file, why },
    `ls -l ${file}`,
    cause,
  )
}
