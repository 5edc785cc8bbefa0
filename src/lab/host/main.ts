/** The program of one lab host: `lab-host ROOT`. It runs on when the launcher ends; SIGTERM stops it. */
import { WlbError } from '../../base/error.js'
import { startHost } from './host-process.js'

const [root] = process.argv.slice(2)
if (root === undefined) {
  console.error('usage: lab-host ROOT')
  process.exit(2)
}

const log = (message: string) => console.log(`${new Date().toISOString()} ${message}`)

try {
  const host = await startHost(root, log)
  process.once('SIGTERM', () => {
    host.close().finally(() => process.exit(0))
  })
  process.send?.({ ready: true }, () => {
    if (process.connected) process.disconnect()
  })
  log(`ready, process ${process.pid}`)
} catch (error) {
  console.error(error)
  const known = error instanceof WlbError
  process.send?.(
    {
      failed: known
        ? { code: error.code, message: error.message, facts: error.facts, remedy: error.remedy }
        : { message: error instanceof Error ? error.message : String(error) },
    },
    () => process.exit(1),
  )
  if (!process.connected) process.exit(1)
}
