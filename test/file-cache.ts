/**
 * What test helpers keep between calls. Test files share a process (vitest.config.ts), so a helper's module lives longer than one
 * file. Everything it keeps is therefore a cache from here, and all of them are emptied together before each file: a certificate
 * never outlives the key that it was made with. `kept-state.test.ts` finds helpers that keep something else.
 */

const caches: Map<unknown, unknown>[] = []

/** A cache that is empty when a test file starts. */
export function cacheForFile<Key, Value>(): Map<Key, Value> {
  const cache = new Map<Key, Value>()
  caches.push(cache)
  return cache
}

export function emptyCaches(): void {
  for (const cache of caches) cache.clear()
}
