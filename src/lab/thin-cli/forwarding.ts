/** A command typed on a member: the coordinator carries it out, and the member passes every byte on. */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { BANNER, PROTOCOL_VERSION, ThinCliReader } from '../../xapi/index.js'
import type { Conversation } from './conversation.js'

/**
 * Introduces itself to the coordinator in the client's place, then joins the two connections until the coordinator has
 * said its last word. Closes the coordinator's connection; the client's is its owner's to end.
 */
export async function forwardToCoordinator(
  conversation: Conversation,
  client: Duplex,
  coordinator: Duplex,
): Promise<void> {
  // Each side's end shows as `close`; its reason does not matter any more.
  coordinator.on('error', () => {})
  try {
    const reader = new ThinCliReader(coordinator)
    const reading = await reader.readBanner()
    if (reading.state !== 'banner' || reading.version.major !== PROTOCOL_VERSION.major) {
      throw new Error('The coordinator does not speak the thin CLI protocol.')
    }
    coordinator.write(BANNER)
    client.write(reader.release())
    coordinator.write(conversation.release())
    const finished = Promise.race([once(coordinator, 'end'), closed(coordinator), closed(client)])
    coordinator.pipe(client, { end: false })
    client.pipe(coordinator)
    await finished
    client.unpipe(coordinator)
  } finally {
    coordinator.destroy()
  }
}

function closed(stream: Duplex): Promise<void> {
  return stream.destroyed ? Promise.resolve() : new Promise((resolve) => stream.once('close', () => resolve()))
}
