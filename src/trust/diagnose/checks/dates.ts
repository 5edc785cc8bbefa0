/** Dates and clocks: which certificate is out of its dates, and by which host's clock. */
import type { X509Certificate } from 'node:crypto'
import { quoteWord } from '../../../base/text/quote-word.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { errorOf, type Flaw, hostsOf, quoteHosts } from '../flaw.js'
import { installRoot, installWithIssuer } from '../make-trusted.js'
import { fewOf, listOf, spanOf, subjectOf, whenOf } from '../wording.js'

/** What a pool and an appliance should agree within. */
const TOLERANCE_MS = 60_000

export function explainDate(view: View, flaw: Flaw): readonly Draft[] {
  const hosts = hostsOf(view, flaw)
  const quoted = quoteHosts(flaw)
  const skewed = skewedBehind(view, flaw)
  if (skewed) return [skewed]
  const { certificate, depth, fromStore } = flaw
  const isExpired = flaw.code === 'EXPIRED'
  if (!certificate) return [unseenDate(view, isExpired, hosts, quoted)]
  const date = new Date(isExpired ? certificate.validTo : certificate.validFrom)
  const dates = `${isExpired ? 'not after' : 'not before'} ${whenOf(date, view.now)}`
  const evidence = [`${subjectOf(certificate)}: ${dates}`, quoted].filter(Boolean).join('; ')
  if (!isExpired) {
    const which =
      depth === 0 ? "The appliance's certificate" : `${subjectOf(certificate)}, on the path of the appliance,`
    return [{ code: 'NOT_YET_VALID', hosts, cause: `${which} is not valid yet.`, evidence }]
  }
  if (fromStore && depth !== 0)
    return [rootExpired(view, installedName(view, certificate.fingerprint256), hosts, evidence)]
  if (depth === 0) return [{ code: 'LEAF_EXPIRED', hosts, cause: "The appliance's certificate has expired.", evidence }]
  return [
    {
      code: 'INTERMEDIATE_EXPIRED',
      hosts,
      cause: `${subjectOf(certificate)}, which the server sends along, has expired.`,
      evidence,
      ...remedyFor(view, certificate),
    },
  ]
}

/** What it issued is sent along as well. */
function remedyFor(view: View, expired: X509Certificate): Pick<Draft, 'remedy'> {
  const below = view.served.find((one) => one !== expired && one.issuer === expired.subject)
  return below ? { remedy: installWithIssuer(view, below) } : {}
}

/** The date would be right by this machine's clock, and the host's is another. */
function skewedBehind(view: View, { code, results, certificate }: Flaw): Draft | undefined {
  const meant = results.length > 0 ? results.map(({ host }) => host) : view.coordinator ? [view.coordinator] : []
  const wrong = meant.filter(({ clockOffsetMs = 0 }) => Math.abs(clockOffsetMs) > TOLERANCE_MS)
  const [first] = wrong
  if (!first || wrong.length < meant.length) return undefined
  const times = certificate ? [certificate] : view.served
  const isFineHere = times.every((one) =>
    code === 'EXPIRED' ? new Date(one.validTo) > view.now : new Date(one.validFrom) <= view.now,
  )
  if (!isFineHere || times.length === 0) return undefined
  const text = code === 'EXPIRED' ? 'expired' : 'not valid yet'
  return {
    code: 'CLOCK_WRONG',
    hosts: wrong.map(({ name }) => name),
    cause: `The clock of ${listOf(wrong.map(({ name }) => name))} is wrong: for it a certificate is ${text} that is in its dates.`,
    evidence: clocksText(view),
    remedy: `ssh ${quoteWord(`root@${first.address}`)} 'chronyc tracking; chronyc makestep'`,
  }
}

/** No certificate that was sent is out of its dates: then it is one that is installed. */
function unseenDate(view: View, isExpired: boolean, hosts: readonly string[], quoted: string): Draft {
  const old = view.installed.filter(({ record: { notAfter } }) => notAfter && notAfter <= view.now)
  const [first] = old
  if (isExpired) {
    const dates = old.map(
      ({ record }) => `${record.name}: not after ${record.notAfter ? whenOf(record.notAfter, view.now) : '?'}`,
    )
    const sent = 'everything the server sends is in its dates'
    return rootExpired(view, first?.record.name, hosts, [...dates, sent, quoted].filter(Boolean).join('; '))
  }
  const cause = 'A certificate on the path of the appliance is not valid yet, and it is none of those the server sends.'
  return { code: 'NOT_YET_VALID', hosts, cause, evidence: [quoted, clocksText(view)].filter(Boolean).join('; ') }
}

