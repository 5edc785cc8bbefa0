/** What the appliance does for each method of the protocol, and how its results become the body of an answer. */
import { WlbError } from '../../base/error.js'
import type { Log } from '../../config/index.js'
import {
  applyChanges,
  completeConfiguration,
  decodeRequest,
  encodeFault,
  encodeRefusal,
  encodeReply,
  type MethodName,
  type WlbCall,
  type WlbReply,
} from '../../wlb/index.js'
import { isDatabaseFailure } from '../database.js'
import { type RegistrationDesk, registerPool } from './registration.js'

export interface Handlers extends RegistrationDesk {
  readonly log: Log
  /** The text of the diagnostics. */
  readonly describe: () => Promise<string>
}

/** The answer, and what the log says about it. */
export interface Answer {
  readonly xml: string
  readonly method: string
  readonly outcome: string
  readonly poolUuid?: string
}

/** What came of a request, before it is encoded. */
type Outcome =
  | { readonly state: 'done'; readonly reply: WlbReply }
  /** Understood and refused; `code` is a number of RESULT_CODES. */
  | { readonly state: 'refused'; readonly method: MethodName; readonly code: number; readonly message: string }
  /** Not understood (`Sender`), or we failed (`Receiver`). */
  | { readonly state: 'fault'; readonly who: 'Sender' | 'Receiver'; readonly text: string; readonly method: string }

/** Clients switch features by the first two numbers; from 6.5 on all of them are there. */
const WLB_VERSION = '10.1'

/** Answers a request; whatever is wrong with it or with us becomes an answer too. */
export async function answerRequest(body: Uint8Array, handlers: Handlers): Promise<Answer> {
  let method = 'unknown'
  try {
    const decoded = decodeRequest(body)
    method = decoded.kind === 'call' ? decoded.call.method : decoded.method
    switch (decoded.kind) {
      case 'unknown-method':
        return encode({ state: 'fault', who: 'Sender', text: `Unknown method ${method}`, method: method.slice(0, 100) })
      case 'invalid':
        return encode({ ...decoded, state: 'refused' })
      case 'call':
        return encode(await perform(decoded.call, handlers), decoded.call)
    }
  } catch (error) {
    if (error instanceof WlbError && /^(XML|SOAP)_/.test(error.code))
      return encode({ state: 'fault', who: 'Sender', text: `${error.message} ${describeFacts(error)}`, method })
    if (isDatabaseFailure(error))
      return encode({ state: 'fault', who: 'Receiver', text: `${error.message} The appliance's log says why`, method })
    handlers.log.error({ err: error, method }, 'a request could not be answered')
    const text = 'The appliance could not do what was asked; its log says why'
    return encode({ state: 'fault', who: 'Receiver', text, method })
  }
}

/** `call` is the request that was carried out, if there was one. */
function encode(outcome: Outcome, call?: WlbCall): Answer {
  const poolUuid = call && 'poolUuid' in call.request ? call.request.poolUuid : undefined
  switch (outcome.state) {
    case 'done':
      return { xml: encodeReply(outcome.reply), method: outcome.reply.method, outcome: 'ok', poolUuid }
    case 'refused': {
      const { method, code, message } = outcome
      return { xml: encodeRefusal(method, code, message), method, outcome: String(code), poolUuid }
    }
    case 'fault':
      return { xml: encodeFault(outcome.text, outcome.who), method: outcome.method, outcome: 'fault' }
  }
}

async function perform(call: WlbCall, handlers: Handlers): Promise<Outcome> {
  const { pools } = handlers
  const { method } = call
  switch (method) {
    case 'AddXenServer': {
      const result = await registerPool(call.request, handlers)
      return result.state === 'refused'
        ? { ...result, method }
        : { state: 'done', reply: { method, result: { id: String(result.id) } } }
    }
    case 'RemoveXenServer':
      // Success for an unknown pool too: pools also remove themselves twice, or after they were forgotten here.
      await pools.remove(call.request.poolUuid)
      return { state: 'done', reply: { method, result: {} } }
    case 'GetXenPoolConfiguration': {
      const { poolUuid } = call.request
      const found = await pools.findWithConfiguration(poolUuid)
      if (!found) return unknownPool(method, poolUuid)
      const entries = [...completeConfiguration(found.stored, found.pool.hostUuids, WLB_VERSION)]
      return { state: 'done', reply: { method, result: { entries } } }
    }
    case 'SetXenPoolConfiguration': {
      const { poolUuid, entries } = call.request
      const change = await pools.changeConfiguration<ReturnType<typeof applyChanges>>(
        poolUuid,
        ({ hostUuids }, stored) => {
          const current = completeConfiguration(stored, hostUuids, WLB_VERSION)
          const outcome = applyChanges(current, entries, hostUuids)
          return outcome.state === 'changed' ? { outcome, configuration: outcome.configuration } : { outcome }
        },
      )
      if (!change) return unknownPool(method, poolUuid)
      return change.state === 'refused' ? { ...change, method } : { state: 'done', reply: { method, result: {} } }
    }
    case 'GetDiagnostics':
      return { state: 'done', reply: { method, result: { text: await handlers.describe() } } }
    case 'VMGetRecommendations':
    case 'HostGetRecommendations':
    case 'GetOptimizationRecommendations':
    case 'ExecuteReport':
      return { state: 'fault', who: 'Receiver', text: `${method} is not offered by this version of OpenWLB`, method }
  }
}

function unknownPool(method: MethodName, poolUuid: string): Outcome {
  return { state: 'refused', method, code: 4015, message: `Pool ${poolUuid} is not registered here` }
}

function describeFacts({ facts }: WlbError): string {
  const said = Object.entries(facts).map(([name, value]) => `${name}: ${value}`)
  return `(${said.join(', ')})`
}
