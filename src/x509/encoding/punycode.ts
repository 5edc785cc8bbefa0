/** Punycode (RFC 3492) as OpenSSL 3.0 decodes it (punycode.c): nothing is asked of the characters that come out. */

const BASE = 36
const SMALLEST_THRESHOLD = 1
const LARGEST_THRESHOLD = 26
const SKEW = 38
const DAMP = 700
const FIRST_CHARACTER = 0x80
const FIRST_BIAS = 72
const LARGEST_NUMBER = 0xffffffff

/** The characters that stand for `encoded`, a label without its `xn--`; undefined where it is malformed. */
export function decodePunycode(encoded: string): number[] | undefined {
  const plainEnd = Math.max(encoded.lastIndexOf('-'), 0)
  const decoded = [...encoded.slice(0, plainEnd)].map((letter) => letter.charCodeAt(0))
  if (decoded.some((character) => character >= FIRST_CHARACTER)) return undefined
  let next = plainEnd > 0 ? plainEnd + 1 : 0
  let character = FIRST_CHARACTER
  let place = 0
  let bias = FIRST_BIAS
  while (next < encoded.length) {
    const before = place
    let weight = 1
    for (let step = BASE; ; step += BASE) {
      const digit = readDigit(encoded.charCodeAt(next++))
      if (digit === undefined || digit > Math.floor((LARGEST_NUMBER - place) / weight)) return undefined
      place += digit * weight
      const threshold = Math.min(Math.max(step - bias, SMALLEST_THRESHOLD), LARGEST_THRESHOLD)
      if (digit < threshold) break
      if (weight > Math.floor(LARGEST_NUMBER / (BASE - threshold))) return undefined
      weight *= BASE - threshold
    }
    const count = decoded.length + 1
    bias = adapt(place - before, count, before === 0)
    character += Math.floor(place / count)
    if (character > LARGEST_NUMBER) return undefined
    place %= count
    decoded.splice(place++, 0, character)
  }
  return decoded
}

/** Letters of either case, then digits; undefined for others, and past the end. */
function readDigit(code: number): number | undefined {
  const letter = code | 0x20
  if (code >= 0x41 && letter >= 0x61 && letter <= 0x7a) return letter - 0x61
  return code >= 0x30 && code <= 0x39 ? code - 0x30 + 26 : undefined
}

function adapt(distance: number, count: number, isFirst: boolean): number {
  let delta = Math.floor(distance / (isFirst ? DAMP : 2))
  delta += Math.floor(delta / count)
  let steps = 0
  for (; delta > ((BASE - SMALLEST_THRESHOLD) * LARGEST_THRESHOLD) / 2; steps += BASE) {
    delta = Math.floor(delta / (BASE - SMALLEST_THRESHOLD))
  }
  return steps + Math.floor(((BASE - SMALLEST_THRESHOLD + 1) * delta) / (delta + SKEW))
}
