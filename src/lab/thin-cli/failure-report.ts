/** Reports to the client why a command failed, as a pool does (docs/protocol/thin-cli.md, errors). */
import { ApiFailure, isRegistered, renderApiFailure } from '../../xapi/index.js'
import type { Rpc } from './command.js'
import { Refusal, type RefusalReason } from './command-line.js'
import type { Conversation } from './conversation.js'

/** Readable names for the references in the failure's parameters. */
export type KnownObjects = ReadonlyMap<string, string>

const USAGE_HINT = "For usage run: 'xe help'"

/** Classes whose objects turn up in failures; the wire does not say which one a reference belongs to. */
const NAMED_CLASSES = ['host', 'pool', 'VM', 'Certificate', 'SR', 'VDI', 'network', 'VM_group', 'task', 'secret']

/** A failure in one text, as it stands behind the object that it befell. */
export async function failureText(error: unknown, rpc: Rpc): Promise<string> {
  if (!(error instanceof ApiFailure)) return `INTERNAL_ERROR: [ ${textOf(error)} ]`
  if (!isRegistered(error.code)) return `${error.code}: [ ${error.params.join('; ')} ]`
  const known = await describeObjects(error, rpc)
  return renderApiFailure(error, (value) => known.get(value)).join('\n')
}

/** Prints the failure; the status that ends the conversation is the caller's to send. */
export async function reportFailure(conversation: Conversation, error: unknown, known: KnownObjects): Promise<void> {
  if (error instanceof Refusal) await reportRefusal(conversation, error.reason)
  else if (error instanceof ApiFailure) await reportApiFailure(conversation, error, known)
  else await reportApiFailure(conversation, new ApiFailure('INTERNAL_ERROR', [textOf(error)]), known)
}

/** Why a VM cannot start on a host, in few words, as in the table of all hosts (cli_operations.ml). */
export async function reasonInShort(error: unknown, rpc: Rpc): Promise<string> {
  if (!(error instanceof ApiFailure)) return textOf(error)
  const known = await describeObjects(error, rpc)
  const [first = '', second = ''] = error.params.map((value) => known.get(value) ?? value)
  switch (error.code) {
    case 'VM_REQUIRES_SR':
      return `VM requires access to SR: ${second}`
    case 'VM_REQUIRES_NETWORK':
      return `VM requires access to network: ${second}`
    case 'HOST_DISABLED':
      return "Host disabled (use 'xe host-enable' to re-enable)"
    case 'HOST_NOT_LIVE':
      return 'Host down'
    case 'HOST_NOT_ENOUGH_FREE_MEMORY':
      return 'Not enough free memory'
    case 'HOST_NOT_ENOUGH_PCPUS':
      return `Not enough CPUs (VM needs ${first}, but host has ${second})`
    case 'VM_HVM_REQUIRED':
      return 'HVM not supported'
    default:
      return `Server_error(${error.code}, [ ${error.params.join('; ')} ])`
  }
}

/** Prints what `--trace` adds. */
export async function reportTrace(conversation: Conversation, error: unknown): Promise<void> {
  const raised =
    error instanceof ApiFailure ? `Server_error(${error.code}, [ ${error.params.join('; ')} ])` : textOf(error)
  await conversation.printError(`Raised ${raised}`)
  await conversation.printError('Backtrace:')
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').slice(1) : []
  await conversation.printError(frames.map((frame) => frame.trim()).join('\n'))
}

/** Looks up every reference in the failure while the command's session is still valid. */
export async function describeObjects(error: unknown, rpc: Rpc): Promise<KnownObjects> {
  const known = new Map<string, string>()
  if (!(error instanceof ApiFailure)) return known
  for (const value of error.params.filter((candidate) => candidate.startsWith('OpaqueRef:'))) {
    const words = await describeObject(value, rpc)
    if (words) known.set(value, words)
  }
  return known
}

async function describeObject(ref: string, rpc: Rpc): Promise<string | undefined> {
  for (const className of NAMED_CLASSES) {
    const record = await rpc(`${className}.get_record`, ref).catch(() => undefined)
    if (typeof record !== 'object' || !('uuid' in record)) continue
    const name = 'name_label' in record ? ` (${record.name_label})` : ''
    return `${record.uuid}${name}`
  }
  return undefined
}

async function reportRefusal(conversation: Conversation, reason: RefusalReason): Promise<void> {
  switch (reason.kind) {
    case 'error':
      return conversation.printError(`Error: ${reason.text}`)
    case 'usage':
      await conversation.printError(reason.text)
      return conversation.printError(USAGE_HINT)
    case 'no-such-parameter':
      return conversation.send({ name: 'Error', code: 'Missing parameter', params: [reason.name] })
    case 'several':
      for (const [uuid, text] of reason.failures) {
        await conversation.send({ name: 'Print', text: `operation failed on ${uuid}: ${text}` })
      }
      return
    case 'exit':
      return conversation.send({ name: 'Exit', status: reason.status })
  }
}

async function reportApiFailure(conversation: Conversation, failure: ApiFailure, known: KnownObjects): Promise<void> {
  if (failure.code === 'SESSION_AUTHENTICATION_FAILED') {
    const userName = failure.params[0] ?? ''
    const text = userName === '' ? 'Username/password must be specified' : 'Authentication failed'
    return reportRefusal(conversation, { kind: 'usage', text })
  }
  if (isRegistered(failure.code)) {
    for (const line of renderApiFailure(failure, (value) => known.get(value))) await conversation.printError(line)
    return
  }
  const params = failure.params.map((value) => known.get(value) ?? value)
  await conversation.send({ name: 'Error', code: failure.code, params })
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
