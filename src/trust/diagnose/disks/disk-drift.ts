/**
 * Hosts whose disks hold something else than their coordinator's, and disks that hold something else than
 * the database believes. A sync writes a member's folder anew: one that is older than what it lacks has missed it.
 */
import { counted } from '../../../base/text/counted.js'
import { quoteWord } from '../../../base/text/quote-word.js'
import { type Comparison, compareHeld, type Held, heldOn } from '../../connection/disks.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { listOf } from '../wording.js'
import {
  heldText,
  isCoordinator,
  namesOf,
  recordedIn,
  type SeenDisk,
  severityFor,
  someOf,
  wantedOf,
} from './disk-view.js'

interface Drifted {
  readonly on: SeenDisk
  readonly comparison: Comparison
}

const FOLDER = '/etc/stunnel/certs'
/** Clocks are read to the second, and a pool writes its members one after the other. */
const TOLERANCE_MS = 2_000

export function findDiskDrift(view: View, disks: readonly SeenDisk[]): readonly Draft[] {
  const coordinator = disks.find(isCoordinator)
  const unrecorded = unrecordedOn(view, coordinator ? [coordinator] : disks)
  const drifted = disks
    .filter((on) => on !== coordinator)
    .map((on): Drifted => ({ on, comparison: beyondRecords(view, on, wantedOf(view, disks), unrecorded) }))
  const late = drifted.filter((one) => hasMissedSync(one, coordinator))
  const other = drifted.filter((one) => !late.includes(one))
  const withWhat = (kind: keyof Comparison) => other.filter(({ comparison }) => comparison[kind].length > 0)
  return [
    ...recordMissing(view, disks, unrecorded),
    ...againstRecords(view, disks, coordinator),
    ...missedSync(late, coordinator),
    ...lacking(withWhat('lacks')),
    ...differing(withWhat('differs'), coordinator),
    ...holdingMore(withWhat('more')),
  ]
}

/** Certificates on these disks that no record names. */
function unrecordedOn(view: View, disks: readonly SeenDisk[]): readonly Held[] {
  const records = recordedIn(view)
  return disks.flatMap(({ disk }) => compareHeld(heldOn(disk), records).more.filter(isReadable))
}

function isReadable({ fingerprintsSha256 }: Held): boolean {
  return fingerprintsSha256.length > 0
}

/** What has no record at all, and what has one and lies elsewhere only, are other findings. */
function beyondRecords(
  view: View,
  { disk }: SeenDisk,
  wanted: readonly Held[],
  unrecorded: readonly Held[],
): Comparison {
  const { lacks, differs, more } = compareHeld(heldOn(disk), wanted)
  const withoutRecord = new Set(unrecorded.map(({ name }) => name))
  const recorded = new Set(recordedIn(view).map(({ name }) => name))
  return {
    lacks: lacks.filter(({ name }) => !withoutRecord.has(name)),
    differs,
    more: more.filter((held) => isReadable(held) && !recorded.has(held.name) && !withoutRecord.has(held.name)),
  }
}

function hasMissedSync({ on, comparison }: Drifted, coordinator: SeenDisk | undefined): boolean {
  const writtenMs = on.disk.changedMs
  if (!coordinator || writtenMs === undefined) return false
  const missing = new Set([...comparison.lacks, ...comparison.differs].map(({ name }) => name))
  const changes =
    missing.size > 0
      ? coordinator.disk.files.filter(({ name }) => missing.has(name)).map(({ changedMs }) => changedMs)
      : comparison.more.length > 0
        ? [coordinator.disk.changedMs ?? writtenMs]
        : []
  return changes.length > 0 && changes.every((changedMs) => changedMs > writtenMs + TOLERANCE_MS)
}

