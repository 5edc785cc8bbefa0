/** What a row of the pool works on: the lab as it is, and which of its hosts are meant. */
import { X509Certificate } from 'node:crypto'
import { WlbError } from '../../../base/error.js'
import type { RecordChanges, Records } from '../../database/records.js'
import { type HostLayout, layoutOf } from '../../host/layout.js'
import { tellHost } from '../../launcher/host-control.js'
import { hostRoot, type KnownHost } from '../../launcher/lab-file.js'

export interface PoolStage {
  readonly root: string
  /** By the coordinator's clock. */
  readonly now: Date
  readonly hosts: readonly KnownHost[]
  readonly coordinator: KnownHost
  /** The one that was named, where one was. */
  readonly host: KnownHost | undefined
  readonly variant: string | undefined
  readonly records: Records
}

/** Which hosts a row is about when none is named: all, one member, the coordinator; `pool` is no host's business. */
export type Scope = 'every host' | 'a member' | 'the coordinator' | 'pool'

/** What a row changes, and what is put back: nothing else of the lab is touched. */
export type Part = 'stores' | 'names' | 'conditions' | 'records'

export interface PoolFault {
  readonly row: number
  readonly scope: Scope
  readonly parts: readonly Part[]
  /** What happens, in one line. */
  readonly what: string
  /** Other forms of the row; the first one is taken where none is named. */
  readonly variants?: readonly string[]
  inject(stage: PoolStage): Promise<void>
}

export function layoutFor({ root }: Pick<PoolStage, 'root'>, { name }: KnownHost): HostLayout {
  return layoutOf(hostRoot(root, name))
}

/**
 * The hosts a row of that scope is injected on.
 *
 * @throws LAB_FAULT_HOST_UNFIT when the host named, or the lab, has no part in such a row.
 */
export function targetsOf(stage: PoolStage, scope: Scope): readonly KnownHost[] {
  const { host, hosts, coordinator } = stage
  switch (scope) {
    case 'pool':
      if (host) throw unfit('It belongs to the pool as a whole, and to no host of it.', host.name)
      return hosts
    case 'every host':
      return host ? [host] : hosts
    case 'the coordinator':
      return [host ?? coordinator]
    case 'a member': {
      const member = host ?? hosts.findLast(({ uuid }) => uuid !== coordinator.uuid)
      if (!member || member.uuid === coordinator.uuid) throw unfit('It belongs to a member.', coordinator.name)
      return [member]
    }
  }
}

export async function changeRecords({ root, coordinator }: PoolStage, changes: RecordChanges): Promise<void> {
  await tellHost(hostRoot(root, coordinator.name), '/lab/records', JSON.stringify(changes))
}

/** The pool has one record of its own. */
export function poolRecord({ records }: PoolStage): { readonly ref: string; readonly record: Records['pool'][string] } {
  const [first] = Object.entries(records.pool)
  if (!first) throw new Error('a database without a pool')
  return { ref: first[0], record: first[1] }
}

/** References of the certificates the pool has by name. */
export function installedRefs({ records }: PoolStage, name?: string): string[] {
  return Object.entries(records.Certificate).flatMap(([ref, record]) =>
    record.type === 'ca' && record.name !== '' && (name === undefined || record.name === name) ? [ref] : [],
  )
}

export function parseCertificate(bytes: Buffer | string): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes)
  } catch {
    return undefined
  }
}

function unfit(message: string, host: string): WlbError {
  return new WlbError(
    'LAB_FAULT_HOST_UNFIT',
    `That fault cannot be injected there. ${message}`,
    { host },
    'wlb lab fault list',
  )
}
