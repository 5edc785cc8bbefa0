/** The program of one lab host: `lab-host ROOT`. It keeps running when the launcher ends; SIGTERM stops it. */
import { WlbError } from '../../base/error.js'
import { openLineSink } from '../../base/text/line-sink.js'
import type { StartReport } from '../launcher/lab-process.js'
import { startHost } from './host-process.js'
import { openMachine } from './machine.js'

const [root] = process.argv.slice(2)
if (root === undefined) {
  console.error('usage: lab-host ROOT')
  process.exit(2)
}

const output = openLineSink(1, { describeLoss: (lines) => `${new Date().toISOString()} ${lines} lines were lost\n` })
const log = (message: string) => output.write(`${new Date().toISOString()} ${message}\n`)

try {
  const [, program = ''] = process.argv
  let close = async () => {}
  const machine = await openMachine(root, program, () => close(), log)
  const host = await startHost(root, machine, log)
  close = () => host.close()
  process.once('SIGTERM', () => {
    host
      .close()
      .then(() => machine.endInOrder())
      .finally(() => process.exit(0))
  })
  process.send?.({} satisfies StartReport, () => {
    if (process.connected) process.disconnect()
  })
  log(`ready, process ${process.pid}`)
} catch (error) {
  console.error(error)
  const message = error instanceof Error ? error.message : String(error)
  const failed =
    error instanceof WlbError ? { code: error.code, message, facts: error.facts, remedy: error.remedy } : { message }
  process.send?.({ failed } satisfies StartReport, () => process.exit(1))
  if (!process.connected) process.exit(1)
}
