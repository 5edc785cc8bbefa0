/** A TLS server of the site's own before an appliance: it serves the same two files, and reads them again at a signal. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:tls'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'
import type { TestAppliance } from '../server/test-appliance.js'

export async function startFront(
  { paths, port: behind }: TestAppliance,
  signal: NodeJS.Signals,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const read = () => ({ cert: readFileSync(paths.certificate), key: readFileSync(paths.key), ecdhCurve: 'auto' })
  const server = createServer(read(), (socket) => {
    const inner = connect({ host: OWN_ADDRESS, port: behind, rejectUnauthorized: false })
    for (const one of [socket, inner])
      one.on('error', () => {}).on('close', () => [socket, inner].map((end) => end.destroy()))
    socket.pipe(inner).pipe(socket)
  })
  const reload = () => server.setSecureContext(read())
  process.on(signal, reload)
  const port = await freePort()
  server.listen(port, OWN_ADDRESS)
  await once(server, 'listening')
  return {
    port,
    close: async () => {
      process.off(signal, reload)
      server.close()
    },
  }
}
