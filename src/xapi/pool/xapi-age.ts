/**
 * What a host's build tells of how its TLS client verifies. Until December 2024 it looked for the very leaf in its bundle
 * (`verifyPeer`); since then for a path to a root (`verifyChain`, docs/trust-stores.md).
 */
import type { HostFacts } from './pool-records.js'

/**
 * The change was merged on 16 December 2024, when 24.39 was out. A leaf too many does no harm, one too few does: in doubt
 * a build is an old one.
 */
const CHAIN_SINCE = { date: '2024-12-16', year: 24, minor: 40 }

/** Tells whether this host wants the leaf itself; where its build says nothing of its age it is taken for a new one. */
export function verifiesByPeer({ softwareVersion }: Pick<HostFacts, 'softwareVersion'>): boolean {
  const [, year, minor] = /^(\d{2})\.(\d+)/.exec(softwareVersion.xapi_build ?? softwareVersion.xapi ?? '') ?? []
  if (year !== undefined && minor !== undefined) {
    return Number(year) < CHAIN_SINCE.year || (Number(year) === CHAIN_SINCE.year && Number(minor) < CHAIN_SINCE.minor)
  }
  const date = /^\d{4}-\d{2}-\d{2}/.exec(softwareVersion.date ?? '')?.[0]
  return date !== undefined && date < CHAIN_SINCE.date
}
