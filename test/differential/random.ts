/** Chance that can be repeated: the same seed, the same draws (mulberry32, 32 bits of state). */

export interface Random {
  /** A whole number from 0 up to, and without, `limit`. */
  below(limit: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  shuffle<T>(list: readonly T[]): T[]
}

/** `stream` tells apart the draws of one seed that must not depend on each other. */
export function createRandom(seed: number, stream: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) | 0
  const draw = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (limit: number) => Math.floor(draw() * limit)
  return {
    below,
    chance: (probability) => draw() < probability,
    pick: (list) => {
      if (list.length === 0) throw new Error('nothing to pick from')
      return list[below(list.length)]! // the list is as long as that
    },
    shuffle: (list) =>
      list
        .map((item) => ({ item, rank: draw() }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ item }) => item),
  }
}
