/** Largest first, each on the host with the most memory left: how xapi plans restarts and evacuations (binpack.ml). */

export interface Item {
  readonly vm: string
  readonly bytes: number
}

/** Returns where each VM goes; one that fits nowhere is left out. */
export function pack(items: readonly Item[], freeBytes: ReadonlyMap<string, number>): Map<string, string> {
  const free = new Map(freeBytes)
  const plan = new Map<string, string>()
  for (const { vm, bytes } of items.toSorted((a, b) => b.bytes - a.bytes)) {
    const [roomiest] = [...free].sort(([, a], [, b]) => b - a)
    if (!roomiest || roomiest[1] < bytes) continue
    free.set(roomiest[0], roomiest[1] - bytes)
    plan.set(vm, roomiest[0])
  }
  return plan
}

/**
 * Members of groups that are to be apart come first, the smallest first, each to the host with the fewest members of its group
 * and then the least memory that is enough; the others follow as in `pack`. Undefined where not all of them fit.
 */
export function packApart(
  items: readonly (Item & { readonly group?: string | undefined })[],
  freeBytes: ReadonlyMap<string, number>,
  membersOn: (group: string, host: string) => number,
): Map<string, string> | undefined {
  const free = new Map(freeBytes)
  const plan = new Map<string, string>()
  const added = new Map<string, number>()
  const key = (group: string, host: string) => `${group} ${host}`
  const members = (group: string, host: string) => membersOn(group, host) + (added.get(key(group, host)) ?? 0)
  for (const { vm, bytes, group } of items.toSorted((a, b) => a.bytes - b.bytes)) {
    if (group === undefined) continue
    const [best] = [...free]
      .filter(([, left]) => left >= bytes)
      .sort(([one, a], [other, b]) => members(group, one) - members(group, other) || a - b)
    if (!best) return undefined
    free.set(best[0], best[1] - bytes)
    added.set(key(group, best[0]), (added.get(key(group, best[0])) ?? 0) + 1)
    plan.set(vm, best[0])
  }
  const rest = items.filter(({ group }) => group === undefined)
  const packed = pack(rest, free)
  return packed.size === rest.length ? new Map([...plan, ...packed]) : undefined
}
