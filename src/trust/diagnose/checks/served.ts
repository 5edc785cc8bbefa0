/**
 * Whether the certificate that is served is the appliance's own: this shows in its files only. While it is not,
 * everything else that is wrong with what is served has the same cause.
 */
import { isIP } from 'node:net'
import { checkHost, describeCertificate, isSelfSigned } from '../../../x509/index.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { listOf, shortPrint, subjectOf } from '../wording.js'

export function findServed(view: View): readonly Draft[] {
  const { leaf, name, anyVerified, isForecast } = view
  const { local, appliance } = view.evidence
  const [own] = local?.onDisk ?? []
  if (!leaf || !own || !local?.isAsked || own.fingerprint256 === leaf.fingerprint256) return []
  const seen =
    `served: ${subjectOf(leaf)}, issued by ${describeCertificate(leaf).issuer || 'nobody named'}, ${shortPrint(leaf.fingerprint256)}; ` +
    `in ${local.certificateFile}: ${subjectOf(own)}, ${shortPrint(own.fingerprint256)}`
  const severity = anyVerified || isForecast ? ('warning' as const) : ('error' as const)
  if (isOfSameMaking(view)) {
    // a pair that cannot be served is a finding of its own, and the reason for this one
    if (local.fault) return []
    return [
      {
        code: 'OLD_CERTIFICATE_SERVED',
        severity,
        cause: 'New files are in place, and what serves the port still shows the certificate from before.',
        evidence: seen,
        remedy: local.frontReload ?? (local.pid === undefined ? 'wlb serve' : `kill -HUP ${local.pid}`),
      },
    ]
  }
  const isOurName = [name, local.hostname].some((one) => isIP(one) === 0 && checkHost(leaf, one))
  if (isOurName) {
    return [
      {
        code: 'SIGNED_ANEW',
        severity,
        cause:
          'Something between here and the appliance ends the connection and shows a certificate it has signed itself.',
        evidence: seen,
        remedy: `traceroute -T -p ${view.port} ${name}`,
      },
    ]
  }
  const addresses = appliance?.resolved ?? []
  return [
    {
      code: 'OTHER_MACHINE',
      severity,
      cause: `Another machine answers where ${name} leads.`,
      evidence: `${seen}; ${name} is ${addresses.length === 0 ? 'not known here' : listOf(addresses)}`,
      remedy: `getent hosts ${name}`,
    },
  ]
}

/** One the appliance has had before, a self-signed one of its name, or one of the authority its files name. */
function isOfSameMaking({ leaf, served, evidence: { local } }: View): boolean {
  if (!leaf || !local) return false
  if (local.formerSha256.includes(leaf.fingerprint256)) return true
  if (isSelfSigned(leaf)) return checkHost(leaf, local.hostname)
  const issuers = new Set(served.map(({ issuer }) => issuer))
  return checkHost(leaf, local.hostname) && local.onDisk.some(({ issuer }) => issuers.has(issuer))
}
