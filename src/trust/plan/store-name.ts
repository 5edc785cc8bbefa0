/** Names under which a pool keeps certificates and revocation lists: its own rule (docs/trust-stores.md), and no collision. */
import { createHash } from 'node:crypto'

const ACCEPTABLE = /^[A-Za-z0-9_-][A-Za-z0-9._-]*\.pem$/
const SHORTEST = 8

/** `wanted` where it is free, else with as much of the fingerprint as it takes. */
export function chooseStoreName(wanted: string, fingerprintSha256: string, taken: ReadonlySet<string>): string {
  const stem = wanted.replace(/\.pem$/, '')
  const hex = fingerprintSha256.replaceAll(':', '')
  const longer = Array.from({ length: hex.length - SHORTEST + 1 }, (_, more) => hex.slice(0, SHORTEST + more))
  const candidates = [wanted, ...longer.map((piece) => `${stem}-${piece}.pem`)]
  const free = candidates.find((name) => ACCEPTABLE.test(name) && !taken.has(name))
  if (free === undefined) throw new Error(`no name is free for ${wanted}`)
  return free
}

/** Made of the content, so that the same list has the same name: of lists a pool tells nothing but names. */
export function crlStoreName(pem: string): string {
  return `crl-${createHash('sha256').update(pem).digest('hex').slice(0, 12)}.pem`
}
