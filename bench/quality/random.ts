/** Random numbers that are the same in every run: mulberry32. */
export interface Random {
  /** From 0 to less than 1. */
  readonly next: () => number
  /** From a normal distribution with mean 0 and deviation 1. */
  readonly normal: () => number
}

export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { next, normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()) }
}

/** One of `choices`, as likely as its weight says. */
export function pick<Value>({ next }: Random, choices: readonly (readonly [Value, number])[], otherwise: Value): Value {
  let left = next()
  for (const [value, weight] of choices) {
    left -= weight
    if (left < 0) return value
  }
  return otherwise
}
