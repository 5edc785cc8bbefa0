/**
 * The door for our own commands: HTTP with JSON over a Unix socket that only the appliance's user can open. Commands ask
 * the running appliance through it and never read its database.
 */
import { chmod, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { WlbError } from '../base/error.js'
import { systemCode, touching } from '../base/file-failure.js'
import { shortenSocketPath } from '../base/local-socket.js'

export interface ControlDoor {
  close(): Promise<void>
}

const ANSWER_TIMEOUT_MS = 5000

/** What commands may ask for, each answered with a JSON document. */
export interface ControlRequests {
  readStatus(): Promise<unknown>
  forgetPool(uuid: string): Promise<unknown>
  reload(): Promise<unknown>
  /** Takes user name and password from the settings again. */
  reloadAccount(): Promise<unknown>
  /** Leaves the public address and port to something else, and says where the appliance listens instead. */
  setAside(): Promise<unknown>
  /** Undoes it. */
  bringBack(): Promise<unknown>
}

/** Answers requests. Whoever calls this holds the lock of the socket's folder, so a socket found there is a dead one. */
export async function openControlDoor(path: string, requests: ControlRequests): Promise<ControlDoor> {
  const server = createServer((incoming, response) => {
    const answer = (status: number, document: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(document))
    }
    const asked = findRequest(`${incoming.method} ${incoming.url}`, requests)
    if (!asked) return answer(404, {})
    asked().then(
      (document) => answer(200, document),
      (error: unknown) => answer(500, { why: describeFailure(error) }),
    )
  })
  await touching(path, () => rm(path, { force: true }))
  const place = shortenSocketPath(path)
  await touching(
    path,
    () =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(place.path, () => {
          server.off('error', reject).on('error', () => {})
          resolve()
        })
      }),
  )
  await chmod(path, 0o600) // its folder is the owner's alone, so nobody was quicker
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          place.close()
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

/** With the facts: who asked sees this text and nothing else of the error. */
function describeFailure(error: unknown): string {
  if (!(error instanceof WlbError)) return error instanceof Error ? error.message : String(error)
  const facts = Object.entries(error.facts).map(([name, value]) => `${name} ${value}`)
  return `${error.message} (${facts.join(', ')})`
}

function findRequest(line: string, requests: ControlRequests): (() => Promise<unknown>) | undefined {
  const [, uuid] = /^DELETE \/pools\/([0-9a-f-]+)$/.exec(line) ?? []
  if (uuid !== undefined) return () => requests.forgetPool(uuid)
  switch (line) {
    case 'GET /status':
      return () => requests.readStatus()
    case 'POST /reload':
      return () => requests.reload()
    case 'POST /account':
      return () => requests.reloadAccount()
    case 'POST /listener/aside':
      return () => requests.setAside()
    case 'POST /listener/back':
      return () => requests.bringBack()
    default:
      return undefined
  }
}

/**
 * Asks the running appliance. Undefined when none runs.
 *
 * @throws APPLIANCE_SILENT when one runs and does not answer.
 */
export async function askAppliance(
  path: string,
  method = 'GET',
  url = '/status',
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<unknown> {
  let place: ReturnType<typeof shortenSocketPath>
  try {
    place = shortenSocketPath(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    return await touching(path, () => Promise.reject(error))
  }
  try {
    return await touching(path, () => ask(place.path, method, url, timeoutMs))
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ECONNREFUSED') return undefined
    if (error instanceof WlbError) throw error
    throw applianceSilent(path, error)
  } finally {
    place.close()
  }
}

async function ask(socketPath: string, method: string, path: string, timeoutMs: number): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs)
  const text = await new Promise<string>((resolve, reject) => {
    request({ socketPath, method, path, signal }, async (response) => {
      let said = ''
      try {
        for await (const piece of response.setEncoding('utf8')) said += piece
        if (response.statusCode === 200) resolve(said)
        else reject(new Error(reasonIn(said) ?? `status ${response.statusCode}`))
      } catch (error) {
        reject(error)
      }
    })
      .once('error', reject)
      .end()
  })
  return JSON.parse(text)
}

function reasonIn(said: string): string | undefined {
  const { why }: { why?: unknown } = JSON.parse(said)
  return typeof why === 'string' ? why : undefined
}

function applianceSilent(socket: string, cause: unknown): WlbError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new WlbError(
    'APPLIANCE_SILENT',
    'The appliance is running and could not answer.',
    { socket, why },
    `ss -xlp | grep ${socket}`,
    cause,
  )
}
