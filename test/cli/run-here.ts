/** What a call of `wlb` prints, without a process of its own: for questions asked of every command there is. */
import { commandLine, run } from '../../src/cli/command-line.js'

export interface Printed {
  readonly stdout: string
  readonly stderr: string
}

/** In that folder, as somebody who is at no terminal. One at a time. */
export async function runHere(args: readonly string[], folder: string): Promise<Printed> {
  const printed = { stdout: '', stderr: '' }
  const streams = ['stdout', 'stderr'] as const
  const before = {
    folder: process.cwd(),
    exitCode: process.exitCode,
    write: streams.map((name) => process[name].write),
  }
  for (const name of streams) {
    process[name].write = (piece: string | Uint8Array) => {
      printed[name] += typeof piece === 'string' ? piece : Buffer.from(piece).toString('latin1')
      return true
    }
  }
  process.chdir(folder)
  try {
    await run(args, commandLine(args))
  } finally {
    process.chdir(before.folder)
    process.exitCode = before.exitCode
    for (const [index, name] of streams.entries()) {
      const write = before.write[index]
      if (write) process[name].write = write
    }
  }
  return printed
}
