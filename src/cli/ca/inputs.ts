/** What the commands of `wlb ca` read: the folder of the authority, its passphrase, and files of bounded size. */
import { resolve } from 'node:path'
import { AUTHORITY_LIMITS } from '../../authority/index.js'
import { WlbError } from '../../base/error.js'
import { readLimitedFile, readStandardInput } from '../../base/files/limited-file.js'
import { isStandardOutput } from '../../base/files/output-file.js'
import { paths } from '../../config/index.js'
import { fail } from '../errors.js'
import { askNewSecret, askSecret, isAtTerminal, readSecretFile } from '../terminal/ask.js'
import { printNote } from '../terminal/print.js'

/** The authority's folder: the one that was named, or its place below the root, which needs no appliance to be set up. */
export function chooseFolder(root: string, dir: string | undefined): string {
  return dir === undefined ? paths(root).authority : resolve(dir)
}

/** Where a certificate or a list goes. `-` is standard output, and what is said besides then goes to stderr. */
export interface ChosenOutput {
  readonly file: string | undefined
  readonly say: NodeJS.WritableStream
}

/** @throws USAGE_STDOUT_TWICE when standard output would also have to take the document of `--json`. */
export async function chooseOutput(out: string | undefined, json: boolean | undefined): Promise<ChosenOutput> {
  if (out === undefined || !(await isStandardOutput(out)))
    return { file: out === undefined ? undefined : resolve(out), say: process.stdout }
  if (json) throw fail('USAGE_STDOUT_TWICE', { out })
  return { file: '/dev/stdout', say: process.stderr }
}

/** Every command prints the limits of this authority on stderr, so that nobody takes it for more than it is. */
export function sayWhatItIs(): void {
  printNote(`A small authority, for labs and small sites.\n${AUTHORITY_LIMITS.join('\n')}\n\n`)
}

/**
 * Takes the passphrase from the first line of a file (`-` is stdin), or asks for it without showing it; a new one twice.
 * Undefined when the question was left with Ctrl-C. `command` is what to type instead of answering.
 *
 * @throws USAGE_NEEDS_ANSWERS when there is neither a file nor a terminal.
 */
export async function readPassphrase(
  file: string | undefined,
  kind: 'new' | 'known',
  command: string,
): Promise<string | undefined> {
  if (file !== undefined) return readSecretFile(file)
  if (!isAtTerminal()) throw fail('USAGE_NEEDS_ANSWERS', { missing: '--passphrase-file', command: `${command} --yes` })
  const message = "Passphrase of the authority's keys"
  return kind === 'known' ? askSecret(message) : askNewSecret(message)
}

const MAX_BYTES = 1_000_000

/**
 * Reads a file, or stdin for `-`. Standard input is cut at 1 MB; the parser rejects the rest.
 *
 * @throws INPUT_UNREADABLE
 */
export async function readBytes(file: string, what: string): Promise<Buffer> {
  try {
    return file === '-' ? await readStandardInput(MAX_BYTES) : await readLimitedFile(file, MAX_BYTES)
  } catch (error) {
    const lower = error instanceof WlbError && error.cause instanceof Error ? error.cause : error
    const why = lower instanceof Error ? lower.message : String(lower)
    throw fail('INPUT_UNREADABLE', { what, file, why }, error)
  }
}
