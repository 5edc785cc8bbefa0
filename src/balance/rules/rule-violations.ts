/** How much of a rule is broken, as a number that a step must not raise; 0 is kept. */
import { type CompiledPool, type CompiledRule, NOWHERE } from '../compiled/compiled-pool.js'

/**
 * Apart: pairs of VMs on one host. Together: pairs on different hosts. Pin and avoid: VMs where they should not be. `hostOf` says
 * where each VM is.
 */
export function violationsOf({ kind, vms, hosts }: CompiledRule, hostOf: Int32Array): number {
  if (kind === 'pin' || kind === 'avoid') {
    let misplaced = 0
    for (const v of vms) {
      const h = hostOf[v] ?? NOWHERE
      if (h !== NOWHERE && (hosts[h] === 1) === (kind === 'avoid')) misplaced++
    }
    return misplaced
  }
  const counts = countByHost(vms, hostOf)
  const pairsOnOneHost = counts.reduce((sum, count) => sum + pairs(count), 0)
  return kind === 'apart' ? pairsOnOneHost : pairs(counts.reduce((sum, count) => sum + count, 0)) - pairsOnOneHost
}

/** A VM group is breached when all its running members, two or more, are on one host (xapi_vm_group_helpers.ml). */
function isBreached({ isGroup, vms }: CompiledRule, hostOf: Int32Array): boolean {
  const counts = countByHost(vms, hostOf)
  return isGroup && counts.length === 1 && (counts[0] ?? 0) >= 2
}

/** How many of the VMs are on each host that has any. */
function countByHost(vms: Int32Array, hostOf: Int32Array): readonly number[] {
  const counts = new Map<number, number>()
  for (const v of vms) {
    const h = hostOf[v] ?? NOWHERE
    if (h !== NOWHERE) counts.set(h, (counts.get(h) ?? 0) + 1)
  }
  return [...counts.values()]
}

/** The first must rule, or group, that moving `v` to `to` makes worse. */
export function ruleMadeWorse(
  { rules, rulesOf }: Pick<CompiledPool, 'rules' | 'rulesOf'>,
  hostOf: Int32Array,
  v: number,
  to: number,
): CompiledRule | undefined {
  const concerned = (rulesOf[v] ?? []).map((number) => rules[number]).filter((rule) => rule?.must || rule?.isGroup)
  if (concerned.length === 0) return undefined
  const after = hostOf.slice()
  after[v] = to
  return concerned.find((rule) => rule !== undefined && weightOf(rule, after) > weightOf(rule, hostOf))
}

/** What must not rise: of a group the breach alone, since its spread is only preferred. */
export function weightOf(rule: CompiledRule, hostOf: Int32Array): number {
  return rule.isGroup ? Number(isBreached(rule, hostOf)) : violationsOf(rule, hostOf)
}

function pairs(count: number): number {
  return (count * (count - 1)) / 2
}
