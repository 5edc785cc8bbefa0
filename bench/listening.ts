/** Waits until a server that says nothing of itself takes connections. */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      }).once('error', () => resolve(false))
    })
    if (open) return
    await pause(20)
  }
  throw new Error('openssl s_server does not listen')
}
