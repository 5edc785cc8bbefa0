/** Text of the commands that put a certificate in place, here or over SSH: the plan, what was done, what comes next. */

import type { X509Certificate } from 'node:crypto'
import { visibleCommand, visibleLine } from '../../base/text/printable.js'
import type { InstallPlan, InstallStep, Replacement } from '../../identity/index.js'
import type { InstallOverSsh } from '../../trust/index.js'
import { describeCertificate } from '../../x509/index.js'
import { daysFrom, renderFacts, toType } from '../terminal/print.js'
import { nextOnThePool } from './next-on-the-pool.js'

type Row = readonly [label: string, text: string]

/** `wlb cert install`: what would be done. */
export function describePlan(plan: InstallPlan, now: Date): string {
  const { source, file } = plan.key
  const rows = [
    ...certificateRows(plan, now, roleOf),
    ['private key', `${file} (${source})`] as const,
    verdictRow(plan),
  ]
  return renderPlan(plan, rows, listNotes(plan), 'This pair is in place already.')
}

/** `wlb trust install`: what would be done. */
export function describePlanOverSsh({ plan, replacement }: InstallOverSsh, now: Date): string {
  const { servedBefore = 'nothing', repair } = replacement
  const rows = [
    ...certificateRows(plan, now, (_, index) => (index === 0 ? 'leaf' : 'chain')),
    ['SHA-256', plan.chain.leaf.fingerprint256] as const,
    ['private key', plan.key.file] as const,
    verdictRow(plan),
    ['served now', servedBefore] as const,
  ]
  const notes = [
    ...plan.borrowed.map((one) => `${describeCertificate(one).subject}: not given, taken from the file in place`),
    ...(repair === undefined ? [] : [`an attempt was cut off here; ${REPAIRS[repair]}`]),
  ]
  return renderPlan(plan, rows, notes, 'This pair is in place and served already.')
}

const REPAIRS = {
  'nothing was moved': 'it had not moved anything',
  'go on': 'it goes on from where it stopped',
  'put back': 'what it had moved is put back first',
  impossible: 'it cannot be mended from here',
}

function renderPlan(plan: InstallPlan, rows: readonly Row[], notes: readonly string[], alreadySo: string): string {
  const remarks = [
    ...plan.warnings.map(({ message }) => visibleLine(`Warning: ${message}`)),
    ...notes.map((note) => visibleLine(`Note: ${note}`)),
  ]
  const blocks = [renderFacts(rows), remarks.join('\n'), plan.isInPlace ? alreadySo : renderSteps(plan.steps)]
  return blocks.filter((block) => block !== '').join('\n\n')
}

export function renderSteps(steps: readonly InstallStep[]): string {
  return steps
    .flatMap(({ what, command }, index) => [
      `${String(index + 1).padStart(2)}. ${visibleLine(what)}`,
      `    # ${visibleCommand(command)}`,
    ])
    .join('\n')
}

function certificateRows(plan: InstallPlan, now: Date, labelOf: (plan: InstallPlan, index: number) => string): Row[] {
  return plan.served.map((certificate, index) => {
    const { subject, notAfter } = describeCertificate(certificate)
    return [labelOf(plan, index), `${subject}, until ${notAfter.toISOString()} (${daysFrom(now, notAfter)})`]
  })
}

function roleOf({ chain }: InstallPlan, index: number): string {
  if (index === 0) return 'leaf'
  return chain.root && index > chain.intermediates.length ? 'root' : 'intermediate'
}

function verdictRow({ chain, name }: InstallPlan): Row {
  const anchor = chain.missingIssuer ?? describeCertificate(chain.root ?? chain.leaf).subject
  return ['a pool says', `accepted, by the name ${name}, once ${anchor} is installed in it`]
}

function listNotes({ notes, borrowed, chain, addressesNotNamed }: InstallPlan): string[] {
  const { unrelated, missingIssuer } = chain
  return [
    ...notes,
    ...borrowed.map((one) => `${describeCertificate(one).subject}: not given, taken from the certificate in place`),
    ...unrelated.map((one) => `${describeCertificate(one).subject}: left out, ${whyLeftOut(one, chain.leaf)}`),
    ...(missingIssuer === undefined
      ? []
      : [`the root, "${missingIssuer}", was not given: nothing above the last certificate could be checked`]),
    ...addressesNotNamed.map((used) => `a pool connects to ${used}, for which this certificate does not speak`),
  ]
}

function whyLeftOut(certificate: X509Certificate, leaf: X509Certificate): string {
  if (hasKeyOf(certificate, leaf)) return 'it is for the same key, and the leaf above is newer or the current one'
  return certificate.ca ? 'not on the way up from the leaf' : 'it is for another key'
}

function hasKeyOf(one: X509Certificate, other: X509Certificate): boolean {
  try {
    return one.publicKey.equals(other.publicKey)
  } catch {
    return false // a kind of key that OpenSSL cannot read is not the leaf's
  }
}

/** `wlb cert install`: what was done, and what to do next. */
export function describeInstallation(root: string, plan: InstallPlan, done: Replacement): string {
  const { installed, activation } = done
  const isNew = installed.state === 'installed'
  return [
    '',
    isNew ? 'Installed.' : 'Already so; nothing was changed.',
    renderFacts([
      ['SHA-256', activation.fingerprintSha256],
      ...servedRows(done, 'not yet: nothing is running here'),
      ...(isNew ? [['history', installed.id] as const] : []),
      ...(installed.replaced ? [['undo', toType('wlb cert rollback', root)] as const] : []),
    ]),
    ...(activation.state === 'proved' ? [] : ['', `Start it:  ${toType('wlb serve', root)}`]),
    ...(isNew ? ['', ...nextOnThePool(plan)] : []),
  ].join('\n')
}

/** The other commands that replace the pair in place: what was done. */
export function describeReplacement(root: string, done: Replacement): string {
  const { installed, activation } = done
  const { replaced } = installed
  return [
    installed.state === 'already so' ? 'Already so; nothing was changed.' : 'Done.',
    renderFacts([
      ['SHA-256', activation.fingerprintSha256],
      ...servedRows(done, `not yet: nothing is running here; start it with  ${toType('wlb serve', root)}`),
      ['history', installed.id],
      ...(replaced ? [['replaced', replaced.id] as const, ['undo', toType('wlb cert rollback', root)] as const] : []),
    ]),
  ].join('\n')
}

function servedRows({ activation }: Replacement, notYet: string): Row[] {
  if (activation.state !== 'proved') return [['served', notYet]]
  return activation.proofs.map(({ who, address, port }) => [
    'served',
    `by the ${who} on ${address} port ${port}, proved by a handshake`,
  ])
}

/** `wlb trust install`: what was done. */
export function describeOutcomeOverSsh(
  { plan, replacement }: InstallOverSsh,
  outcome: 'already so' | 'installed',
): string {
  const { place, before, wanted, request } = replacement
  const { address, port } = request.endpoint
  const isKept = outcome === 'installed' && before.certificate !== wanted.certificate
  return [
    '',
    outcome === 'installed' ? 'Installed.' : 'Already so; nothing was changed.',
    renderFacts([
      ['served', `by ${address} port ${port}, proved by a handshake`],
      ...(isKept ? [['kept', `the pair before, as ${place.certificate}_orig and ${place.key}_orig`] as const] : []),
      ['SHA-256', plan.chain.leaf.fingerprint256],
    ]),
  ].join('\n')
}
