/** What `wlb cert install` says: the plan, what was done, what comes next; for people and for programs. */
import type { X509Certificate } from 'node:crypto'
import { quoteWord } from '../../base/quote-word.js'
import type { InstallPlan, InstallStep, Replacement } from '../../identity/index.js'
import { type CertificateSummary, describeCertificate, sendingOrder } from '../../x509/index.js'
import { daysFrom, inRoot, renderFacts } from '../print.js'
import { nextOnThePool } from './next-on-the-pool.js'

/** What would be done. */
export function describePlan(plan: InstallPlan, steps: readonly InstallStep[], now: Date): string {
  const served = sendingOrder(plan.chain).map(describeCertificate)
  const { source, file } = plan.key
  const facts: [string, string][] = [
    ...served.map((summary, index): [string, string] => [roleOf(plan, index), describeOne(summary, now)]),
    ['private key', `${file} (${source})`],
    ['a pool says', `accepted, by the name ${plan.name}, once ${whatMustBeInstalled(plan)} is installed in it`],
  ]
  const remarks = [
    ...plan.warnings.map(({ message }) => `Warning: ${message}`),
    ...listNotes(plan).map((note) => `Note: ${note}`),
  ]
  const blocks = [
    renderFacts(facts),
    remarks.join('\n'),
    plan.isInPlace ? 'This pair is in place already.' : steps.flatMap(describeStep).join('\n'),
  ]
  return blocks.filter((block) => block !== '').join('\n\n')
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

function roleOf({ chain }: InstallPlan, index: number): string {
  if (index === 0) return 'leaf'
  return chain.root && index > chain.intermediates.length ? 'root' : 'intermediate'
}

function describeOne({ subject, notAfter }: CertificateSummary, now: Date): string {
  return `${subject}, until ${notAfter.toISOString()} (${daysFrom(now, notAfter)})`
}

function whatMustBeInstalled({ chain }: InstallPlan): string {
  return chain.missingIssuer ?? describeCertificate(chain.root ?? chain.leaf).subject
}

function describeStep({ what, command }: InstallStep, index: number): string[] {
  return [`${String(index + 1).padStart(2)}. ${what}`, `    # ${command}`]
}

/** What was done, and what to do next. */
export function describeInstallation(root: string, plan: InstallPlan, done: Replacement): string {
  const { installed, activation } = done
  const isNew = installed.state === 'installed'
  const served =
    activation.state === 'proved'
      ? activation.proofs.map(
          ({ who, address, port }) => `by the ${who} on ${address} port ${port}, proved by a handshake`,
        )
      : ['not yet: nothing is running here']
  return [
    '',
    isNew ? 'Installed.' : 'Already so; nothing was changed.',
    renderFacts([
      ['SHA-256', activation.fingerprintSha256],
      ...served.map((text): [string, string] => ['served', text]),
      ...(isNew ? [['history', installed.id] satisfies [string, string]] : []),
      ...(installed.replaced ? [['undo', inRoot('wlb cert rollback', root)] satisfies [string, string]] : []),
    ]),
    ...(activation.state === 'proved' ? [] : ['', `Start it:  wlb --root ${quoteWord(root)} serve`]),
    ...(isNew ? ['', ...nextOnThePool(plan)] : []),
  ].join('\n')
}

/** The one document of `--json`; `done` is undefined where nothing was to be done. */
export function documentOf(plan: InstallPlan, steps: readonly InstallStep[], done: Replacement | undefined) {
  const { chain, verdict, key } = plan
  const subjectOf = (certificate: X509Certificate) => describeCertificate(certificate).subject
  return {
    state: done?.installed.state ?? (plan.isInPlace ? 'already so' : 'planned'),
    name: plan.name,
    identity: describeCertificate(chain.leaf),
    chain: sendingOrder(chain).map(describeCertificate),
    missingIssuer: chain.missingIssuer ?? null,
    unrelated: chain.unrelated.map(subjectOf),
    borrowed: plan.borrowed.map(subjectOf),
    key: { source: key.source, file: key.file },
    verdict: { accepted: verdict.accepted, reason: verdict.reason },
    warnings: plan.warnings.map(({ code, certificate, message, remedy }) => ({
      code,
      certificate: subjectOf(certificate),
      message,
      remedy,
    })),
    notes: plan.notes,
    addressesNotNamed: plan.addressesNotNamed,
    steps: steps.map((step) => ({ ...step, state: done ? 'done' : 'planned' })),
    ...(done && { id: done.installed.id, activation: done.activation }),
  }
}
