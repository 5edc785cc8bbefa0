/** One question before something is changed; nobody there to answer it is a wrong call, never a wait. */
import { WlbError } from '../../base/error.js'
import { EXIT } from '../print.js'

/**
 * Tells whether it is meant; a no is said, and becomes the exit code. Who has pressed Ctrl-C already is not asked.
 *
 * @throws USAGE_NEEDS_YES when there is nobody to ask.
 */
export async function isSure(question: string, command: string, yes: boolean, signal?: AbortSignal): Promise<boolean> {
  if (!signal?.aborted && (yes || (await isConfirmed(question, command)))) return true
  process.stderr.write('wlb: nothing was changed\n')
  process.exitCode = EXIT.interrupted
  return false
}

async function isConfirmed(message: string, command: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw needsYes(command)
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message, output: process.stderr })) === true
}

function needsYes(command: string): WlbError {
  return new WlbError(
    'USAGE_NEEDS_YES',
    'There is nobody to ask here whether it is meant.',
    { missing: '--yes' },
    `${command} --yes`,
  )
}
