/** Rules and VM groups with numbers for names; a group is a rule "apart" that xapi keeps where it can. */
import type { Pool, Vm } from '../document/pool-document.js'
import { type CompiledRule, NOWHERE } from './compiled-pool.js'

interface Numbers {
  readonly vms: readonly Vm[]
  readonly hostNumbers: ReadonlyMap<string, number>
  readonly vmNumbers: ReadonlyMap<string, number>
}

/** Compiles rules in an order that does not depend on the order of the document. */
export function compileRules({ rules }: Pool, numbers: Numbers): readonly CompiledRule[] {
  const stated = rules.map((rule, index): CompiledRule => {
    const hosts = new Uint8Array(numbers.hostNumbers.size)
    for (const uuid of rule.hosts ?? []) hosts[numbers.hostNumbers.get(uuid) ?? NOWHERE] = 1
    return {
      kind: rule.kind,
      must: rule.strength === 'must',
      isGroup: false,
      vms: membersOf(rule.vms, numbers),
      hosts,
      name: `rules[${index}]`,
    }
  })
  return [...stated, ...groups(numbers)].toSorted((one, other) => compareText(keyOf(one), keyOf(other)))
}

function membersOf(uuids: readonly string[], { vmNumbers }: Numbers): Int32Array {
  return Int32Array.from(new Set(uuids.map((uuid) => vmNumbers.get(uuid) ?? NOWHERE))).sort()
}

/** Paused members of a group do not count (xapi_vm_group_helpers.ml). */
function groups({ vms, hostNumbers }: Numbers): CompiledRule[] {
  const members = new Map<string, number[]>()
  for (const [v, { group, state }] of vms.entries()) {
    if (group === undefined || state === 'paused') continue
    const known = members.get(group)
    if (known) known.push(v)
    else members.set(group, [v])
  }
  return [...members].map(([name, numbers]) => ({
    kind: 'apart',
    must: false,
    isGroup: true,
    vms: Int32Array.from(numbers),
    hosts: new Uint8Array(hostNumbers.size),
    name: `group ${name}`,
  }))
}

/** What a rule says, without its place in the document. */
function keyOf({ kind, must, isGroup, vms, hosts, name }: CompiledRule): string {
  return JSON.stringify([kind, must, isGroup, vms.join(), hosts.join(), isGroup ? name : ''])
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
