/**
 * Findings from the hosts' disks, where they were read. They name causes that can only be guessed from what hosts say, and
 * replace those guesses.
 */
import { quoteWord } from '../../../base/text/quote-word.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { listOf, shortPrint } from '../wording.js'
import { findDiskDrift } from './disk-drift.js'
import { findDiskFiles, isHiddenByMark } from './disk-files.js'
import { isCoordinator, namesOf, type SeenDisk, seenDisks, severityFor, someOf } from './disk-view.js'

export function findDisks(view: View): readonly Draft[] {
  const disks = seenDisks(view)
  if (disks.length === 0) return []
  return [...findDiskFiles(view, disks), ...bundleAlone(disks), ...damaged(disks), ...findDiskDrift(view, disks)]
}

/** Without verification nothing fails yet. */
export function severeAs({ verifies }: View, shown: readonly Draft[]): readonly Draft[] {
  return verifies
    ? shown
    : shown.map((draft) => (draft.severity === 'error' ? { ...draft, severity: 'warning' } : draft))
}

/** What hosts say can have any of these causes. */
const GUESSED = new Set([
  ...['BUNDLE_UNREADABLE', 'BUNDLE_CUT', 'HOST_LACKS_CERTIFICATE', 'HOST_HOLDS_OTHER', 'RECORD_MISSING'],
  'ROOT_OF_INTERMEDIATE_MISSING',
])

/** Takes out the guesses about hosts whose disks show the cause. */
export function withoutGuesses(view: View, drafts: readonly Draft[], shown: readonly Draft[]): readonly Draft[] {
  const everybody = view.evidence.hosts.map(({ name }) => name)
  const explained = new Set(
    shown
      .filter(({ severity, code }) => severity === 'error' || code === 'RECORD_MISSING')
      .flatMap(({ hosts = [] }) => (hosts.length === 0 ? everybody : hosts)),
  )
  return drafts.flatMap((draft) => {
    if (!GUESSED.has(draft.code)) return [draft]
    if (draft.code === 'RECORD_MISSING' && shown.some(({ code }) => code === draft.code)) return []
    const { hosts = [] } = draft
    const left = (hosts.length === 0 ? everybody : hosts).filter((name) => !explained.has(name))
    if (left.length === 0) return []
    return [left.length === everybody.length ? draft : { ...draft, hosts: left }]
  })
}

const SYNC = 'xe pool-certificate-sync'

/** No file explains it. */
function isBundleAlone({ disk }: SeenDisk): boolean {
  const usable = disk.files.filter(({ kind }) => kind !== 'not PEM' && kind !== 'trusted form')
  if (usable.length === 0 || usable.some(({ kind }) => kind === 'broken')) return false
  return disk.bundle === 'gone' || disk.bundle === 'unusable' || disk.bundle === 'spoilt'
}

/** On the coordinator it keeps the pool from its appliance; on a member it waits. */
function bundleAlone(disks: readonly SeenDisk[]): readonly Draft[] {
  const hosts = disks.filter(isBundleAlone)
  const coordinator = hosts.find(isCoordinator)
  if (!coordinator) return []
  return [
    {
      code: coordinator.disk.bundle === 'spoilt' ? 'BUNDLE_CUT' : 'BUNDLE_UNREADABLE',
      severity: severityFor(hosts),
      hosts: namesOf(hosts),
      cause: `The certificates of ${listOf(namesOf(hosts))} are in order, and the bundle built from them is not.`,
      evidence: someOf(hosts.map(bundleText)),
      remedy: buildAnew(coordinator),
    },
  ]
}

function damaged(disks: readonly SeenDisk[]): readonly Draft[] {
  const hasCoordinator = disks.some((on) => isCoordinator(on) && isBundleAlone(on))
  const odd = disks.filter(({ disk }) => disk.odd.length > 0)
  const stale = disks.filter((on) => !odd.includes(on) && (isOutdated(on) || (!hasCoordinator && isBundleAlone(on))))
  const hosts = disks.filter((on) => odd.includes(on) || stale.includes(on))
  if (hosts.length === 0) return []
  const names = listOf(namesOf(odd.length > 0 ? odd : stale))
  return [
    {
      code: 'STORE_DAMAGED',
      severity: severityFor(hosts),
      hosts: namesOf(hosts),
      cause:
        odd.length > 0
          ? `Something that does not belong there lies in the trust store of ${names}: no bundle can be built there any more.`
          : `The bundle of ${names} is not the one its certificates make: it was not built since they changed.`,
      evidence: someOf([
        ...odd.map(
          ({ host, disk }) =>
            `${someOf(disk.odd.map(({ path, what }) => `/etc/stunnel/${path} on ${host.name} is a ${what}`))}`,
        ),
        ...stale.map(bundleText),
      ]),
      remedy: remedyFor(hosts.find(isCoordinator)),
    },
  ]
}

function isOutdated(on: SeenDisk): boolean {
  const { disk } = on
  if (disk.bundle !== 'outdated') return false
  const hidden = disk.files.filter((file) => isHiddenByMark(on, file)).flatMap(({ certificates }) => certificates)
  return disk.bundleKeeps.length > 0 || disk.bundleLacks.some((one) => !hidden.includes(one))
}

function remedyFor(coordinator: SeenDisk | undefined): string {
  if (!coordinator) return SYNC // it writes a member's folder and its bundle anew
  const [odd] = coordinator.disk.odd
  return odd ? `mv ${quoteWord(`/etc/stunnel/${odd.path}`)} /root/; ${SYNC}` : buildAnew(coordinator)
}

/** A sync builds no bundle on the coordinator; installing does. */
function buildAnew({ disk }: SeenDisk): string {
  const name = disk.files[0]?.name ?? 'NAME.pem'
  const [file, copy] = [quoteWord(`/etc/stunnel/certs/${name}`), quoteWord(`/root/${name}`)]
  return `cp ${file} /root/; xe pool-uninstall-ca-certificate name=${quoteWord(name)}; xe pool-install-ca-certificate filename=${copy}; ${SYNC}`
}

function bundleText({ host, disk }: SeenDisk): string {
  const files = disk.files.length === 1 ? '1 certificate file' : `${disk.files.length} certificate files`
  const prints = (list: SeenDisk['disk']['trusted']) =>
    listOf(list.slice(0, 3).map((one) => shortPrint(one.fingerprint256)))
  switch (disk.bundle) {
    case 'built':
    case 'gone':
      return `${host.name} has ${files} and no xapi-stunnel-ca-bundle.pem`
    case 'unusable':
      return `xapi-stunnel-ca-bundle.pem of ${host.name}: ${disk.bundleFault}`
    case 'spoilt':
      return `xapi-stunnel-ca-bundle.pem of ${host.name} holds a damaged block that none of its ${files} has`
    case 'outdated':
      return [
        `xapi-stunnel-ca-bundle.pem of ${host.name}`,
        ...(disk.bundleLacks.length > 0 ? [`lacks ${prints(disk.bundleLacks)}, which a file holds`] : []),
        ...(disk.bundleKeeps.length > 0 ? [`holds ${prints(disk.bundleKeeps)}, which no file does`] : []),
      ].join(' ')
  }
}
