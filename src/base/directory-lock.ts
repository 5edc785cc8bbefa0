/**
 * One process owns a directory. The lock is a Unix socket in the abstract namespace, named after the directory's device
 * and inode: the kernel releases it when the process ends, however it ends, and a process that is refused reads the pid from it.
 * Processes in other network namespaces (containers) do not see it: give a directory to one of them only.
 */
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { fail } from './errors.js'

export interface DirectoryLock {
  release(): Promise<void>
}

const ASK_TIMEOUT_MS = 1000

/** @throws DIRECTORY_IN_USE when another process (or this one) holds it. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const { dev, ino } = await stat(directory, { bigint: true })
  const name = `\0openwlb-directory-${dev}-${ino}`
  const server = createServer((socket) => socket.on('error', () => {}).end(`${process.pid}`))
  try {
    await listen(server, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    throw fail('DIRECTORY_IN_USE', { directory, pid: await askPid(name) })
  }
  server.unref()
  return {
    release: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

async function listen(server: Server, name: string): Promise<void> {
  server.listen(name)
  await once(server, 'listening')
}

/** Undefined when the holder does not answer in time: it may be stopped. */
async function askPid(name: string): Promise<number | undefined> {
  const socket = connect(name).setTimeout(ASK_TIMEOUT_MS, () => socket.destroy())
  try {
    let said = ''
    for await (const piece of socket.setEncoding('utf8')) said += piece
    return /^[0-9]+$/.test(said) ? Number(said) : undefined
  } catch {
    return undefined
  }
}
