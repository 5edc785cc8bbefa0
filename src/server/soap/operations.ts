/** From a request's body to an answer's: what the appliance does for each of the protocol's methods. */
import { WlbError } from '../../base/error.js'
import type { Log } from '../../config/log.js'
import {
  applyChanges,
  completeConfiguration,
  decodeRequest,
  encodeFault,
  encodeRefusal,
  encodeReply,
  type MethodName,
  type WlbCall,
} from '../../wlb/index.js'
import { type RegistrationDesk, registerPool } from './registration.js'

export interface Office extends RegistrationDesk {
  readonly log: Log
  /** What diagnostics say, as text. */
  readonly describe: () => Promise<string>
}

/** The answer, and what the log says about it. */
export interface Answer {
  readonly xml: string
  readonly method: string
  readonly outcome: string
  readonly poolUuid?: string
}

/** Clients switch features by the first two numbers; from 6.5 on all of them are there. */
const WLB_VERSION = '10.1'

/** Answers a request; whatever is wrong with it or with us becomes an answer too. */
export async function answerRequest(body: Uint8Array, office: Office): Promise<Answer> {
  let method = 'unknown'
  try {
    const decoded = decodeRequest(body)
    method = decoded.kind === 'call' ? decoded.call.method : decoded.method
    switch (decoded.kind) {
      case 'unknown-method':
        return fault('Sender', `Unknown method ${method}`, method.slice(0, 100))
      case 'invalid':
        return refusal(decoded.method, decoded.code, decoded.message)
      case 'call':
        return await perform(decoded.call, office)
    }
  } catch (error) {
    if (error instanceof WlbError && /^(XML|SOAP)_/.test(error.code))
      return fault('Sender', `${error.message} ${describeFacts(error)}`, method)
    office.log.error({ err: error, method }, 'a request could not be answered')
    return fault('Receiver', 'The appliance could not do what was asked; its log says why', method)
  }
}

async function perform(call: WlbCall, office: Office): Promise<Answer> {
  switch (call.method) {
    case 'AddXenServer': {
      const { poolUuid } = call.request
      const result = await registerPool(call.request, office)
      if (result.state === 'refused') return refusal(call.method, result.code, result.message, poolUuid)
      const xml = encodeReply({ method: call.method, result: { id: String(result.id) } })
      return { xml, method: call.method, outcome: 'ok', poolUuid }
    }
    case 'RemoveXenServer': {
      // A pool not known here is as gone as it wants to be: pools forget us without telling, and tell us twice.
      const { poolUuid } = call.request
      await office.pools.remove(poolUuid)
      return { xml: encodeReply({ method: call.method, result: {} }), method: call.method, outcome: 'ok', poolUuid }
    }
    case 'GetXenPoolConfiguration':
      return await getConfiguration(call.request.poolUuid, office)
    case 'SetXenPoolConfiguration':
      return await setConfiguration(call.request, office)
    case 'GetDiagnostics': {
      const xml = encodeReply({ method: call.method, result: { text: await office.describe() } })
      return { xml, method: call.method, outcome: 'ok' }
    }
    case 'VMGetRecommendations':
    case 'HostGetRecommendations':
    case 'GetOptimizationRecommendations':
    case 'ExecuteReport':
      return fault('Receiver', `${call.method} is not offered by this version of OpenWLB`, call.method)
  }
}

async function getConfiguration(poolUuid: string, { pools }: Office): Promise<Answer> {
  const method = 'GetXenPoolConfiguration'
  const found = await pools.findWithConfiguration(poolUuid)
  if (!found) return unknownPool(method, poolUuid)
  const entries = [...completeConfiguration(found.stored, found.pool.hostUuids, WLB_VERSION)]
  return { xml: encodeReply({ method, result: { entries } }), method, outcome: 'ok', poolUuid }
}

async function setConfiguration(
  { poolUuid, entries }: Extract<WlbCall, { method: 'SetXenPoolConfiguration' }>['request'],
  { pools }: Office,
): Promise<Answer> {
  const method = 'SetXenPoolConfiguration'
  const change = await pools.changeConfiguration<ReturnType<typeof applyChanges>>(poolUuid, ({ hostUuids }, stored) => {
    const current = completeConfiguration(stored, hostUuids, WLB_VERSION)
    const outcome = applyChanges(current, entries, hostUuids)
    return outcome.state === 'changed' ? { outcome, configuration: outcome.configuration } : { outcome }
  })
  if (!change) return unknownPool(method, poolUuid)
  if (change.state === 'refused') return refusal(method, change.code, change.message, poolUuid)
  return { xml: encodeReply({ method, result: {} }), method, outcome: 'ok', poolUuid }
}

function unknownPool(method: MethodName, poolUuid: string): Answer {
  return refusal(method, 4015, `Pool ${poolUuid} is not registered here`, poolUuid)
}

function refusal(method: MethodName, code: number, message: string, poolUuid?: string): Answer {
  const xml = encodeRefusal(method, code, message)
  return { xml, method, outcome: String(code), ...(poolUuid !== undefined && { poolUuid }) }
}

function fault(who: 'Sender' | 'Receiver', text: string, method: string): Answer {
  return { xml: encodeFault(text, who), method, outcome: 'fault' }
}

function describeFacts({ facts }: WlbError): string {
  const said = Object.entries(facts).map(([name, value]) => `${name}: ${value}`)
  return `(${said.join(', ')})`
}
