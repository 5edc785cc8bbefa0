/** Numbers that depend on a seed and on nothing else: the same seed makes the same pool. */
import { createHash } from 'node:crypto'

export interface SeededRandom {
  /** From 0 up to, and without, 1. */
  fraction(): number
  pick<T>(values: readonly [T, ...T[]]): T
}

/** Numbers for one purpose: those of another do not depend on how many were taken here. */
export function seededRandom(seed: number, purpose: string): SeededRandom {
  let state = digestOf(seed, purpose).readUInt32LE(0)
  const fraction = () => {
    // Weyl sequence, then two rounds of mixing (mulberry32)
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { fraction, pick: (values) => values[Math.floor(fraction() * values.length)] ?? values[0] }
}

/** A UUID (version 4 in form) that the seed decides. */
export function seededUuid(seed: number, purpose: string): string {
  const bytes = digestOf(seed, purpose).subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** A MAC address that the seed decides, administered locally. */
export function seededMac(seed: number, purpose: string): string {
  const bytes = digestOf(seed, purpose).subarray(0, 6)
  bytes.writeUInt8((bytes.readUInt8(0) & 0xfc) | 0x02, 0)
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}

function digestOf(seed: number, purpose: string): Buffer {
  return createHash('sha256').update(`${seed} ${purpose}`).digest()
}
