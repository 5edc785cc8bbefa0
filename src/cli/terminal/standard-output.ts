/** Standard output that cannot be written to, such as a file on a full disk: then the command has failed, whatever it did. */
import { fail } from '../../base/errors.js'
import { systemCode } from '../../base/files/file-failure.js'
import { EXIT, printError } from './print.js'

/**
 * Says so when the program ends, and sets the exit code. A pipe that the reader closed is no failure: `wlb status | head -1`
 * has what it wants.
 */
export function failIfUnwritable(): void {
  let lost: unknown
  process.stdout.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') lost ??= error
  })
  process.once('exit', () => {
    if (lost === undefined) return
    const systemError = systemCode(lost) ?? String(lost)
    printError(fail('OUTPUT_UNWRITABLE', { output: 'stdout', systemError }, lost), 'text')
    if (process.exitCode === undefined || process.exitCode === EXIT.done) process.exitCode = EXIT.no
  })
}
