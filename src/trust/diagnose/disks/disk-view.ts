/** What findings about disks have in common: whose disk was seen, who suffers from what lies there, and how it is said. */

import type { HostFacts } from '../../../xapi/index.js'
import { type Disk, type Held, heldByRecords, heldOn } from '../../connection/disks.js'
import { isStoreError } from '../evidence/refusal-defects.js'
import type { View } from '../evidence/view.js'
import type { Severity } from '../finding.js'
import { shortPrint } from '../wording.js'

export interface SeenDisk {
  readonly host: HostFacts
  readonly disk: Disk
  /** It refuses the appliance for what it trusts, or would with verification on. */
  readonly suffers: boolean
}

/** The coordinator first, where its disk was seen. */
export function seenDisks(view: View): readonly SeenDisk[] {
  return view.evidence.hosts.flatMap((host) => {
    const disk = view.disks.get(host.uuid)
    return disk ? [{ host, disk, suffers: doesSuffer(view, host) }] : []
  })
}

function doesSuffer(view: View, host: HostFacts): boolean {
  const result = view.results.find((one) => one.host === host)
  if (view.verifies && result?.outcome === 'accepted') return false
  const isHeard = view.verifies && result?.outcome === 'refused'
  const error = isHeard ? result.error : (view.judgeDisk(host)?.xapiError ?? [])
  const kind = isStoreError(error)
  return kind === 'bundle' || kind === 'anchors'
}

export function isCoordinator({ host }: SeenDisk): boolean {
  return host.role === 'coordinator'
}

export function severityFor(disks: readonly SeenDisk[]): Severity {
  return disks.some(({ suffers }) => suffers) ? 'error' : 'warning'
}

export function namesOf(disks: readonly SeenDisk[]): readonly string[] {
  return [...new Set(disks.map(({ host }) => host.name))]
}

/** What each host should hold: the coordinator's files where they were seen, else what the database believes. */
export function wantedOf(view: View, disks: readonly SeenDisk[]): readonly Held[] {
  const coordinator = disks.find(isCoordinator)
  if (!coordinator) return recordedIn(view)
  return heldOn(coordinator.disk).filter(({ fingerprintsSha256 }) => fingerprintsSha256.length > 0)
}

export function recordedIn(view: View): readonly Held[] {
  return heldByRecords(view.evidence.installed)
}

/** `wlb.pem (3F:0A:...)`. */
export function heldText({ name, fingerprintsSha256: [first, ...more] }: Held): string {
  if (first === undefined) return name
  return `${name} (${shortPrint(first)}${more.length === 0 ? '' : ` and ${more.length} more`})`
}

/** Long lists are cut: the first ones are enough to find the rest. */
export function someOf(parts: readonly string[], limit = 4): string {
  if (parts.length <= limit) return parts.join('; ')
  return `${parts.slice(0, limit).join('; ')}; and ${parts.length - limit} more`
}
