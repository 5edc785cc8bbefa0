/** What `wlb trust install` says: the plan, and what was done. */
import type { InstallOrder, ManagedIdentity } from '../../trust/index.js'
import { describeCertificate } from '../../x509/index.js'
import { daysFrom, renderFacts } from '../print.js'

type Outcome = 'planned' | 'already so' | 'installed'

export function describePlan({ managed, plan, name, now }: InstallOrder): string {
  const [leaf, ...above] = managed.served.map(describeCertificate).map(({ subject, notAfter }) => {
    return `${subject}, until ${notAfter.toISOString()} (${daysFrom(now, notAfter)})`
  })
  const facts = renderFacts([
    ['leaf', leaf ?? ''],
    ...above.map((text): [string, string] => ['chain', text]),
    ['SHA-256', managed.chain.leaf.fingerprint256],
    ['private key', managed.keyFile],
    ['a pool says', `accepted, by the name ${name}, once ${whatMustBeInstalled(managed)} is installed in it`],
    ['served now', plan.servedBefore ?? 'nothing'],
  ])
  const remarks = [
    ...managed.warnings.map(({ message }) => `Warning: ${message}`),
    ...managed.borrowed.map(
      (one) => `Note: ${describeCertificate(one).subject}: not given, taken from the file in place`,
    ),
    ...(plan.repair === undefined ? [] : [`Note: an attempt was cut off here; ${REPAIRS[plan.repair]}`]),
  ]
  const steps = plan.steps.flatMap(({ what, command }, index) => [
    `${String(index + 1).padStart(2)}. ${what}`,
    `    # ${command}`,
  ])
  const todo = steps.length === 0 ? 'This pair is in place and served already.' : steps.join('\n')
  return [facts, ...(remarks.length > 0 ? [remarks.join('\n')] : []), todo].join('\n\n')
}

const REPAIRS = {
  'nothing was moved': 'it had not moved anything',
  'go on': 'it goes on from where it stopped',
  'put back': 'what it had moved is put back first',
  impossible: 'it cannot be mended from here',
}

function whatMustBeInstalled({ chain }: ManagedIdentity): string {
  return chain.missingIssuer ?? describeCertificate(chain.root ?? chain.leaf).subject
}

export function describeOutcome({ managed, plan }: InstallOrder, outcome: Outcome): string {
  const { address, port } = plan.request.endpoint
  return [
    '',
    outcome === 'installed' ? 'Installed.' : 'Already so; nothing was changed.',
    renderFacts([
      ['served', `by ${address} port ${port}, proved by a handshake`],
      ...(outcome === 'installed' && plan.before.certificate !== plan.wanted.certificate
        ? [['kept', `the pair before, as ${plan.place.certificate}_orig and ${plan.place.key}_orig`] as const]
        : []),
      ['SHA-256', managed.chain.leaf.fingerprint256],
    ]),
  ].join('\n')
}
