/** `wlb cert show`: the appliance's certificate on disk and as a handshake shows it. */
import { visible } from '../../base/text/printable.js'
import { type CertificateReport, type MissingName, reportCertificate } from '../../identity/index.js'
import { type CertificateSummary, standingAt } from '../../x509/index.js'
import { daysFrom, EXIT, printJson, printText, renderFacts } from '../terminal/print.js'

/** Exits 1 when the served certificate is not the one on disk, or has expired. */
export async function certShow(root: string, json = false): Promise<void> {
  const now = new Date()
  const report = await reportCertificate(root, now)
  if (json) printJson(report)
  else printText(`${describe(visible(report), now)}\n`)
  const { served, daysLeft } = report
  if (daysLeft < 0 || (served.state === 'served' && !served.sameAsOnDisk)) process.exitCode = EXIT.no
}

function describe(report: CertificateReport, now: Date): string {
  const facts: [string, string][] = [
    ['subject', report.subject],
    ['names', report.names.join(', ')],
    ['issuer', report.selfSigned ? 'itself (self-signed: a placeholder)' : report.issuer],
    ['valid from', report.notBefore.toISOString()],
    ['valid until', `${report.notAfter.toISOString()} (${daysFrom(now, report.notAfter)})`],
    ['key', `${report.key.type.toUpperCase()} ${report.key.bits ?? ''}`.trim()],
    ['signature', report.signatureAlgorithm],
    ['serial', report.serialNumber],
    ['SHA-1', report.fingerprintSha1],
    ['SHA-256', report.fingerprintSha256],
    ...report.chain.map(({ subject, notAfter }): [string, string] => [
      'chain',
      `${subject}, until ${notAfter.toISOString()} (${daysFrom(now, notAfter)})`,
    ]),
    ...[report, ...report.chain].flatMap((one) => describeDates(one, now)),
    ['file', report.certificate],
    ['served', describeServed(report)],
    ...describeMissingNames(report.missingNames),
  ]
  return renderFacts(facts)
}

function describeServed({ served }: CertificateReport): string {
  if (served.state === 'unreachable') return `not served on ${served.address} port ${served.port}: ${served.why}`
  const where = `on ${served.address} port ${served.port}`
  return served.sameAsOnDisk ? `the same ${where}` : `ANOTHER one ${where}: ${served.fingerprintSha256}`
}

/** A line for a certificate that is out of its dates by this machine's clock. */
export function describeDates(certificate: CertificateSummary, now: Date): [label: string, value: string][] {
  const { subject, notBefore, notAfter } = certificate
  switch (standingAt(certificate, now)) {
    case 'in its dates':
      return []
    case 'expired':
      return [['EXPIRED', `${subject}, on ${notAfter.toISOString()}: pools that verify refuse it`]]
    case 'not yet valid':
      return [['NOT YET VALID', `${subject}, before ${notBefore.toISOString()}; here it is ${now.toISOString()}`]]
  }
}

/** Lines for the names that are missing from the certificate. */
export function describeMissingNames(missing: readonly MissingName[]): [label: string, value: string][] {
  return missing.map(({ of, name }) =>
    of === 'settings'
      ? ['NOT in it', `${name}, the configured host name: pools that verify and connect to it refuse this certificate`]
      : ['not in it', `${name}, the name of this machine: pools must not connect to it by that name`],
  )
}
