/**
 * The thin CLI as a host serves it: one command a connection, from the banner to the status
 * (docs/protocol/thin-cli.md).
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiFailure, BANNER, PROTOCOL_VERSION, ThinCliReader } from '../../xapi/index.js'
import type { CliSession, Command, ThinCliHost } from './command.js'
import {
  type CommandLine,
  findValue,
  isSet,
  parseCommandLine,
  requireValue,
  splitBody,
  usageRefusal,
} from './command-line.js'
import { COMMANDS, printHelp } from './commands.js'
import { ClientGone, Conversation, openPrinter } from './conversation.js'
import { describeObjects, type KnownObjects, reportFailure, reportTrace } from './failure-report.js'

/**
 * Serves one conversation on a connection whose HTTP request has been read. Ends its own side and resolves when the
 * conversation is over; it never throws.
 */
export async function serveThinCli(stream: Duplex, body: Buffer, host: ThinCliHost): Promise<void> {
  const conversation = new Conversation(stream)
  try {
    if (await conversation.greet()) await converse(conversation, stream, body, host)
  } catch {
    // Only a client that has disconnected, perhaps in the middle of a frame, leads here.
  } finally {
    await conversation.end()
  }
}

/** What a failure's report needs to know about the command that failed. */
interface Progress {
  line?: CommandLine
  known: KnownObjects
}

async function converse(conversation: Conversation, stream: Duplex, body: Buffer, host: ThinCliHost): Promise<void> {
  const progress: Progress = { known: new Map() }
  try {
    await execute(conversation, stream, body, host, progress)
  } catch (error) {
    if (error instanceof ClientGone) throw error
    await fail(conversation, error, progress)
  }
}

async function fail(conversation: Conversation, error: unknown, { line, known }: Progress): Promise<void> {
  await reportFailure(conversation, error, known)
  try {
    if (line && isSet(line.parameters, 'trace')) await reportTrace(conversation, error)
  } catch (second) {
    await reportFailure(conversation, second, known)
  }
  await conversation.send({ name: 'Exit', status: 1 })
}

async function execute(
  conversation: Conversation,
  stream: Duplex,
  body: Buffer,
  host: ThinCliHost,
  progress: Progress,
): Promise<void> {
  const { sessionRef, args } = splitBody(body)
  const line = parseCommandLine(args)
  progress.line = line
  const isMinimal = readMinimal(line)
  if (line.name === 'help') {
    const printer = openPrinter(conversation, isMinimal)
    await printHelp(line.parameters, printer, isMinimal)
    await printer.flush()
    return conversation.send({ name: 'Exit', status: 0 })
  }

  const command = COMMANDS.get(line.name)
  if (!command) throw usageRefusal(`Unknown command: ${line.name}`)
  for (const key of command.required) requireValue(line.parameters, key)

  const role = host.role()
  const session = await openSession(host, command, line, sessionRef)
  try {
    if (role.kind === 'member' && !command.flags.includes('never-forward')) {
      if (host.origin === 'network') throw new ApiFailure('HOST_IS_SLAVE', [role.coordinatorAddress])
      await forwardToCoordinator(conversation, stream, await host.forward(Buffer.from(args.join('\r\n')), session.ref))
      return
    }
    const printer = openPrinter(conversation, isMinimal)
    const { ref, rpc } = session
    await command.run({ parameters: line.parameters, rpc, sessionRef: ref, printer, conversation, host })
    await printer.flush()
    await conversation.send({ name: 'Exit', status: 0 })
  } catch (error) {
    progress.known = await describeObjects(error, session.rpc)
    throw error
  } finally {
    // A session that the client brought stays open.
    if (sessionRef === undefined) await session.logout().catch(() => {})
  }
}

async function openSession(
  host: ThinCliHost,
  command: Command,
  { parameters }: CommandLine,
  sessionRef: string | undefined,
): Promise<CliSession> {
  if (sessionRef !== undefined) return host.attach(sessionRef)
  const userName = findValue(parameters, 'username') ?? ''
  const password = findValue(parameters, 'password') ?? ''
  const isLocal = command.flags.includes('local-session')
  try {
    return await (isLocal ? host.localLogin(userName, password) : host.login(userName, password))
  } catch (error) {
    if (error instanceof ApiFailure && error.code === 'SESSION_AUTHENTICATION_FAILED') {
      await sleep(host.refusalDelayMs ?? 0)
    }
    throw error
  }
}

/** Stricter than other flags: these two words only, and anything else counts as a failure of the server. */
function readMinimal({ parameters }: CommandLine): boolean {
  const value = findValue(parameters, 'minimal') ?? 'false'
  if (value !== 'true' && value !== 'false') throw new Error('INTERNAL_ERROR: [ Invalid_argument("bool_of_string") ]')
  return value === 'true'
}

/**
 * Forwards a command that was typed on a member: greets the coordinator in the client's place, then connects both
 * streams until the coordinator has ended. Closes the coordinator's connection; the caller ends the client's.
 */
async function forwardToCoordinator(conversation: Conversation, client: Duplex, coordinator: Duplex): Promise<void> {
  // The end of each side is seen as `close`; its reason does not matter.
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
