/** The launcher's end of the stand-in: one process of its own for a lab, started, told anew, and ended. */

import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { replaceFile } from '../../base/durable-file.js'
import { WlbError } from '../../base/error.js'
import { askAppliance } from '../../config/index.js'
import { fail } from '../errors.js'
import type { StandInLayout } from './layout.js'
import type { StandInOrders } from './server.js'

const POLL_MS = 20
const PATIENCE_MS = 15_000

/** Returns when it listens as told. @throws LAB_STAND_IN_FAILED */
export async function runStandIn(layout: StandInLayout, orders: StandInOrders, program: string): Promise<void> {
  await replaceFile(layout.orders, `${JSON.stringify(orders)}\n`, 0o600)
  if ((await findStandIn(layout)) !== undefined) {
    const answer = await askAppliance(layout.socket, 'POST', '/').catch((error: unknown) => {
      const why = error instanceof WlbError ? String(error.facts.why) : String(error)
      throw fail('LAB_STAND_IN_FAILED', { folder: layout.folder, why }, error)
    })
    if (answer !== undefined) return
    await endStandIn(layout) // it runs and has no door any more
  }
  const output = await open(layout.log, 'a', 0o600)
  try {
    const child = spawn(process.execPath, [program, layout.folder], {
      detached: true,
      stdio: ['ignore', output.fd, output.fd, 'ipc'],
    })
    await readiness(child, layout)
    await writeFile(layout.pid, `${child.pid}\n`)
    child.unref()
  } finally {
    await output.close()
  }
}

/** Returns when it is gone and its port is free; it need not be there. */
export async function endStandIn(layout: StandInLayout): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  for (let pid = await findStandIn(layout); pid !== undefined; pid = await findStandIn(layout)) {
    process.kill(pid, Date.now() > deadline ? 'SIGKILL' : 'SIGTERM')
    await pause(POLL_MS)
  }
  const pid = await readPid(layout)
  while (pid !== undefined && (await isEnding(pid)) && Date.now() < deadline) await pause(POLL_MS)
  await rm(layout.pid, { force: true })
}

async function readPid({ pid }: StandInLayout): Promise<number | undefined> {
  const number = Number(await readFile(pid, 'utf8').catch(() => ''))
  return Number.isInteger(number) && number > 0 ? number : undefined
}

/** A number left over from before a reboot is somebody else's. */
async function findStandIn(layout: StandInLayout): Promise<number | undefined> {
  const pid = await readPid(layout)
  if (pid === undefined) return undefined
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return commandLine.split('\0').includes(layout.folder) ? pid : undefined
}

/** Linux takes a killed process's memory, and its command line with it, before it closes the sockets. */
async function isEnding(pid: number): Promise<boolean> {
  const [commandLine, status] = await Promise.all(
    ['cmdline', 'stat'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => undefined)),
  )
  if (commandLine !== '' || status === undefined) return false
  const [state = '', parent] = status.slice(status.lastIndexOf(')') + 2).split(' ')
  return !'ZX'.includes(state) && parent !== KERNEL_THREADS
}

/** The parent of those who never had a command line. */
const KERNEL_THREADS = '2'

function readiness(child: ChildProcess, { folder }: StandInLayout): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      settle('it did not answer in time')
    }, PATIENCE_MS)
    const settle = (why?: string) => {
      clearTimeout(timer)
      child.removeAllListeners()
      if (child.connected) child.disconnect()
      if (why === undefined) resolve()
      else reject(fail('LAB_STAND_IN_FAILED', { folder, why }))
    }
    child.once('error', ({ message }) => settle(message))
    child.once('exit', () => settle('it ended at once'))
    child.once('message', ({ why }: { readonly why?: string }) => settle(why))
  })
}