/** A member was down when it was installed: the coordinator has the file, and the record was never made. */
function recordMissing(view: View, disks: readonly SeenDisk[], unrecorded: readonly Held[]): readonly Draft[] {
  const [first] = unrecorded
  if (!first) return []
  const names = new Set(unrecorded.map(({ name }) => name))
  const holding = disks.filter(({ disk }) => disk.files.some(({ name }) => names.has(name)))
  const lacking = disks.filter((on) => !holding.includes(on))
  const name = quoteWord(first.name)
  return [
    {
      code: 'RECORD_MISSING',
      severity: severityFor(lacking),
      hosts: namesOf(lacking),
      cause: `${listOf([...names])} lies in ${FOLDER} and the pool has no record of it: a member was down when it was installed.`,
      evidence: someOf([
        `on ${listOf(namesOf(holding))}: ${someOf(unique(unrecorded.map(heldText)))}`,
        `${counted(view.installed.length, 'certificate')} on record`,
        ...(lacking.length > 0 ? [`not on ${listOf(namesOf(lacking))}`] : []),
      ]),
      remedy: `cp ${quoteWord(`${FOLDER}/${first.name}`)} /root/; xe pool-uninstall-ca-certificate name=${name}; xe pool-install-ca-certificate filename=${quoteWord(`/root/${first.name}`)}; xe pool-certificate-sync`,
    },
  ]
}

/** What the database believes of the coordinator's disk, and is not so. */
function againstRecords(view: View, disks: readonly SeenDisk[], coordinator: SeenDisk | undefined): readonly Draft[] {
  if (!coordinator) return []
  const { lacks, differs } = compareHeld(heldOn(coordinator.disk), recordedIn(view))
  const isElsewhere = ({ name }: Held) =>
    disks.some((on) => on !== coordinator && on.disk.files.some((file) => file.name === name))
  const here = coordinator.host.name
  const [elsewhere, nowhere] = [lacks.filter(isElsewhere), lacks.filter((held) => !isElsewhere(held))]
  const { name: other } = elsewhere[0] ?? {}
  const { name: lost } = nowhere[0] ?? {}
  const { name: changed } = differs[0] ?? {}
  return [
    ...(other === undefined
      ? []
      : [
          {
            code: 'HOST_LACKS_CERTIFICATE',
            severity: severityFor([coordinator]),
            hosts: [here],
            cause: `${here} lacks what the other hosts have: ${listOf(elsewhere.map(({ name }) => name))}.`,
            evidence: `on record and not in ${FOLDER} of ${here}: ${someOf(elsewhere.map(heldText))}`,
            // a sync would take it from the others as well
            remedy: `xe pool-uninstall-ca-certificate name=${quoteWord(other)} force=true; xe pool-install-ca-certificate filename=${quoteWord(other)}; xe pool-certificate-sync`,
          },
        ]),
    ...(lost === undefined
      ? []
      : [
          {
            code: 'RECORD_WITHOUT_FILE',
            severity: severityFor(disks),
            hosts: namesOf(disks),
            cause: `The pool believes that ${listOf(nowhere.map(({ name }) => name))} is installed, and no disk that was seen has the file.`,
            evidence: `on record and not in ${FOLDER} of ${listOf(namesOf(disks))}: ${someOf(nowhere.map(heldText))}`,
            remedy: `xe pool-uninstall-ca-certificate name=${quoteWord(lost)} force=true; xe pool-install-ca-certificate filename=${quoteWord(lost)}; xe pool-certificate-sync`,
          },
        ]),
    ...(changed === undefined
      ? []
      : [
          {
            code: 'RECORD_DIFFERS',
            severity: severityFor([coordinator]),
            hosts: [here],
            cause: `${listOf(differs.map(({ name }) => name))} holds another certificate than the pool has on record under that name.`,
            evidence: `in ${FOLDER} of ${here}: ${someOf(differs.map(heldText))}; on record: ${someOf(
              recordedIn(view)
                .filter(({ name }) => differs.some((held) => held.name === name))
                .map(heldText),
            )}`,
            remedy: `xe pool-uninstall-ca-certificate name=${quoteWord(changed)}; xe pool-install-ca-certificate filename=${quoteWord(changed)}; xe pool-certificate-sync`,
          },
        ]),
  ]
}

