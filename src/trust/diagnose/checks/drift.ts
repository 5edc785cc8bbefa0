/** Differences between hosts and their coordinator, and between records and files. */
import { counted } from '../../../base/text/counted.js'
import { isSelfSigned } from '../../../x509/index.js'
import type { HostFacts } from '../../../xapi/index.js'
import { isStoreError } from '../evidence/refusal-defects.js'
import { type HostResult, isAnchored, isInstalled, type View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { INSTALL_ALL_AGAIN, installAgain, installFrom } from '../make-trusted.js'
import { errorText, listOf, shortPrint } from '../wording.js'

export function findDrift(view: View): readonly Draft[] {
  if (!view.pool) return []
  const lost = lostRecord(view)
  return [...(lost ? [lost] : differing(view)), ...unfinished(view)]
}

function apart({ results, anyAnchored }: View): readonly HostResult[] {
  if (!anyAnchored) return []
  return results.filter(({ error }) => ['bundle', 'anchors'].includes(isStoreError(error) ?? ''))
}

/** Hosts verify with something the pool has no record of. */
function lostRecord(view: View): Draft | undefined {
  const { anyVerified, installed, leaf, served, unknownAnchors, pool } = view
  if (!anyVerified || !leaf || !pool) return undefined
  const anchor = served.find(isSelfSigned)
  const isRecorded = anchor === undefined ? installed.length > 0 : isInstalled(view, anchor)
  const isCertain = installed.length === 0 || (anchor === leaf && served.length === 1) || unknownAnchors === 0
  if (isRecorded || !isCertain) return undefined
  const without = apart(view)
  const verified = view.results.filter(({ outcome }) => outcome === 'accepted').map(({ host }) => host.name)
  const lacking =
    without.length === 0
      ? ''
      : `; ${listOf(without.map(({ host }) => host.name))} lacks it: ${errorText(without[0]?.error ?? [])}`
  const print = anchor ? `; the anchor is ${shortPrint(anchor.fingerprint256)}` : ''
  return {
    code: 'RECORD_MISSING',
    ...(without.length > 0 && { severity: 'error' as const }),
    hosts: without.map(({ host }) => host.name),
    cause: 'A certificate lies on hosts and the pool has no record of it: a member was down when it was installed.',
    evidence: `${listOf(verified)} verify; ${counted(installed.length, 'certificate')} on record, and it is none of them${print}${lacking}`,
    remedy: INSTALL_ALL_AGAIN,
  }
}

function differing(view: View): readonly Draft[] {
  const { results, installed } = view
  const hosts = apart(view)
  const fine = results.filter(isAnchored).map(({ host }) => host)
  const recorded = installed.map(({ record }) => record.name)
  const of = (kind: 'bundle' | 'anchors') => hosts.filter(({ error }) => isStoreError(error) === kind)
  // with one certificate installed, a bundle that loads and does not hold it holds another
  const others = installed.length === 1 ? of('anchors') : []
  const lacking = hosts.filter((result) => !others.includes(result))
  return [
    ...describe(
      'HOST_LACKS_CERTIFICATE',
      lacking,
      { fine, recorded },
      (names, verb) => `${names} ${verb} what the other hosts verify with.`,
    ),
    ...describe(
      'HOST_HOLDS_OTHER',
      others,
      { fine, recorded },
      (names) => `${names} trusts other certificates than the rest of the pool, under the same names.`,
    ),
  ]
}

function describe(
  code: string,
  results: readonly HostResult[],
  { fine, recorded }: { readonly fine: readonly HostFacts[]; readonly recorded: readonly string[] },
  cause: (names: string, verb: string) => string,
): readonly Draft[] {
  const [first] = results
  if (!first) return []
  const names = results.map(({ host }) => host.name)
  const [from] = fine
  const isCoordinator = results.some(({ host }) => host.role === 'coordinator')
  return [
    {
      code,
      hosts: names,
      cause: cause(listOf(names), names.length === 1 ? 'lacks' : 'lack'),
      evidence: `${listOf(names)} said ${errorText(first.error)}; ${listOf(fine.map(({ name }) => name))} ${fine.length === 1 ? 'trusts' : 'trust'} it`,
      // a sync would copy the damage from the coordinator to everybody
      ...(isCoordinator && from && { remedy: installFrom(from.address, recorded) }),
    },
  ]
}

function unfinished({ installed }: View): readonly Draft[] {
  const names = installed.filter(({ record }) => record.lacksFingerprints).map(({ record }) => record.name)
  const [first] = names
  if (first === undefined) return []
  return [
    {
      code: 'FINGERPRINTS_MISSING',
      cause: `The pool's record of ${listOf(names)} has no fingerprints, as upgrades have left them: no host can join.`,
      evidence: 'fingerprint_sha256 is there and empty',
      remedy: installAgain(first),
    },
  ]
}
