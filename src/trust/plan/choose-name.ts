/** The name that a pool is to connect to its appliance by. */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { checkHost, describeCertificate } from '../../x509/index.js'
import { parseWlbAddress } from '../../xapi/pool/wlb-address.js'
import type { Connection } from '../connection/connection.js'

/**
 * What the pool connects by stays, where it is a name in full: if the certificate has another one, that is the fault to
 * tell of. An address or a short name gives way to a name that the certificate has.
 */
export function chooseName({ pool, appliance }: Connection, leaf: X509Certificate): string {
  const now = parseWlbAddress(pool.wlbUrl)?.host
  if (now !== undefined && (checkHost(leaf, now) || (isIP(now) === 0 && now.includes('.')))) return now
  const { commonName, names } = describeCertificate(leaf)
  const own = [appliance.local?.hostname, appliance.host, commonName, ...names].filter(
    (one) => one !== undefined && isIP(one) === 0 && !one.includes('*') && checkHost(leaf, one),
  )
  return own.find((one) => one?.includes('.')) ?? own[0] ?? now ?? appliance.host
}
