/** Runs a command as on the shell of one host of the lab: `xe` needs no password there. */
import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { replaceFile } from '../../base/files/durable-file.js'
import { fail } from '../errors.js'
import { findHost, hostRoot, labFolder, readLab } from './lab-file.js'
import { programPath } from './launcher.js'

/**
 * Runs a command with the terminal of the caller, in the caller's folder, and returns its exit code.
 *
 * @throws LAB_NOT_FOUND, LAB_HOST_UNKNOWN, or COMMAND_NOT_FOUND.
 */
export async function labExec(options: {
  readonly root: string
  readonly host: string
  readonly command: readonly string[]
  /** Path of the program `xe`; default: next to the running program. */
  readonly xeProgram?: string
}): Promise<number> {
  const { root, command, xeProgram = programPath('xe.js') } = options
  const lab = await readLab(root)
  const host = findHost(lab, options.host)
  const bin = await writeShim(root, xeProgram)
  const env = {
    ...process.env,
    XE_ROOT: hostRoot(root, host.name),
    PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  }
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env })
    // Ctrl-C reaches the command directly, because both share the terminal; this process waits for its exit.
    const ignore = () => {}
    process.on('SIGINT', ignore)
    child.once('error', (error) => reject(fail('COMMAND_NOT_FOUND', { command: program }, error)))
    child.once('close', (code, signal) => {
      process.removeListener('SIGINT', ignore)
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 1)) // as a shell says it
    })
  })
}

async function writeShim(root: string, xeProgram: string): Promise<string> {
  const bin = join(labFolder(root), 'bin')
  await mkdir(bin, { recursive: true })
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  await replaceFile(join(bin, 'xe'), `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(xeProgram)} "$@"\n`, 0o755)
  return bin
}
