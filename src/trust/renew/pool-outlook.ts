/**
 * What the pools of an appliance would say of another certificate, before it is put in place: a pool that verifies and does not
 * trust it is cut off from that moment. Everything is read, nothing is changed.
 */
import type { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { mapBounded } from '../../base/bounded.js'
import { WlbError } from '../../base/error.js'
import { isSameEnd } from '../../identity/index.js'
import { explainRefusal, formatWlbAddress, type HostFacts, withPool } from '../../xapi/index.js'
import type { Connection } from '../connection/connection.js'
import type { FleetMember } from '../connection/fleet.js'
import { observe } from '../connection/observe.js'
import { predict } from '../connection/predict.js'
import { errorText } from '../diagnose/wording.js'
import { readKnownCertificates } from '../run/journal-records.js'

export interface PoolOutlook {
  readonly uuid: string
  /** Its name; empty where it could not be asked. */
  readonly name: string
  /** `https://ADDRESS` of its coordinator, as `--pool` takes it; empty where that is not known. */
  readonly url: string
  /**
   * `accepts`: every live host would go on. `refuses`: a host that goes on now would not. `refuses already`: those that would
   * refuse it refuse the one in place too. `not verifying`: any certificate will do. `unknown`: it cannot be told.
   */
  readonly outlook: 'accepts' | 'refuses' | 'refuses already' | 'not verifying' | 'unknown'
  /** Why, in a few words; empty where it accepts. */
  readonly why: string
}

export interface OutlookQuestion {
  /** What is served now, leaf first; empty where there is nothing. */
  readonly present: readonly X509Certificate[]
  /** What would be served, leaf first. */
  readonly next: readonly X509Certificate[]
  readonly now: Date
  /** For pools of which it is not known whether they use this appliance: others are left out. All are, where it is not given. */
  readonly isTheirs?: (connection: Connection) => boolean
}

/** As it goes over a control socket. */
export const POOL_OUTLOOKS = z.object({
  pools: z.array(
    z.object({
      uuid: z.string(),
      name: z.string(),
      url: z.string(),
      outlook: z.enum(['accepts', 'refuses', 'refuses already', 'not verifying', 'unknown']),
      why: z.string(),
    }),
  ),
})

const AT_ONCE = 8

/** In the order of `members`. A pool that cannot be asked is `unknown`; a defect of ours is thrown. */
export async function readPoolOutlooks(
  members: readonly FleetMember[],
  question: OutlookQuestion,
): Promise<readonly PoolOutlook[]> {
  const outlooks = await mapBounded(members, AT_ONCE, (member) => readOutlook(member, question))
  return outlooks.filter((outlook) => outlook !== undefined)
}

async function readOutlook(member: FleetMember, question: OutlookQuestion): Promise<PoolOutlook | undefined> {
  const uuid = member.name
  let url = ''
  try {
    const access = await member.access()
    url = `https://${formatWlbAddress({ host: access.address, port: access.port })}`
    return await withPool(access, async (session) => {
      const known = [...question.present, ...question.next, ...(await readKnownCertificates().catch(() => []))]
      const connection = await observe(session, { now: question.now, known, appliance: member.appliance })
      if (question.isTheirs?.(connection) === false) return undefined
      return { uuid, url, name: connection.pool.name, ...outlookOf(connection, question) }
    })
  } catch (caught) {
    const error = explainRefusal(caught, 'see what the pool trusts')
    if (!(error instanceof WlbError)) throw error
    if (question.isTheirs && error.code === 'APPLIANCE_UNKNOWN') return undefined // it uses none
    return { uuid, url, name: '', outlook: 'unknown', why: `it could not be asked: ${error.message} [${error.code}]` }
  }
}

/** Hosts that are down are judged too: they come back. */
function outlookOf(connection: Connection, question: OutlookQuestion): Pick<PoolOutlook, 'outlook' | 'why'> {
  const { pool, hosts } = connection
  if (pool.wlbUrl === '') return { outlook: 'not verifying', why: 'it is not connected' }
  if (!pool.verifies) return { outlook: 'not verifying', why: 'its verification is off' }
  const found = hosts.map((host) => ({ host, ...outlookOfHost(connection, host, question) }))
  for (const outlook of WORST_FIRST) {
    const [first] = found.filter((one) => one.outlook === outlook)
    if (first) return { outlook, why: first.why && `${first.host.name}: ${first.why}` }
  }
  return { outlook: 'accepts', why: '' }
}

const WORST_FIRST = ['refuses', 'unknown', 'refuses already'] as const

function outlookOfHost(
  connection: Connection,
  host: HostFacts,
  { present, next }: OutlookQuestion,
): Pick<PoolOutlook, 'outlook' | 'why'> {
  const then = predict(connection, host, { presented: next })
  switch (then.kind) {
    case 'accepted':
      return { outlook: 'accepts', why: '' }
    case 'unknown':
      // what it trusts is not known here, and it is asked for nothing new
      if (isSameEnd(present, next)) return { outlook: 'accepts', why: '' }
      return { outlook: 'unknown', why: then.why }
    case 'refused': {
      const today = present.length === 0 ? undefined : predict(connection, host, { presented: present })
      return { outlook: today?.kind === 'refused' ? 'refuses already' : 'refuses', why: errorText(then.error) }
    }
  }
}
