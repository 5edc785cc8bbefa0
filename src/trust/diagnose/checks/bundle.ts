/** Whether the hosts' TLS clients can start: a bundle that is there and can be read. */
import { isStoreError } from '../evidence/refusal-defects.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { installAgain, installRoot, installSelfSigned } from '../make-trusted.js'
import { errorText, fewOf, listOf } from '../wording.js'

export function findBundle(view: View): readonly Draft[] {
  const { pool, results, anyVerified, anyAnchored, verifies, installed } = view
  if (!pool) return []
  const misnamed = installed.filter(({ record }) => !record.name.endsWith('.pem')).map(({ record }) => record.name)
  const named = misnamed.length === 0 ? [] : [nameUnfit(misnamed, verifies && !anyVerified)]
  if (!verifies) return named
  const stuck = results.filter(({ error }) => isStoreError(error) === 'bundle')
  const isPredicted = results.every(({ outcome }) => outcome === 'nothing') && installed.length === 0
  if (anyAnchored || (stuck.length === 0 && !isPredicted)) return named
  const hosts = stuck.map(({ host }) => host.name)
  const quoted = stuck[0] ? `${listOf(hosts)} said ${errorText(stuck[0].error)}` : 'no host could be asked'
  if (installed.length === 0) return [nothingInstalled(view, hosts, quoted)]
  if (misnamed.length === installed.length) return named
  return [
    {
      code: 'BUNDLE_UNREADABLE',
      hosts,
      cause:
        'Certificates are installed, and the bundle built from them cannot be read: it begins with something broken, or is gone.',
      evidence: `${quoted}; ${installed.length} installed by the records: ${fewOf(installed.map(({ record }) => record.name))}`,
    },
    ...named,
  ]
}

function nothingInstalled(view: View, hosts: readonly string[], quoted: string): Draft {
  const { pool, served, leaf } = view
  const isOwnRoot = served.length === 1 && leaf?.subject === leaf?.issuer
  const remedy = isOwnRoot ? installSelfSigned(view) : installRoot(view)
  if (pool?.tlsVerification) {
    return {
      code: 'VERIFICATION_SWITCHED_ON',
      hosts,
      cause:
        'Verification came on together with the TLS verification of the pool, and no certificate is installed to verify with.',
      evidence: `tls-verification-enabled and wlb-verify-cert are both true; nothing is installed; ${quoted}`,
      ...(remedy !== undefined && { remedy }),
    }
  }
  return {
    code: 'BUNDLE_EMPTY',
    hosts,
    cause: 'Verification is on, and no certificate is installed: the TLS client of the hosts does not even start.',
    evidence: `wlb-verify-cert is true; the list of installed certificates is empty; ${quoted}`,
    ...(remedy !== undefined && { remedy }),
  }
}

function nameUnfit(names: readonly string[], isFailing: boolean): Draft {
  const [first = ''] = names
  return {
    code: 'FILE_NAME_UNFIT',
    ...(isFailing ? {} : { severity: 'warning' as const }),
    cause: 'A certificate lies under a name no bundle is built from: only names that end in .pem count.',
    evidence: `recorded as ${fewOf(names)}`,
    remedy: installAgain(first, `${first.replace(/\.[^.]*$/, '')}.pem`),
  }
}
