/** How a host answers its clients when it is not well; other hosts of the pool and its own shell never notice. */
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

const MANNERS = ['well', 'slow', 'cut', 'garbage'] as const
export type Manner = (typeof MANNERS)[number]

/** Long enough for a client to lose patience, short enough to be waited for. */
const SLOW_MS = 5_000
const GARBAGE = '<html><body>It works!</body></html>'

export function readManner(text: string): Manner | undefined {
  return MANNERS.find((manner) => manner === text)
}

/** Sends an answer in that manner: late, its second half missing, or something else entirely under the right headers. */
export async function sendIn(
  manner: Manner,
  response: ServerResponse,
  headers: Readonly<Record<string, string | number>>,
  body: string,
): Promise<void> {
  if (manner === 'slow') await pause(SLOW_MS, undefined, { ref: false })
  const sent = manner === 'garbage' ? GARBAGE : body
  response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(sent) })
  if (manner !== 'cut') return void response.end(sent)
  const bytes = Buffer.from(sent)
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy())
}
