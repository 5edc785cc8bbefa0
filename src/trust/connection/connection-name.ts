/** The name that a pool connects to its appliance by, or would. */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { checkHost, describeCertificate } from '../../x509/index.js'
import { parseWlbAddress } from '../../xapi/index.js'

/**
 * Keeps the name the pool connects by where it is a fully qualified one: if the certificate has another, that is the fault
 * to report. An address or a short name gives way to a name that the certificate has. `hostname` is the appliance's own,
 * `asked` is where it was asked from here.
 */
export function chooseName(
  {
    wlbUrl,
    hostname,
    asked,
  }: { readonly wlbUrl: string; readonly hostname: string | undefined; readonly asked: string },
  leaf: X509Certificate,
): string {
  const now = parseWlbAddress(wlbUrl)?.host
  if (now !== undefined && (checkHost(leaf, now) || (isIP(now) === 0 && now.includes('.')))) return now
  const { commonName, names } = describeCertificate(leaf)
  const own = [hostname, asked, commonName, ...names].filter(
    (one) => one !== undefined && isIP(one) === 0 && !one.includes('*') && checkHost(leaf, one),
  )
  return own.find((one) => one?.includes('.')) ?? own[0] ?? now ?? asked
}