function missedSync(late: readonly Drifted[], coordinator: SeenDisk | undefined): readonly Draft[] {
  if (late.length === 0 || !coordinator) return []
  const names = namesOf(late.map(({ on }) => on))
  return [
    {
      code: 'HOST_MISSED_SYNC',
      severity: severityFor(late.map(({ on }) => on)),
      hosts: names,
      cause: `${listOf(names)} ${names.length === 1 ? 'has' : 'have'} missed a synchronisation: the certificates there are those of before.`,
      evidence: someOf(late.map((one) => lateText(one, coordinator))),
    },
  ]
}

function lateText({ on, comparison: { lacks, differs, more } }: Drifted, { host, disk }: SeenDisk): string {
  const missing = new Set([...lacks, ...differs].map(({ name }) => name))
  const newest = Math.max(
    ...(missing.size > 0
      ? disk.files.filter(({ name }) => missing.has(name)).map(({ changedMs }) => changedMs)
      : [disk.changedMs ?? 0]),
  )
  const parts = [
    ...(lacks.length > 0 ? [`lacks ${someOf(lacks.map(heldText))}`] : []),
    ...(differs.length > 0 ? [`has another ${someOf(differs.map(heldText))}`] : []),
    ...(more.length > 0 ? [`still has ${someOf(more.map(heldText))}`] : []),
  ]
  return `${on.host.name} ${listOf(parts)}; its store was last written ${timeOf(on.disk.changedMs ?? 0)}, and that of ${host.name} ${timeOf(newest)}`
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

function lacking(drifted: readonly Drifted[]): readonly Draft[] {
  if (drifted.length === 0) return []
  const names = namesOf(drifted.map(({ on }) => on))
  return [
    {
      code: 'HOST_LACKS_CERTIFICATE',
      severity: severityFor(drifted.map(({ on }) => on)),
      hosts: names,
      cause: `${listOf(names)} ${names.length === 1 ? 'lacks' : 'lack'} certificates that the coordinator has.`,
      evidence: someOf(
        drifted.map(({ on, comparison }) => `not on ${on.host.name}: ${someOf(comparison.lacks.map(heldText))}`),
      ),
    },
  ]
}

function differing(drifted: readonly Drifted[], coordinator: SeenDisk | undefined): readonly Draft[] {
  if (drifted.length === 0) return []
  const names = namesOf(drifted.map(({ on }) => on))
  const files = new Set(drifted.flatMap(({ comparison }) => comparison.differs.map(({ name }) => name)))
  const there = coordinator ? heldOn(coordinator.disk).filter(({ name }) => files.has(name)) : []
  return [
    {
      code: 'HOST_HOLDS_OTHER',
      severity: severityFor(drifted.map(({ on }) => on)),
      hosts: names,
      cause: `${listOf(names)} ${names.length === 1 ? 'holds' : 'hold'} other certificates than the rest of the pool, under the same names.`,
      evidence: someOf([
        ...drifted.map(({ on, comparison }) => `on ${on.host.name}: ${someOf(comparison.differs.map(heldText))}`),
        ...(coordinator ? [`on ${coordinator.host.name}: ${someOf(there.map(heldText))}`] : []),
      ]),
    },
  ]
}

function holdingMore(drifted: readonly Drifted[]): readonly Draft[] {
  if (drifted.length === 0) return []
  const names = namesOf(drifted.map(({ on }) => on))
  return [
    {
      code: 'HOST_HOLDS_MORE',
      hosts: names,
      cause: `${listOf(names)} ${names.length === 1 ? 'trusts' : 'trust'} certificates that neither the coordinator nor the records have.`,
      evidence: someOf(
        drifted.map(({ on, comparison }) => `only on ${on.host.name}: ${someOf(comparison.more.map(heldText))}`),
      ),
    },
  ]
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)]
}
