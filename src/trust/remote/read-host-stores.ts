/**
 * The stores of all hosts of a pool, each read by logging in to it: some hosts at a time, and one that refuses is a sentence,
 * not a failure.
 */
import { mapBounded } from '../../base/bounded.js'
import { WlbError } from '../../base/error.js'
import type { SshConnection } from '../../ssh/connection.js'
import type { SshTarget } from '../../ssh/target.js'
import type { HostFacts } from '../../xapi/pool/pool-records.js'
import { type HostStoreFacts, readHostStore } from './host-store.js'

/** What came of looking at a host's disk. */
export type StoreSight =
  | { readonly state: 'seen'; readonly store: HostStoreFacts }
  /** A clause that says why. */
  | { readonly state: 'not seen'; readonly why: string }

/** By the host's UUID: names may be given twice. */
export type StoreSights = ReadonlyMap<string, StoreSight>

export interface StoresQuestion {
  readonly user: string
  readonly port: number
  /** Where a host's files lie, for hosts of a lab: `{name}` in it is the host's. Empty for real ones. */
  readonly root: string
  /** The appliance's, as `wlb_url` has it: what it resolves to there. */
  readonly name?: string
  /** The connection is closed here. */
  readonly connect: (target: SshTarget) => Promise<SshConnection>
}

const AT_ONCE = 8

/** Reads what it is let read; `connect` decides whom to believe. A defect of ours is thrown, everything else is said. */
export async function readHostStores(
  hosts: readonly Pick<HostFacts, 'uuid' | 'name' | 'address'>[],
  question: StoresQuestion,
): Promise<StoreSights> {
  const sights = await mapBounded(hosts, AT_ONCE, async ({ uuid, name, address }): Promise<[string, StoreSight]> => {
    const target = { user: question.user, host: address, port: question.port }
    const root = question.root.replaceAll('{name}', name)
    return [uuid, await look(target, root, question)]
  })
  return new Map(sights)
}

async function look(target: SshTarget, root: string, { name, connect }: StoresQuestion): Promise<StoreSight> {
  try {
    const ssh = await connect(target)
    try {
      // in a lab all hosts are one machine, whose resolver is not theirs
      return { state: 'seen', store: await readHostStore(ssh, { root, ...(name && root === '' && { name }) }) }
    } finally {
      ssh.close()
    }
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    return { state: 'not seen', why: describe(error) }
  }
}

/** What was seen or missed stands in the facts: the fingerprint of a key nobody knows, for one. */
function describe({ message, code, facts }: WlbError): string {
  const [detail] = ['seen', 'why', 'stderr'].flatMap((fact) => facts[fact] ?? [])
  const clause = message.replace(/\.$/, '')
  return `${clause.charAt(0).toLowerCase()}${clause.slice(1)}${detail === undefined ? '' : ` (${detail})`} [${code}]`
}
