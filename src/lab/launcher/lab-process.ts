/**
 * Processes of the lab: each is detached from the launcher, writes to its own log, reports over IPC whether it started, and is
 * found again by a file with its number.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { open, readdir, readFile, writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

const POLL_MS = 20

export interface LabProcess {
  /** Its only argument, by which a running process is recognised. */
  readonly folder: string
  readonly log: string
  readonly pidFile: string
}

/** What a process reports when it has started, or could not. */
export interface StartReport {
  readonly failed?: StartFailure
}

interface StartFailure {
  /** With the facts and the remedy of an error that has a code. */
  readonly code?: string
  readonly message: string
  readonly facts?: Readonly<Record<string, string | number | boolean>>
  readonly remedy?: string
}

/** Finds the number of a running process. After a reboot the number in the file may belong to another process. */
export async function findLabProcess({
  folder,
  pidFile,
}: Pick<LabProcess, 'folder' | 'pidFile'>): Promise<number | undefined> {
  const pid = await readPid(pidFile)
  if (pid === undefined) return undefined
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return commandLine.split('\0').includes(folder) ? pid : undefined
}

async function readPid(pidFile: string): Promise<number | undefined> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))
  return Number.isInteger(pid) && pid > 0 ? pid : undefined
}

/** Starts `program` and waits for its report. Returns why it did not start; undefined when it runs. */
export async function startLabProcess(
  { folder, log, pidFile }: LabProcess,
  program: string,
  timeoutMs: number,
): Promise<StartFailure | 'timeout' | undefined> {
  const output = await open(log, 'a', 0o600)
  try {
    const child = spawn(process.execPath, [program, folder], {
      detached: true,
      stdio: ['ignore', output.fd, output.fd, 'ipc'],
    })
    const failure = await reportOf(child, timeoutMs)
    if (failure !== undefined) return failure
    await writeFile(pidFile, `${child.pid}\n`)
    child.unref()
    return undefined
  } finally {
    await output.close()
  }
}

function reportOf(child: ChildProcess, timeoutMs: number): Promise<StartFailure | 'timeout' | undefined> {
  return new Promise((resolve) => {
    const settle = (failure?: StartFailure | 'timeout') => {
      clearTimeout(timer)
      child.removeAllListeners()
      if (child.connected) child.disconnect()
      resolve(failure)
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      settle('timeout')
    }, timeoutMs)
    child.once('error', ({ message }) => settle({ message }))
    child.once('exit', () => settle({ message: 'it ended at once' }))
    child.once('message', ({ failed }: StartReport) => settle(failed))
  })
}

/** Ends a process and returns when its ports are free; it need not run. After `patienceMs` it is killed. */
export async function endLabProcess(
  one: Pick<LabProcess, 'folder' | 'pidFile'>,
  signal: 'SIGTERM' | 'SIGKILL',
  patienceMs: number,
): Promise<void> {
  const pid = await readPid(one.pidFile)
  if (pid === undefined) return
  if ((await findLabProcess(one)) !== undefined) process.kill(pid, signal)
  const deadline = Date.now() + patienceMs
  while ((await findLabProcess(one)) !== undefined) {
    if (Date.now() > deadline) process.kill(pid, 'SIGKILL')
    await pause(POLL_MS)
  }
  while ((await isEnding(pid)) && Date.now() < deadline + patienceMs) await pause(POLL_MS)
}

/**
 * Linux empties the command line of a process that ends before it closes its sockets. They are closed when the last of its
 * threads has ended, which need not be the first thread.
 */
async function isEnding(pid: number): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  if (commandLine !== '') return false
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  for (const thread of threads) {
    const status = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => undefined)
    const [state = 'X', parent] = status?.slice(status.lastIndexOf(')') + 2).split(' ') ?? []
    if (!'ZX'.includes(state) && parent !== KERNEL_THREADS) return true
  }
  return false
}

/** Kernel threads never have a command line; this is their parent. */
const KERNEL_THREADS = '2'
