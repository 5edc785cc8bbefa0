/**
 * The computer a host's program runs on. A file in the host's folder lies there while the program runs: found at a start, it says that
 * the one before did not end in order, and that the host has booted since.
 */
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type LabProcess, startLabProcess } from '../launcher/lab-process.js'
import type { Machine } from './host.js'
import { layoutOf } from './host-files.js'

export interface OwnMachine extends Machine {
  /** The program ends in order: the next start is no boot. */
  endInOrder(): Promise<void>
}

/** Time for the answer to the call that ends the host. */
const LAST_WORDS_MS = 100
const START_TIMEOUT_MS = 30_000

/** `program` starts hosts; `close` frees the ports of this one. */
export async function openMachine(
  root: string,
  program: string,
  close: () => Promise<void>,
  log: (message: string) => void,
): Promise<OwnMachine> {
  const { running } = layoutOf(root)
  const hasBooted = existsSync(running)
  await writeFile(running, '')
  const end = async (how: 'shutdown' | 'reboot') => {
    await pause(LAST_WORDS_MS)
    log(how === 'reboot' ? 'the host reboots' : 'the host is switched off')
    await close()
    if (how === 'reboot') await switchOn(root, program, log)
    process.exit(0)
  }
  return {
    hasBooted,
    end(how) {
      end(how).catch((error: Error) => {
        log(`${how}: ${error.stack}`)
        process.exit(1)
      })
    },
    async start(name) {
      const folder = join(dirname(root), basename(name))
      return existsSync(layoutOf(folder).settings) && switchOn(folder, program, log)
    },
    endInOrder: () => rm(running, { force: true }),
  }
}

async function switchOn(folder: string, program: string, log: (message: string) => void): Promise<boolean> {
  const failure = await startLabProcess(hostProcess(folder), program, START_TIMEOUT_MS)
  if (failure !== undefined) log(`${folder} did not start: ${failure === 'timeout' ? failure : failure.message}`)
  return failure === undefined
}

/** The program of the host in this folder. */
export function hostProcess(root: string): LabProcess {
  return { folder: root, log: layoutOf(root).log, pidFile: join(root, 'var/lib/xcp/xapi.pid') }
}
