/**
 * Asks the running appliance: HTTP with JSON over the Unix socket that it keeps for the commands of its own machine
 * (server/control-socket.ts answers).
 */
import { type RequestOptions, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { z } from 'zod'
import { WlbError } from '../base/error.js'
import { systemCode, touching } from '../base/files/file-failure.js'
import { shortenSocketPath } from '../base/files/local-socket.js'
import { fail } from './errors.js'

const ANSWER_TIMEOUT_MS = 5000

/**
 * Asks the running appliance. Undefined when none runs. `body` is sent as JSON.
 *
 * @throws APPLIANCE_SILENT when one runs and does not answer.
 */
export async function askAppliance(
  path: string,
  method = 'GET',
  url = '/status',
  timeoutMs = ANSWER_TIMEOUT_MS,
  body?: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  let place: ReturnType<typeof shortenSocketPath>
  try {
    place = shortenSocketPath(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    return await touching(path, () => Promise.reject(error))
  }
  try {
    return await touching(path, () => ask({ socketPath: place.path }, method, url, timeoutMs, body))
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ECONNREFUSED') return undefined
    if (error instanceof WlbError) throw error
    throw fail('APPLIANCE_SILENT', { socket: path, why: error instanceof Error ? error.message : String(error) }, error)
  } finally {
    place.close()
  }
}

/** Whoever holds the socket's name may not be an appliance. */
const ANSWER_LIMIT_CHARACTERS = 16 * 1024 * 1024

/** Asks the running appliance of another machine, over a connection to its socket there. Whatever goes wrong is thrown. */
export function askApplianceOver(
  socket: Duplex,
  method: string,
  url: string,
  timeoutMs: number,
  body?: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  return ask({ createConnection: () => socket }, method, url, timeoutMs, body)
}

async function ask(
  way: Pick<RequestOptions, 'socketPath' | 'createConnection'>,
  method: string,
  path: string,
  timeoutMs: number,
  sent: Readonly<Record<string, unknown>> | undefined,
): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs)
  const text = await new Promise<string>((resolve, reject) => {
    request({ ...way, method, path, signal }, async (response) => {
      let body = ''
      try {
        for await (const piece of response.setEncoding('utf8')) {
          body += piece
          if (body.length > ANSWER_LIMIT_CHARACTERS) throw new Error('the answer has no end')
        }
        if (response.statusCode === 200) resolve(body)
        else reject(new Error(reasonIn(body) ?? `status ${response.statusCode}`))
      } catch (error) {
        reject(error)
      }
    })
      .once('error', reject)
      .end(sent && JSON.stringify(sent))
  })
  return JSON.parse(text)
}

function reasonIn(body: string): string | undefined {
  const { why }: { why?: unknown } = JSON.parse(body)
  return typeof why === 'string' ? why : undefined
}

const RELOADED = z.object({
  address: z.string(),
  port: z.number(),
  /** Of the leaf in service now. */
  fingerprintSha256: z.string(),
  /** Why what is on disk is not in service. */
  refused: z
    .object({
      code: z.string(),
      message: z.string(),
      facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      remedy: z.string(),
    })
    .nullable(),
})
export type Reloaded = Readonly<z.infer<typeof RELOADED>>

/** Reads the answer to `POST /reload`. */
export function readReloaded(answer: unknown): Reloaded {
  return RELOADED.parse(answer)
}

export function describeRefusal(error: unknown): NonNullable<Reloaded['refused']> {
  if (error instanceof WlbError) {
    const { code, message, facts, remedy } = error
    return { code, message, facts: { ...facts }, remedy }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'INTERNAL_ERROR', message, facts: {}, remedy: '' }
}
