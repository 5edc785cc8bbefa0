/** Text of `wlb trust status`: the pool, the appliance, the installed certificates, then each host with its verdict and disk. */

import type { X509Certificate } from 'node:crypto'
import { visible } from '../../base/text/printable.js'
import { shell } from '../../base/text/quote-word.js'
import {
  CLOCK_LIMIT_MS,
  type Connection,
  compareDisks,
  compareStores,
  errorText,
  type Held,
  type HostDisk,
  type HostVerdict,
  shortPrint,
} from '../../trust/index.js'
import { describeCertificate } from '../../x509/index.js'
import { daysFrom, renderFacts, renderTable } from '../terminal/print.js'

/** Certificates that end within this many days are marked. */
const SOON_DAYS = 30

/** What is shown is escaped where it must be; the command at the end is made of what the pool really says. */
/** `type`: a command for the same pool, to be typed. */
export function describeStatus(
  found: Connection,
  said: readonly HostVerdict[],
  now: Date,
  type: (command: string) => string,
): string {
  const [connection, verdicts] = [visible(found), visible(said)]
  const { pool, crls } = connection
  const disks = compareDisks(connection)
  return [
    renderFacts([
      ['pool', `${pool.name} (${pool.uuid})`],
      ['connected to', `${pool.wlbUrl || 'nothing'}${pool.wlbEnabled || pool.wlbUrl === '' ? '' : ', paused'}`],
      ['verification', pool.verifies ? 'on' : 'OFF: anybody could answer, and no host would notice'],
      ...describeAppliance(connection, now),
      ['revocation', describeCrls(crls)],
    ]),
    '',
    describeInstalled(connection, now),
    '',
    describeHosts(connection, verdicts, disks),
    ...describeReasons(verdicts),
    ...describeDisks(connection, disks),
    '',
    conclude(found, verdicts, type),
  ].join('\n')
}

function describeAppliance({ appliance }: Connection, now: Date): [label: string, value: string][] {
  const { endpoint, resolved, name, host, port, clockOffsetMs } = appliance
  const [leaf] = 'certificates' in endpoint ? endpoint.certificates : []
  return [
    ['appliance', `${host} port ${port}: ${leaf ? describeLeaf(leaf, now) : endpoint.state}`],
    ...(leaf ? [['SHA-256', leaf.fingerprint256] satisfies [string, string]] : []),
    ['its name', `${name}; from here ${resolved.length === 0 ? 'it does not resolve' : resolved.join(', ')}`],
    ['its clock', clockOffsetMs === undefined ? 'not told' : describeClock(clockOffsetMs)],
  ]
}

function describeLeaf(leaf: X509Certificate, now: Date): string {
  const { subject, notAfter, selfSigned } = describeCertificate(leaf)
  return `${subject}${selfSigned ? ', self-signed' : ''}, until ${notAfter.toISOString()} (${daysFrom(now, notAfter)})`
}

function describeCrls(crls: Connection['crls']): string {
  if (crls === undefined) return 'not told to this user'
  return crls.length === 0 ? 'no lists installed' : `lists installed: ${crls.join(', ')}`
}

function describeInstalled({ installed, known }: Connection, now: Date): string {
  if (installed.length === 0) return 'No certificate is installed.'
  const rows = installed.map(({ name, fingerprintSha256, notAfter }) => {
    const certificate = known.get(fingerprintSha256)
    return [
      name,
      certificate
        ? describeCertificate(certificate).subject
        : `SHA-256 ${fingerprintSha256.slice(0, 23) || 'not recorded'}`,
      notAfter
        ? `${notAfter.toISOString().slice(0, 10)} (${daysFrom(now, notAfter)})${markOf(notAfter, now)}`
        : 'not recorded',
    ]
  })
  return renderTable(['installed', 'what it is', 'until'], rows)
}

function markOf(notAfter: Date, now: Date): string {
  const days = (notAfter.getTime() - now.getTime()) / 86_400_000
  if (days < 0) return ' EXPIRED'
  return days < SOON_DAYS ? ' SOON' : ''
}

