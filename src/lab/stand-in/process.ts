/** Controls the stand-in from the launcher: one process per lab, started, given new orders, and ended. */
import { rm } from 'node:fs/promises'
import { WlbError } from '../../base/error.js'
import { replaceFile } from '../../base/files/durable-file.js'
import { askAppliance } from '../../config/index.js'
import { fail } from '../errors.js'
import { endLabProcess, findLabProcess, startLabProcess } from '../launcher/lab-process.js'
import type { StandInOrders } from './server.js'
import type { StandInLayout } from './stand-in-files.js'

const PATIENCE_MS = 15_000

/** Starts the stand-in or gives it new orders; returns when it follows them. @throws LAB_STAND_IN_FAILED */
export async function runStandIn(layout: StandInLayout, orders: StandInOrders, program: string): Promise<void> {
  const { folder } = layout
  await replaceFile(layout.orders, `${JSON.stringify(orders)}\n`, 0o600)
  if ((await findLabProcess(layout)) !== undefined) {
    const answer = await askAppliance(layout.socket, 'POST', '/').catch((error: unknown) => {
      const why = error instanceof WlbError ? String(error.facts.why) : String(error)
      throw fail('LAB_STAND_IN_FAILED', { folder, why }, error)
    })
    if (answer !== undefined) return
    await endStandIn(layout) // it runs, but its socket is gone
  }
  const failure = await startLabProcess(layout, program, PATIENCE_MS)
  if (failure === undefined) return
  const why = failure === 'timeout' ? 'it did not answer in time' : failure.message
  throw fail('LAB_STAND_IN_FAILED', { folder, why })
}

/** Ends the stand-in if it runs; returns when its port is free. */
export async function endStandIn(layout: StandInLayout): Promise<void> {
  await endLabProcess(layout, 'SIGTERM', PATIENCE_MS)
  await rm(layout.pidFile, { force: true })
}
