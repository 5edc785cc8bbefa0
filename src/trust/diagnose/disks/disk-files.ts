/** Files among the installed certificates that are not what they should be, seen on the disks of hosts. */
import { quoteWord } from '../../../base/text/quote-word.js'
import type { InstalledFileKind } from '../../../x509/index.js'
import type { DiskFile } from '../../connection/disks.js'
import type { View } from '../evidence/view.js'
import type { Draft, Severity } from '../finding.js'
import { listOf, shortPrint } from '../wording.js'
import { isCoordinator, namesOf, type SeenDisk, someOf } from './disk-view.js'

interface Place {
  readonly on: SeenDisk
  readonly file: DiskFile
}

const SYNC = 'xe pool-certificate-sync'
const FOLDER = '/etc/stunnel/certs'

export function findDiskFiles(view: View, disks: readonly SeenDisk[]): readonly Draft[] {
  const places = disks.flatMap((on) => on.disk.files.map((file): Place => ({ on, file })))
  const of = (kind: InstalledFileKind) => places.filter(({ file }) => file.kind === kind)
  const broken = of('broken')
  const odd = of('odd text')
  const stops = broken.some(({ on }) => on.disk.bundle === 'unusable')
  return [
    ...describe('FILE_NOT_PEM', of('not PEM'), (place) => misses(view, place), {
      cause: (names) => `${names}: no bundle gets a certificate from it, because it is not in PEM.`,
    }),
    ...describe('FILE_TRUSTED_FORM', of('trusted form'), (place) => misses(view, place), {
      cause: (names) =>
        `${names}: in OpenSSL's own TRUSTED CERTIFICATE form, which the TLS client of a host does not count.`,
    }),
    ...describe(stops ? 'BUNDLE_UNREADABLE' : 'BUNDLE_CUT', broken, isSpoilt, {
      cause: (names) =>
        `${names}: a damaged block, which ${stops ? 'keeps the TLS client from starting' : 'makes all of the bundle useless'}.`,
    }),
    ...describe('FILE_HOLDS_CHAIN', of('several'), () => 'warning', {
      cause: (names) => `${names}: several certificates in one file, all of them trusted and one of them on record.`,
    }),
    ...describe('FILE_HIDDEN', odd.filter(isHidden), hiddenSeverity, {
      cause: (names) =>
        `${names}: behind another file OpenSSL does not see a block that begins with a byte order mark.`,
    }),
    ...describe(
      'FILE_LINE_ENDS',
      odd.filter((place) => !isHidden(place)),
      () => 'note',
      {
        cause: (names) => `${names}: a text that OpenSSL reads and a pool may refuse when it is installed again.`,
      },
    ),
    ...describe(
      'KEY_IN_STORE',
      places.filter(({ file }) => file.holdsKey),
      () => 'warning',
      {
        cause: (names) => `${names}: a private key lies among the certificates, and was copied to every host.`,
      },
    ),
  ]
}

/** The host lacks the very certificate the file was meant to give it, or everything. */
function misses({ served }: View, { on, file }: Place): Severity {
  const isNothingThere = on.disk.bundle === 'unusable' || on.disk.bundle === 'gone'
  const wouldHelp = file.certificates.some(({ fingerprint256, subject }) =>
    served.some((one) => one.fingerprint256 === fingerprint256 || one.issuer === subject),
  )
  return on.suffers && (isNothingThere || wouldHelp) ? 'error' : 'warning'
}

function isSpoilt({ on: { suffers, disk } }: Place): Severity {
  return suffers && (disk.bundle === 'unusable' || disk.bundle === 'spoilt') ? 'error' : 'warning'
}

/** Behind another file OpenSSL takes a byte order mark for text, and the block behind it as well. */
export function isHiddenByMark({ disk }: SeenDisk, file: DiskFile): boolean {
  const lost = new Set(disk.bundleLacks.map(({ fingerprint256 }) => fingerprint256))
  return file.beginsWithMark && file.certificates.some(({ fingerprint256 }) => lost.has(fingerprint256))
}

function isHidden({ on, file }: Place): boolean {
  return isHiddenByMark(on, file)
}

function hiddenSeverity({ on }: Place): Severity {
  return on.suffers ? 'error' : 'warning'
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note']

function describe(
  code: string,
  places: readonly Place[],
  severityAt: (place: Place) => Severity,
  { cause }: { readonly cause: (names: string) => string },
): readonly Draft[] {
  const [first] = places
  if (!first) return []
  const severities = new Set(places.map(severityAt))
  const worst = places.find((place) => severityAt(place) === SEVERITIES.find((one) => severities.has(one))) ?? first
  const files = [...new Set(places.map(({ file }) => file.name))]
  const names = namesOf(places.map(({ on }) => on))
  return [
    {
      code,
      severity: severityAt(worst),
      hosts: names,
      cause: cause(files.length > 3 ? `${files.length} files in ${FOLDER}` : listOf(files)),
      evidence: someOf(files.map((name) => evidenceOf(places.filter(({ file }) => file.name === name)))),
      remedy: remedyOf(code, places.find(({ on }) => isCoordinator(on)) ?? worst),
    },
  ]
}

function evidenceOf(places: readonly Place[]): string {
  const [first] = places
  if (!first) return ''
  const { name, what, certificates, kind, holdsKey } = first.file
  const prints = certificates.slice(0, 2).map(({ fingerprint256 }) => shortPrint(fingerprint256))
  const rest = certificates.length > 2 ? ` and ${certificates.length - 2} more` : ''
  const content = kind === 'broken' || prints.length === 0 ? what : `${what}, ${listOf(prints)}${rest}`
  return `${FOLDER}/${name} on ${listOf(namesOf(places.map(({ on }) => on)))}: ${content}${holdsKey ? ', with a PRIVATE KEY block' : ''}`
}

/** What members alone have wrong, a sync replaces; what the coordinator has wrong, it would spread. */
function remedyOf(code: string, { on, file }: Place): string {
  if (!isCoordinator(on)) return SYNC
  const name = quoteWord(file.name)
  const path = quoteWord(`${FOLDER}/${file.name}`)
  const copy = quoteWord(`/root/${file.name}`)
  const again = `xe pool-uninstall-ca-certificate name=${name}; xe pool-install-ca-certificate filename=${copy}; ${SYNC}`
  const gone = `xe pool-uninstall-ca-certificate name=${name}; ${SYNC}`
  switch (code) {
    case 'FILE_NOT_PEM':
      return file.certificates.length === 1 && file.what.endsWith('DER')
        ? `openssl x509 -inform der -in ${path} -out ${copy}; ${again}`
        : gone
    case 'FILE_TRUSTED_FORM':
    case 'FILE_LINE_ENDS':
    case 'FILE_HIDDEN':
      return `openssl x509 -in ${path} -out ${copy}; ${again}`
    case 'FILE_HOLDS_CHAIN':
      return `xe pool-install-ca-certificate filename=ROOT.pem; ${gone}   # ROOT.pem: the root alone, as wlb cert export --part root writes it on the appliance`
    case 'KEY_IN_STORE':
      return `${gone}; wlb cert request --new-key`
    default:
      return gone
  }
}
