/**
 * Questions at the terminal, and secrets from files. Without a terminal the call is refused with the name of the option that
 * answers the question: a command never waits for an answer that cannot come.
 */

import { WlbError } from '../../base/error.js'
import { readLimitedFile, readStandardInput, readText } from '../../base/files/limited-file.js'
import { boundedLine, visibleCommand, visibleLine } from '../../base/text/printable.js'
import { fail } from '../errors.js'
import { EXIT, printNote } from './print.js'

export function isAtTerminal(): boolean {
  return process.stdin.isTTY
}

export interface Consent {
  /** The command that was typed, without `--yes`. */
  readonly command: string
  /** `--yes` was given, or nothing would change. */
  readonly yes: boolean | undefined
  /** The change cannot be undone: Enter alone means no. */
  readonly isFinal?: boolean
  /** Printed after a no, where something was changed before the question. */
  readonly afterNo?: string
  /** Aborted by Ctrl-C: then nothing is asked, and the answer is no. */
  readonly signal?: AbortSignal
}

/**
 * Asks once whether to carry out the plan that was shown. A no is printed and sets the exit code.
 *
 * @throws USAGE_NEEDS_YES when there is no terminal and `--yes` was not given.
 */
export async function isSure(question: string, consent: Consent): Promise<boolean> {
  const { command, yes = false, isFinal = false, afterNo, signal } = consent
  if (!signal?.aborted && (yes || (await confirm(question, command, !isFinal)))) return true
  sayNothingChanged(afterNo)
  return false
}

async function confirm(message: string, command: string, initialValue: boolean): Promise<boolean> {
  if (!isAtTerminal()) throw fail('USAGE_NEEDS_YES', { question: message, missing: '--yes', command })
  const prompts = await import('@clack/prompts')
  return (await prompts.confirm({ message: promptLine(message), initialValue, output: process.stderr })) === true
}

/** What a question says; a name in it may be from elsewhere. */
export function promptLine(text: string): string {
  return boundedLine(text, PROMPT_LIMIT)
}

const PROMPT_LIMIT = 500

/** For a command that ends because a question was answered with no or left with Ctrl-C. */
export function sayNothingChanged(otherwise = 'nothing was changed'): void {
  printNote(`wlb: ${visibleLine(otherwise)}\n`)
  process.exitCode = EXIT.interrupted
}

export interface SafeStop {
  readonly signal: AbortSignal
  /** `isSure`; after a yes, Ctrl-C also prints how to resume. */
  confirm(question: string, consent: Consent): Promise<boolean>
}

/**
 * Handles Ctrl-C while a pool is changed: the first one stops at the next point where every host that verified still does, a
 * second one ends the process at once. `resumeCommand` resumes what was stopped.
 */
export function stopOnInterrupt(resumeCommand: string): SafeStop {
  const controller = new AbortController()
  const { signal } = controller
  let isChanging = false
  process.once('SIGINT', () => {
    const where = isChanging ? 'at the next safe point' : 'before anything is changed'
    const then = isChanging ? `; to go on:  ${resumeCommand}` : ''
    printNote(`\nwlb: stopping ${where} (again: at once)${then}\n`)
    controller.abort()
  })
  return {
    signal,
    async confirm(question, consent) {
      isChanging = await isSure(question, { ...consent, signal })
      return isChanging
    },
  }
}

/** A password, and for `xe` the user name before it; what follows the first lines does not count. */
const SECRET_FILE_LIMIT_BYTES = 64 * 1024

/**
 * Reads a secret: the first line of a file, `-` for standard input. It is text as editors save it: UTF-8 or UTF-16, lines that
 * end as on Windows, the last one perhaps without an end.
 *
 * @throws PASSWORD_FILE_UNREADABLE when it is too large, no text, or a key, a certificate or the like.
 */
export async function readSecretFile(file: string): Promise<string>
export async function readSecretFile(file: string | undefined): Promise<string | undefined>
export async function readSecretFile(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : (await readSecretLines(file))[0]
}

/** All lines, for a file that has more than the secret; there is always a first one. @throws as `readSecretFile` does. */
export async function readSecretLines(file: string): Promise<readonly [string, ...string[]]> {
  try {
    const bytes = await (file === '-'
      ? readStandardInput(SECRET_FILE_LIMIT_BYTES)
      : readLimitedFile(file, SECRET_FILE_LIMIT_BYTES))
    if (bytes.length > SECRET_FILE_LIMIT_BYTES) throw new Error(`it has more than ${SECRET_FILE_LIMIT_BYTES} bytes`)
    const [first = '', ...others] = readText(bytes, file).split(/\r\n|\n|\r/)
    if (NO_SECRET.test(first)) throw new Error(await nameOther(bytes))
    return [first, ...others]
  } catch (error) {
    const lower = error instanceof WlbError && error.cause instanceof Error ? error.cause : error
    throw fail('PASSWORD_FILE_UNREADABLE', { file, why: lower instanceof Error ? lower.message : String(lower) }, error)
  }
}

/** How files of keys and certificates begin. */
const NO_SECRET = /^-----BEGIN |^PuTTY-User-Key-File/

async function nameOther(bytes: Buffer): Promise<string> {
  const { describeFile } = await import('../../x509/index.js')
  return `it is no password, but ${describeFile(bytes)}`
}

/** Said before a file is opened that takes more than a moment of work. */
export function sayOpening(file: string): void {
  printNote(`opening ${file}, which asks for many rounds of hashing ...\n`)
}

/** Asks for a secret without showing it. Undefined when the question was left with Ctrl-C. */
export async function askSecret(message: string): Promise<string | undefined> {
  const { isCancel, password } = await import('@clack/prompts')
  const answer = await password({ message: promptLine(message) })
  return isCancel(answer) ? undefined : answer
}

/** Asks for a new secret, twice. Undefined when a question was left with Ctrl-C. */
export async function askNewSecret(
  message: string,
  check?: (secret: string) => string | undefined,
): Promise<string | undefined> {
  const { isCancel, password } = await import('@clack/prompts')
  const first = await password({ message: promptLine(message), validate: check && ((value) => check(value ?? '')) })
  if (isCancel(first)) return undefined
  const again = await password({
    message: 'The same again',
    validate: (value) => (value === first ? undefined : 'The two differ.'),
  })
  return isCancel(again) ? undefined : first
}

/** Where the same fingerprint can be read in another way. */
export interface OtherSide {
  readonly place: string
  readonly command: string
}

export const ON_THE_APPLIANCE: OtherSide = {
  place: 'On the appliance',
  command: 'openssl x509 -in /etc/ssl/certs/server.pem -noout -fingerprint -sha256',
}

/**
 * Shows a fingerprint at first contact, with the command that prints it on the other side, and asks whether they are the same.
 * The caller has made sure that a terminal is there.
 *
 * @throws INTERRUPTED when the question was left with Ctrl-C.
 */
export async function compareByEye(what: string, fingerprintSha256: string, there: OtherSide): Promise<boolean> {
  const { place, command } = there
  printNote(
    `${promptLine(what)} has the SHA-256 fingerprint\n  ${fingerprintSha256}\n${place}:  ${visibleCommand(command)}\n`,
  )
  const prompts = await import('@clack/prompts')
  const answer = await prompts.confirm({
    message: 'Is it the same there?',
    initialValue: false,
    output: process.stderr,
  })
  if (!prompts.isCancel(answer)) return answer
  const where = `${place.charAt(0).toLowerCase()}${place.slice(1)}`
  throw fail('INTERRUPTED', { seen: fingerprintSha256, command: `${command}, ${where}` })
}
