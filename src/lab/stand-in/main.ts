/**
 * The program of the stand-in: `lab-stand-in FOLDER`. It follows `orders.json`, and reads it again at each request on
 * its socket. SIGTERM ends it.
 */
import { chmod, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { shortenSocketPath } from '../../base/files/local-socket.js'
import { openLineSink } from '../../base/text/line-sink.js'
import type { StartReport } from '../launcher/lab-process.js'
import { type Listening, ordersSchema, startListening } from './server.js'

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: lab-stand-in FOLDER')
  process.exit(2)
}

const output = openLineSink(1, { describeLoss: (lines) => `${new Date().toISOString()} ${lines} lines were lost\n` })
const log = (message: string) => output.write(`${new Date().toISOString()} ${message}\n`)
let listening: Listening | undefined

async function follow(inFolder: string): Promise<void> {
  const orders = ordersSchema.parse(JSON.parse(await readFile(join(inFolder, 'orders.json'), 'utf8')))
  await listening?.close()
  listening = undefined
  listening = await startListening(orders, log)
  log(`${orders.transport} at ${orders.address}:${orders.port}`)
}

const why = (error: unknown) => (error instanceof Error ? error.message : String(error))
let turn: Promise<unknown> = Promise.resolve()
const control = createServer((_request, response) => {
  turn = turn
    .then(() => follow(folder))
    .then(
      () => response.writeHead(200).end('{}'),
      (error: unknown) => response.writeHead(500).end(JSON.stringify({ why: why(error) })),
    )
})

const socketFile = join(folder, 'stand-in.sock')
await rm(socketFile, { force: true })
const place = shortenSocketPath(socketFile)
process.once('SIGTERM', () => process.exit(0))
try {
  await follow(folder)
  await new Promise<void>((resolve) => control.listen(place.path, resolve))
  await chmod(socketFile, 0o600) // its folder is the owner's alone
  process.send?.({} satisfies StartReport, () => process.connected && process.disconnect())
} catch (error) {
  process.send?.({ failed: { message: why(error) } } satisfies StartReport, () => process.exit(1))
}
