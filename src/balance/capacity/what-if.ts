/** The pool as it would be with a host more, a host less, or a rule more: a document like any other, for the same questions. */

import type { Pool, Rule } from '../document/pool-document.js'
import { asReading, type PoolReading } from '../document/read-pool.js'

export type Change =
  /** A host like one there is, empty, with another name. */
  | { readonly kind: 'add-host'; readonly like: string }
  /** The host is to be taken away: it is disabled, so that a plan empties it. */
  | { readonly kind: 'remove-host'; readonly host: string }
  | {
      readonly kind: 'add-rule'
      readonly rule: Pick<Rule, 'kind' | 'strength' | 'vms'> & { readonly hosts?: readonly string[] }
    }

/** The changed pool, or what is wrong with the change. */
export function whatIf(pool: Pool, changes: readonly Change[]): PoolReading {
  const unknown = changes.flatMap((change) => {
    const host = change.kind === 'add-host' ? change.like : change.kind === 'remove-host' ? change.host : undefined
    const isKnown = host === undefined || pool.hosts.some(({ uuid }) => uuid === host)
    return isKnown ? [] : [{ path: change.kind, problem: `${host} is no host of this document` }]
  })
  const [first, ...more] = unknown
  if (first) return { state: 'refused', problems: [first, ...more] }
  return asReading(changes.reduce(applyChange, pool))
}

function applyChange(pool: Pool, change: Change): Pool {
  switch (change.kind) {
    case 'add-host':
      return {
        ...pool,
        hosts: pool.hosts.flatMap((host) => (host.uuid === change.like ? [host, copyOf(host, pool)] : [host])),
      }
    case 'remove-host':
      return {
        ...pool,
        hosts: pool.hosts.map((host) => (host.uuid === change.host ? { ...host, enabled: false } : host)),
      }
    case 'add-rule':
      return { ...pool, rules: [...pool.rules, { ...change.rule, hosts: change.rule.hosts }] }
  }
}

function copyOf(host: Pool['hosts'][number], { hosts }: Pool): Pool['hosts'][number] {
  const taken = new Set(hosts.map(({ uuid }) => uuid))
  let number = 2
  while (taken.has(`${host.uuid}-${number}`)) number++
  return {
    ...host,
    uuid: `${host.uuid}-${number}`,
    name: `${host.name ?? host.uuid} (another one)`,
    live: true,
    enabled: true,
    base: undefined,
    excluded: [],
  }
}
