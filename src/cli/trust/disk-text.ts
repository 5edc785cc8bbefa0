/** What lies on the disks of hosts, compared with what a pool says of itself. */
import { type Held, type HostDisk, shortPrint } from '../../trust/index.js'

type Seen = Extract<HostDisk, { readonly disk: unknown }>

/** One clause a difference; none where the disk is as recorded. */
export function describeDifferences(host: HostDisk): readonly string[] {
  if (host.state === 'not seen') return [`not seen: ${host.why}`]
  const { againstRecords: records, againstCoordinator: coordinator, disk, crlsLacking } = host
  const beyond = (list: readonly Held[] = [], told: readonly Held[] = []) =>
    list.filter(({ name }) => !told.some((one) => one.name === name))
  return [
    ...clause('lacks', records.lacks, ', which is on record'),
    ...clause('lacks', beyond(coordinator?.lacks, records.lacks), ', which the coordinator has'),
    ...clause('holds', records.more, ', which no record names'),
    ...clause('holds', beyond(coordinator?.more, records.more), ', which the coordinator has not'),
    ...clause('has another', records.differs, ' than the record of that name'),
    ...clause('has another', beyond(coordinator?.differs, records.differs), ' than the coordinator'),
    ...disk.files.flatMap(({ name, kind, what }) => (kind === 'certificate' ? [] : [`${name}: ${what}`])),
    ...disk.odd.map(({ path, what }) => `${path} is a ${what}`),
    ...(disk.bundle === 'built' ? [] : [`bundle: ${describeBundle(disk)}`]),
    ...(crlsLacking.length > 0 ? [`lacks the revocation lists ${crlsLacking.join(', ')}`] : []),
  ]
}

function clause(verb: string, held: readonly Held[], behind: string): readonly string[] {
  return held.length === 0 ? [] : [`${verb} ${held.map(heldText).join(', ')}${behind}`]
}

function heldText({ name, fingerprintsSha256: [first] }: Held): string {
  return first === undefined ? name : `${name} (${shortPrint(first)})`
}

function describeBundle({ bundle, bundleFault, bundleLacks, bundleKeeps }: Seen['disk']): string {
  switch (bundle) {
    case 'built':
      return 'in order'
    case 'gone':
      return 'there is none'
    case 'unusable':
      return bundleFault
    case 'spoilt':
      return 'a damaged block makes all of it useless'
    case 'outdated':
      return `older than the files: ${bundleLacks.length} certificates are not in it, ${bundleKeeps.length} are in it alone`
  }
}
