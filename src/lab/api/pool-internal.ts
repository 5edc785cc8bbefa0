/**
 * Calls between hosts of a pool. The first group is XenAPI's own; the names that begin with `lab.` stand for a pool's
 * remote database and are answered only to a caller that sends the pool secret (docs/protocol/pool.md).
 */
import { z } from 'zod'
import { ApiFailure, type ApiValue, NULL_REF } from '../../xapi/index.js'
import { decodeCommand, encodeResult } from '../certificates/distribution-command.js'
import { carryOut, tidyStores } from '../certificates/trust-store.js'
import { parseImage } from '../database/database.js'
import { type Coordinator, HostUnreachable, type LabHost } from '../host/host.js'
import { writeAllegiance } from '../host/host-files.js'
import { acceptHandover, handOverFinished } from '../host/roles.js'
import { readHostFacts } from '../vms/published/pool-facts.js'
import { placeOfVm } from '../vms/published/vm-place.js'
import { fetchWlbSettings } from '../wlb/wlb-settings.js'
import { type Call, type Method, poolInternal } from './method.js'

export const POOL_INTERNAL_METHODS: readonly [string, Method][] = [
  ['host.cert_distrib_atom', poolInternal(2, 'here', distribute)],
  ['host.certificate_sync', poolInternal(1, 'here', tidy)],
]

async function distribute({ host, args }: Call): Promise<ApiValue> {
  return encodeResult(await carryOut(host.layout, decodeCommand(args.text(1, 'command'))))
}

async function tidy({ host }: Call): Promise<ApiValue> {
  await tidyStores(host.layout)
  return ''
}

/** Answers a `lab.` call. @throws ApiFailure */
export async function answerLabCall(host: LabHost, method: string, params: readonly ApiValue[]): Promise<ApiValue> {
  const text = (index: number) => String(params[index] ?? '')
  switch (method) {
    case 'lab.claim':
      return claimOf(host)
    case 'lab.check_session': {
      const session = coordinatorOf(host).sessions.find(text(0))
      return session?.isReadOnly ? 'read-only' : (session?.kind ?? '')
    }
    case 'lab.login': {
      const { sessions, hostRef } = coordinatorOf(host)
      return sessions.open('user', hostRef, text(0)).ref
    }
    case 'lab.wlb_settings':
      coordinatorOf(host)
      return { ...(await fetchWlbSettings(host, text(0) === 'checked' ? 'checked' : 'as-is')) }
    case 'lab.load_facts':
      return JSON.stringify(readHostFacts(coordinatorOf(host).database, text(0)))
    case 'lab.vm_place':
      return JSON.stringify(placeOfVm(coordinatorOf(host).database, text(0)))
    case 'lab.finish_task': {
      finishTask(coordinatorOf(host), text(0), params.slice(1).map(String))
      return ''
    }
    case 'lab.prepare':
      await acceptHandover(host, parseImage(text(0)))
      return ''
    case 'lab.take_over':
      await handOverFinished(host)
      return ''
    case 'lab.follow':
      await writeAllegiance(host.layout, { kind: 'member', coordinatorAddress: text(0) })
      await host.becomeMember(text(0))
      return ''
    default:
      throw new ApiFailure('MESSAGE_METHOD_UNKNOWN', [method])
  }
}

interface Claim {
  readonly role: 'coordinator' | 'member'
  readonly generation: number
  readonly coordinatorAddress: string
}

function claimOf({ role, settings }: LabHost): ApiValue {
  return role.kind === 'coordinator'
    ? { role: role.kind, generation: BigInt(role.database.generation), coordinatorAddress: settings.address }
    : { role: role.kind, generation: 0n, coordinatorAddress: role.coordinatorAddress }
}

const claimSchema = z.object({
  role: z.enum(['coordinator', 'member']),
  generation: z.bigint().transform(Number),
  coordinatorAddress: z.string(),
})

/** Asks another host for its role; undefined when it does not answer. */
export async function askForClaim(host: LabHost, address: string): Promise<Claim | undefined> {
  try {
    return claimSchema.parse(await host.callPool(address, 'lab.claim', []))
  } catch (error) {
    if (error instanceof HostUnreachable) return undefined
    throw error
  }
}

/** Records how a task ended: `failure` is empty after a success, otherwise a code and its parameters. */
export function finishTask({ database }: Coordinator, ref: string, failure: readonly string[]): void {
  if (ref === '' || ref === NULL_REF || !database.find('task', ref)) return
  const failed = failure.length > 0
  database.update('task', ref, {
    status: failed ? 'failure' : 'success',
    progress: 1,
    finished: new Date(),
    error_info: failure,
  })
}

function coordinatorOf(host: LabHost): Coordinator {
  if (host.role.kind === 'member') throw new ApiFailure('HOST_IS_SLAVE', [host.role.coordinatorAddress])
  return host.role
}