function describeHosts(
  connection: Connection,
  verdicts: readonly HostVerdict[],
  disks: readonly HostDisk[] | undefined,
): string {
  const stores = compareStores(connection, verdicts)
  const isAsked = disks?.some((disk) => disk.state !== 'not seen' && disk.resolved !== undefined) ?? false
  const rows = connection.hosts.map(({ name, role, live, clockOffsetMs }, index) => [
    name,
    live ? role : `${role}, DOWN`,
    stores[index] ?? 'not seen',
    ...(disks ? [disks[index]?.state ?? 'not seen'] : []),
    ...(isAsked ? [describeAddresses(disks?.[index])] : []),
    clockOffsetMs === undefined ? '-' : describeClock(clockOffsetMs),
    describeVerdict(verdicts[index]),
  ])
  const more = [...(disks ? ['disk'] : []), ...(isAsked ? ['finds it at'] : [])]
  return renderTable(['host', 'role', 'store', ...more, 'clock', 'verdict'], rows)
}

function describeAddresses(disk: HostDisk | undefined): string {
  if (!disk || disk.state === 'not seen' || !disk.resolved) return '-'
  return disk.resolved.join(', ') || 'NOWHERE'
}

function describeClock(offsetMs: number): string {
  const seconds = Math.round(offsetMs / 1000)
  const text = `${seconds > 0 ? '+' : ''}${seconds} s`
  return Math.abs(offsetMs) > CLOCK_LIMIT_MS ? `${text} WRONG` : text
}

function describeVerdict(verdict: HostVerdict | undefined): string {
  if (!verdict) return '-'
  const text = verdict.error.length > 0 ? errorText(verdict.error) : verdict.verdict
  return verdict.proof === 'host' ? text : `${text} (predicted)`
}

/** The reason why a verdict is predicted, for each host. */
function describeReasons(verdicts: readonly HostVerdict[]): string[] {
  const predicted = verdicts.filter(({ why }) => why !== '')
  return predicted.length === 0
    ? []
    : ['', ...predicted.map(({ host, why }) => `${host}: not its own word, because ${why}.`)]
}

/** Differences on the disks, which do not fit into the table. */
function describeDisks({ hosts }: Connection, disks: readonly HostDisk[] = []): string[] {
  const lines = hosts.flatMap(({ name }, index) => {
    const disk = disks[index]
    const found = disk ? describeDifferences(disk) : []
    return found.length === 0 ? [] : [`disk of ${name}: ${found.join('; ')}.`]
  })
  return lines.length === 0 ? [] : ['', ...lines]
}

function conclude({ pool }: Connection, verdicts: readonly HostVerdict[], type: (command: string) => string): string {
  const count = (state: HostVerdict['verdict']) => verdicts.filter(({ verdict }) => verdict === state).length
  const [refused, unknown, all] = [count('refused'), count('unknown'), verdicts.length]
  if (refused > 0)
    return `${refused} of ${all} hosts ${refused === 1 ? 'does' : 'do'} not verify the appliance.  Why:  ${type(shell`wlb doctor --pool ${pool.name}`)}`
  if (!pool.verifies)
    return `Nothing is verified.  Switch it on:  ${type(shell`xe pool-param-set wlb-verify-cert=true uuid=${pool.uuid}`)}`
  if (unknown > 0) return `Of ${unknown} of ${all} hosts nobody can tell.`
  const proved = verdicts.filter(({ proof }) => proof === 'host').length
  return proved === all
    ? `All ${all} hosts verify the appliance, by their own word.`
    : `${proved} of ${all} hosts verify the appliance by their own word; the rest is predicted.`
}

type Seen = Extract<HostDisk, { readonly disk: unknown }>

/** One clause for each difference between a disk, the records and the coordinator. */
function describeDifferences(host: HostDisk): readonly string[] {
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
