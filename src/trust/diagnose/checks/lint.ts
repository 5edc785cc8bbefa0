/** What works and is worth knowing: the order of what is sent, and what expires soon. */
import { lint, validate } from '../../../x509/index.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { installInPlace } from '../make-trusted.js'
import { daysBetween, fewOf, subjectOf, whenOf } from '../wording.js'

/** Days before the end at which people are told, as hosts do for their own certificates. */
const STEPS_DAYS = [7, 14, 30] as const

export function findLint(view: View): readonly Draft[] {
  return [...order(view), ...expiry(view)]
}

function order(view: View): readonly Draft[] {
  const { served, installed, name, now } = view
  if (served.length < 3) return []
  const anchors = [...served, ...installed.flatMap(({ certificate }) => certificate ?? [])]
    .filter(({ subject, issuer }) => subject === issuer)
    .map((certificate) => ({ certificate }))
  const question = { presented: served, anchors, crls: undefined, name, now }
  const displaced = lint(question, validate(question)).filter(({ code }) => code === 'ORDER_UNUSUAL')
  return displaced.map(() => ({
    code: 'ORDER_UNUSUAL',
    cause: 'The certificates are not sent in order: pools sort that out, other clients need not.',
    evidence: `sent: ${served.map(subjectOf).join(' > ')}`,
    remedy: installInPlace(view),
  }))
}

interface Ending {
  readonly what: string
  readonly notAfter: Date
}

function expiry({ served, installed, now }: View): readonly Draft[] {
  const prints = new Set(served.map(({ fingerprint256 }) => fingerprint256))
  const endings: Ending[] = [
    ...served.map((one) => ({ what: subjectOf(one), notAfter: new Date(one.validTo) })),
    ...installed.flatMap(({ record: { name, notAfter, fingerprintSha256 } }) =>
      notAfter && !prints.has(fingerprintSha256) ? [{ what: `${name}, installed`, notAfter }] : [],
    ),
  ]
  const soon = endings
    .filter(({ notAfter }) => notAfter > now && daysBetween(now, notAfter) < STEPS_DAYS[2])
    .sort((one, other) => one.notAfter.getTime() - other.notAfter.getTime())
  const [first] = soon
  if (!first) return []
  const step = STEPS_DAYS.find((days) => daysBetween(now, first.notAfter) < days) ?? STEPS_DAYS[2]
  return [
    {
      code: 'EXPIRES_SOON',
      cause: `${first.what} expires within ${step} days.`,
      evidence: fewOf(soon.map(({ what, notAfter }) => `${what}: not after ${whenOf(notAfter, now)}`)),
    },
  ]
}
