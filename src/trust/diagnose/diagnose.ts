/**
 * From evidence to findings, the one to repair first in front: the pool's own errors where it answered, and everything our own
 * validation finds. It decides as the troubleshooting procedure does, without changing a switch.
 */

import { causeOf, rankOf } from './catalogue/catalogue.js'
import { findFiles } from './checks/appliance-files.js'
import { findBundle } from './checks/bundle.js'
import { findCredentials } from './checks/credentials.js'
import { findDates } from './checks/dates.js'
import { findDrift } from './checks/drift.js'
import { findHandshake } from './checks/handshake.js'
import { findLint } from './checks/lint.js'
import { findNameNotes } from './checks/names.js'
import { findNetwork } from './checks/network.js'
import { findNextStart } from './checks/next-start.js'
import { findPath } from './checks/path.js'
import { findLeafWanted } from './checks/path-end.js'
import { findServed } from './checks/served.js'
import { findState } from './checks/state.js'
import { findDisks, severeAs, withoutGuesses } from './disks/disks.js'
import type { Evidence } from './evidence/evidence.js'
import { type View, viewOf } from './evidence/view.js'
import type { Blame, Diagnosis, Draft, Finding, Severity } from './finding.js'
import { listNotSeen } from './not-seen.js'
import { predictCall } from './prediction.js'
import { errorText } from './wording.js'

export function diagnose(evidence: Evidence): Diagnosis {
  const view = viewOf(evidence)
  const drafts = order(merge(findAll(view)))
  const predicted = predictCall(view, drafts)
  const all = order([...drafts, ...unexplained(drafts, predicted)])
  return {
    healthy: all.every((draft) => severityOf(draft) === 'note') && !isOpen(view, all),
    blame: blameOf(view, all),
    predicted,
    findings: all.map(findingOf),
    notSeen: listNotSeen(view),
  }
}

function findAll(view: View): readonly Draft[] {
  const handshake = findHandshake(view)
  const files = [...findNextStart(view), ...findFiles(view)]
  const network = without(findNetwork(view), [
    ...(handshake.length > 0 ? ['BROKEN_OFF'] : []),
    // the port is closed because of the files
    ...(files.some(({ severity }) => severity === 'error') ? ['CONNECTION_REFUSED'] : []),
  ])
  const served = findServed(view)
  const onPath = served.length > 0 ? [] : findPath(view)
  const path = [...onPath, ...(served.length > 0 ? [] : findLeafWanted(view, onPath))]
  // what is too weak for hosts is too weak to be served as well
  const own = path.some(({ code }) => TOO_WEAK.has(code)) ? without(files, ['FILES_UNUSABLE']) : files
  const disks = findDisks(view)
  const guessed = [...findBundle(view), ...own, ...served, ...path]
  const found = [
    ...[...network, ...handshake, ...severeAs(view, disks), ...withoutGuesses(view, guessed, disks)],
    ...findCredentials(view),
  ]
  return [
    ...found,
    ...findState(view),
    ...withoutGuesses(view, findDrift(view), disks),
    ...findDates(view, found),
    ...(served.length > 0 ? [] : [...findNameNotes(view), ...findLint(view)]),
  ]
}

const TOO_WEAK = new Set(['LEAF_KEY_WEAK', 'AUTHORITY_KEY_WEAK', 'SIGNATURE_WEAK'])

function without(drafts: readonly Draft[], codes: readonly string[]): readonly Draft[] {
  return drafts.filter(({ code }) => !codes.includes(code))
}

/** One finding a cause: the first draft of it, with the hosts of all its drafts. */
function merge(drafts: readonly Draft[]): readonly Draft[] {
  return [...new Set(drafts.map(({ code }) => code))].flatMap((code) => {
    const same = drafts.filter((draft) => draft.code === code)
    const [first] = same
    if (!first) return []
    const isEverywhere = same.some(({ hosts = [] }) => hosts.length === 0)
    const hosts = isEverywhere ? [] : [...new Set(same.flatMap((draft) => draft.hosts ?? []))]
    return [{ ...first, hosts }]
  })
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note']

/** What fails now comes before what will. */
/** What the connection is used for: a note about that comes behind what is said of the connection. */
const OF_USE: ReadonlySet<string> = new Set(['NOT_IN_USE', 'ADVICE_REFUSED'])

function order(drafts: readonly Draft[]): readonly Draft[] {
  const weight = (draft: Draft) =>
    SEVERITIES.indexOf(severityOf(draft)) * 1000 +
    (severityOf(draft) === 'note' && OF_USE.has(draft.code) ? 999 : rankOf(draft.code))
  return [...drafts].sort((one, other) => weight(one) - weight(other))
}

function severityOf(draft: Draft): Severity {
  return draft.severity ?? causeOf(draft.code).severity
}

/** An error of the pool that no finding explains. */
function unexplained(drafts: readonly Draft[], predicted: readonly string[]): readonly Draft[] {
  const [code] = predicted
  if (code === undefined || drafts.some((draft) => severityOf(draft) === 'error')) return []
  const evidence = `the pool says ${errorText(predicted)}`
  switch (code) {
    case 'SSL_VERIFY_ERROR':
      return [
        {
          code: 'DEFECT',
          cause: 'The hosts refuse the certificate, for a reason that is not seen from here.',
          evidence,
        },
      ]
    case 'WLB_DISABLED':
      return []
    default:
      return [{ code: 'ODD_ANSWER', cause: 'The pool fails in a way that nothing seen from here explains.', evidence }]
  }
}

function findingOf(draft: Draft): Finding {
  const cause = causeOf(draft.code)
  const hosts = draft.hosts ?? []
  return {
    row: cause.row,
    code: draft.code,
    severity: severityOf(draft),
    host: hosts.length === 1 ? (hosts[0] ?? '') : '',
    cause: draft.cause ?? `${cause.title.charAt(0).toUpperCase()}${cause.title.slice(1)}.`,
    evidence: draft.evidence,
    remedy: draft.remedy ?? cause.remedy,
  }
}

/** What fails first decides: the verified connection, the unverified one, or the password. */
function blameOf(view: View, drafts: readonly Draft[]): Blame {
  const [first] = drafts
  if (first && severityOf(first) === 'error') return causeOf(first.code).blame
  if (isOpen(view, drafts)) return 'unknown'
  const warned = drafts.filter((draft) => severityOf(draft) === 'warning').map(({ code }) => causeOf(code).blame)
  return warned.find((blame) => blame !== 'none') ?? 'none'
}

/** Whether nothing was found although a live host did not answer, so that its verdict is unknown. */
function isOpen({ pool, results, evidence: { appliance, call } }: View, drafts: readonly Draft[]): boolean {
  if (drafts.some((draft) => severityOf(draft) === 'error')) return false
  if (!pool) return appliance === undefined
  const silent = results.filter(({ outcome }) => outcome === 'nothing')
  if (silent.length === results.length) return call.kind === 'not asked'
  return silent.some(({ host }) => host.live)
}
