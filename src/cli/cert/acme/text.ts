/** Text of `wlb cert acme`: the order, its outcome, and what pools have to trust now. */

import { visibleLine } from '../../../base/text/printable.js'
import { shell } from '../../../base/text/quote-word.js'
import type { AcmeSettings } from '../../../config/index.js'
import {
  type Anchor,
  type Directory,
  type Obtained,
  ORDER_KEY_BITS,
  type Replacement,
} from '../../../identity/index.js'
import { describeCertificate } from '../../../x509/index.js'
import { renderFacts, toType } from '../../terminal/print.js'
import { describePlan, describeReplacement } from '../install-text.js'

export function describeWish({ directory, email, names, challenge, profile, eabKid }: AcmeSettings): string {
  return renderFacts([
    ['authority', directory],
    ['account', eabKid === undefined ? email : `${email}, bound to ${eabKid}`],
    ['names', names.join(', ')],
    ...(profile === undefined ? [] : [['profile', profile] as const]),
    ['key', `RSA ${ORDER_KEY_BITS}, made here: pools cannot use an elliptic one`],
    [
      'proof',
      challenge.type === 'http-01'
        ? `by HTTP, answered on ${challenge.address} port ${challenge.port}; port 80 of each name must lead there`
        : `by DNS, changed by ${challenge.hook}`,
    ],
  ])
}

/** What the directory says. */
export function describeOffers({ terms, profiles, wantsBinding }: Directory): string {
  return [
    `The directory answers.${terms === undefined ? '' : ` Terms of service: ${visibleLine(terms)}`}`,
    ...(profiles.length === 0 ? [] : [visibleLine(`Kinds of certificate (--profile): ${profiles.join(', ')}`)]),
    ...(wantsBinding ? ['It gives accounts only to those it knows (--eab-kid, --eab-key-file).'] : []),
  ].join('\n')
}

export function describeObtained(obtained: Obtained, now: Date): string {
  const { plan, origin } = obtained
  return [
    origin === 'kept' ? 'Issued before and not in place yet; nothing was ordered.' : 'Issued.',
    describePlan(plan, now),
    '',
    ...describeAnchor(obtained),
  ].join('\n')
}

function describeAnchor({ anchor, anchorBefore, isAnchorKept }: Obtained): string[] {
  if (isAnchorKept)
    return [`Pools trust the same as before: ${visibleLine(anchor.name)}. Nothing is to be done on them.`]
  const before = anchorBefore ? `, which is another one than before (${visibleLine(anchorBefore.name)})` : ''
  return [`Pools have to trust: ${visibleLine(anchor.name)}${before}.`]
}

/** What was done, and what to do next. */
export function describeDone(root: string, obtained: Obtained, done: Replacement): string {
  const next = obtained.isAnchorKept ? [] : ['', ...nextOnThePool(root, obtained.anchor)]
  return [
    '',
    describeReplacement(root, done),
    ...next,
    '',
    'wlb serve renews it at two thirds of its lifetime, or when the authority says, and makes pools trust another root first',
    '(unless bring_anchor_to_pools = false stands in [acme] of its settings).',
  ].join('\n')
}

/** Pools get the root alone: authorities change intermediates without notice, and the appliance sends the current ones. */
function nextOnThePool(root: string, { name, root: certificate, publishedAt }: Anchor): string[] {
  const made = certificate
    ? [`  ${toType('wlb cert export --root --out root_ca.pem', root)}`]
    : publishedAt === undefined
      ? [
          `  (the authority did not send it: get "${visibleLine(name)}" in PEM from where it publishes its roots, as root_ca.pem)`,
        ]
      : [
          `  ${toType(shell`curl -sS ${publishedAt} | openssl x509 -inform der -out root_ca.pem`)}`,
          '  (compare its SHA-256 with what the authority publishes: openssl x509 -noout -fingerprint -sha256 -in root_ca.pem)',
        ]
  return [
    `A pool that verifies refuses it until it trusts the root, "${visibleLine(name)}":`,
    ...made,
    ...(certificate ? [`  (SHA-256 ${describeCertificate(certificate).fingerprintSha256})`] : []),
    "Then, on the pool's coordinator, with a copy of that file:",
    '  xe pool-install-ca-certificate filename=root_ca.pem',
    '  xe pool-certificate-sync',
  ]
}