function rootExpired(view: View, file: string | undefined, hosts: readonly string[], evidence: string): Draft {
  const cause = `${file ?? 'A certificate that is installed in the pool'} has expired: the path of the appliance ends there.`
  const remedy = installRoot(view)
  return { code: 'ROOT_EXPIRED', hosts, cause, evidence, ...(remedy !== undefined && { remedy }) }
}

function installedName({ installed }: View, fingerprint: string): string | undefined {
  return installed.find(({ record }) => record.fingerprintSha256 === fingerprint)?.record.name
}

/** Clocks that differ and do no harm yet, and certificates out of their dates that nothing rests on. */
export function findDates(view: View, found: readonly Draft[]): readonly Draft[] {
  const has = (code: string) => found.some((draft) => draft.code === code)
  return [...(has('CLOCK_WRONG') ? [] : clocks(view)), ...oldInstalled(view, found)]
}

function clocks(view: View): readonly Draft[] {
  const offsets = view.evidence.hosts.flatMap(({ name, clockOffsetMs }) =>
    clockOffsetMs === undefined ? [] : [{ name, ms: clockOffsetMs }],
  )
  const appliance = view.evidence.appliance?.clockOffsetMs
  const all = [...offsets, ...(appliance === undefined ? [] : [{ name: 'the appliance', ms: appliance }])]
  const wrong = all.filter(({ ms }) => Math.abs(ms) > TOLERANCE_MS)
  if (wrong.length === 0) return []
  const spread = Math.max(...all.map(({ ms }) => ms)) - Math.min(...all.map(({ ms }) => ms))
  if (wrong.length === all.length && all.length > 1 && spread <= TOLERANCE_MS) {
    return [
      {
        code: 'CLOCK_WRONG',
        severity: 'note',
        cause: "This machine's own clock is wrong: pool and appliance agree with each other.",
        evidence: clocksText(view),
        remedy: 'chronyc tracking',
      },
    ]
  }
  return [
    {
      code: 'CLOCK_WRONG',
      severity: 'warning',
      hosts: wrong.map(({ name }) => name).filter((name) => name !== 'the appliance'),
      cause: `The clock of ${listOf(wrong.map(({ name }) => name))} is more than a minute off; certificates are judged by it.`,
      evidence: clocksText(view),
      remedy: 'chronyc tracking; chronyc makestep',
    },
  ]
}

function clocksText({ evidence: { appliance, hosts } }: View): string {
  const told = (name: string, ms: number | undefined) =>
    ms === undefined
      ? []
      : [`${name} ${Math.abs(ms) <= 2_000 ? 'as here' : `${spanOf(ms)} ${ms > 0 ? 'ahead' : 'behind'}`}`]
  const clocks = [
    ...hosts.flatMap(({ name, clockOffsetMs }) => told(name, clockOffsetMs)),
    ...told('the appliance', appliance?.clockOffsetMs),
  ]
  return `clocks against this machine's: ${clocks.join(', ') || 'none could be read'}`
}

function oldInstalled(view: View, found: readonly Draft[]): readonly Draft[] {
  const { now, isForecast, evidence, anyVerified, pool, served } = view
  // of what is served as well it is said already
  const installed = view.installed.filter(
    ({ record }) => !served.some(({ fingerprint256 }) => fingerprint256 === record.fingerprintSha256),
  )
  if (found.some(({ code }) => code === 'ROOT_EXPIRED')) return []
  const old = installed.filter(({ record: { notAfter } }) => notAfter && notAfter <= now)
  const future = installed.filter(({ record: { notBefore } }) => notBefore && notBefore > now)
  const [first] = [...old, ...future]
  if (!first) return []
  const dates = [...old, ...future].map(
    ({ record }) => `${record.name}: ${record.notAfter ? `not after ${whenOf(record.notAfter, now)}` : ''}`,
  )
  // with nothing else to rest on, the path ends there; what verifies today rests on something that is in its dates
  const isAll =
    pool?.verifies === true && view.installed.every(({ record: { notAfter } }) => notAfter && notAfter <= now)
  const wasFine = old.every(({ record: { notAfter } }) => notAfter && notAfter > evidence.observedAt)
  if (isAll && (!anyVerified || (isForecast && wasFine))) {
    return [{ ...rootExpired(view, first.record.name, [], dates.join('; ')), error: errorOf('EXPIRED') }]
  }
  return [
    {
      code: 'INSTALLED_OUT_OF_DATES',
      cause: `${fewOf([...old, ...future].map(({ record }) => record.name))} is installed and out of its dates: nothing can rest on it.`,
      evidence: fewOf(dates),
      remedy: `xe pool-uninstall-ca-certificate name=${quoteWord(first.record.name)}; xe pool-certificate-sync`,
    },
  ]
}
