/** Numbers that look random and depend on a key and an index alone, so that every process computes the same ones without state. */

/** Makes a key of 32 bits from a text (FNV-1a, mixed). */
export function keyOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix(hash)
}

/** A number in [0, 1). */
export function uniform(key: number, index: number): number {
  return mix(key ^ Math.imul(index, 0x9e3779b1)) / 0x1_0000_0000
}

/** A number in [from, to). */
export function between(key: number, index: number, from: number, to: number): number {
  return from + (to - from) * uniform(key, index)
}

/**
 * A number in (-1, 1). The numbers of each `group` of neighbours add up to zero, so the mean over a whole group does not
 * contain them.
 */
export function ripple(key: number, index: number, group: number): number {
  const place = index % group
  const first = index - place
  return uniform(key, index) - uniform(key, first + ((place + 1) % group))
}

/** The finalizer of MurmurHash3: each bit of the input changes about half of the bits of the output. */
function mix(value: number): number {
  let hash = value ^ (value >>> 16)
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
