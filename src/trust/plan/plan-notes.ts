/** Notes of a plan: leftovers in the pool, files that are not used, a name that does not resolve. */

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { visibleCommand } from '../../base/text/printable.js'
import { shell } from '../../base/text/quote-word.js'
import type { Connection } from '../connection/connection.js'
import type { Material } from './material.js'
import type { NeededCertificate } from './needed-certificates.js'

interface Seen {
  readonly leaf: X509Certificate
  readonly name: string
  readonly needed: readonly NeededCertificate[]
  readonly given: Material
  readonly crls: readonly string[]
}

export function noteOddities(connection: Connection, seen: Seen): readonly string[] {
  return [
    ...noteName(connection, seen.name),
    ...noteUnused(seen),
    ...noteInstalled(connection, seen.leaf),
    ...(connection.pool.licensed ? [] : ['the licence of the pool does not include WLB: no host can be asked']),
  ]
}

function noteName({ appliance }: Connection, name: string): string[] {
  if (isIP(name) !== 0 || name !== appliance.name) return []
  if (appliance.resolved.length === 0)
    return [`${name} does not resolve here; what each host makes of it, its proof tells`]
  const isSame = appliance.resolved.includes(appliance.host) || appliance.host === name
  if (isSame || isIP(appliance.host) === 0) return []
  return [`${name} resolves here to ${appliance.resolved.join(', ')}, and the appliance was asked at ${appliance.host}`]
}

function noteUnused({ leaf, needed, given, crls }: Seen): string[] {
  const isUsed = ({ fingerprint256 }: X509Certificate) =>
    fingerprint256 === leaf.fingerprint256 ||
    needed.some(({ certificate }) => certificate.fingerprint256 === fingerprint256)
  return [
    ...given.certificates
      .filter(({ certificate }) => !isUsed(certificate))
      .map(({ place }) => `${place}: not on the way up from the certificate that is served; not installed`),
    ...given.crls
      .filter(({ pem }) => !crls.includes(pem))
      .map(({ place }) => `${place}: a revocation list of another issuer; not installed`),
  ]
}

function noteInstalled({ installed, known, observedAt }: Connection, leaf: X509Certificate): string[] {
  return installed.flatMap(({ name, fingerprintSha256, notAfter }) => {
    if (fingerprintSha256 === '') return [`${name}: the pool lost its fingerprint in an upgrade; install it again`]
    const removal = visibleCommand(shell`xe pool-uninstall-ca-certificate name=${name}`)
    if (notAfter && notAfter < observedAt) return [`${name}: expired; ${removal}`]
    const before = known.get(fingerprintSha256)
    const isOlder = before?.subject === leaf.subject && fingerprintSha256 !== leaf.fingerprint256
    return isOlder ? [`${name}: an earlier certificate of this appliance; ${removal}`] : []
  })
}
