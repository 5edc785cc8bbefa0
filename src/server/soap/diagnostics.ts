/**
 * What the appliance tells a pool about itself (docs/protocol/wlb.md, diagnostics). Whoever may read the pool may read it, and
 * the pool writes it to its log: no credentials, nothing of other pools but their number, and no lines of our own log.
 */
import { X509Certificate } from 'node:crypto'
import type { ServedIdentity } from '../../tls/index.js'
import { describeCertificate, readPemBlocks } from '../../x509/index.js'

export interface ApplianceFacts {
  readonly version: string
  readonly now: Date
  readonly startedAt: Date
  readonly schemaVersion: string
  readonly database: 'embedded' | 'server'
  /** Undefined while the database cannot say. */
  readonly pools: number | undefined
  readonly troubleSince?: Date | undefined
  readonly listener: { readonly address: string; readonly port: number }
  readonly served: ServedIdentity
}

/** A pool holds the whole answer in memory, and its log gets it too. */
const LIMIT_CHARACTERS = 64 * 1024
/** One name among many is cut, so that none can push out what follows. */
const VALUE_LIMIT_CHARACTERS = 1000
const DAY_MS = 86_400_000

/** Lines of a name and a value, the certificates in the order they are sent. */
export function describeAppliance(facts: ApplianceFacts): string {
  const { version, now, startedAt, schemaVersion, database, pools, troubleSince, listener, served } = facts
  const lines: [name: string, value: string][] = [
    ['openwlb diagnostics', now.toISOString()],
    ['version', version],
    ['started', startedAt.toISOString()],
    ['database', `${database}, schema ${schemaVersion}${describeTrouble(troubleSince)}`],
    ['pools', String(pools ?? 'not known')],
    ['listener', `${listener.address} port ${listener.port}, TLS 1.2 and 1.3`],
    ...describeChain(served, now),
  ]
  const text = lines.map(([name, value]) => `${name}: ${oneLine(value)}\n`).join('')
  return text.length <= LIMIT_CHARACTERS ? text : `${text.slice(0, LIMIT_CHARACTERS)}\n(cut off)\n`
}

/** Why, the appliance's own log says. */
function describeTrouble(since: Date | undefined): string {
  return since ? `, cannot be used since ${since.toISOString()}` : ''
}

function describeChain({ certificatePem }: ServedIdentity, now: Date): [name: string, value: string][] {
  const certificates = readPemBlocks(certificatePem).filter(({ label }) => label === 'CERTIFICATE')
  return certificates.flatMap(({ der }, index) => {
    const which = index === 0 ? 'certificate' : `certificate ${index + 1}`
    return describeOne(new X509Certificate(der), now).map(([name, value]): [string, string] => [
      `${which} ${name}`,
      value,
    ])
  })
}

function describeOne(certificate: X509Certificate, now: Date): [name: string, value: string][] {
  const { subject, issuer, names, key, signatureAlgorithm, ...rest } = describeCertificate(certificate)
  const { notBefore, notAfter, fingerprintSha256, selfSigned } = rest
  return [
    ['subject', subject],
    ['issuer', selfSigned ? 'itself' : issuer],
    ['names', names.join(', ')],
    ['key', `${key.type} ${key.bits}, ${signatureAlgorithm}`],
    ['SHA-256', fingerprintSha256],
    ['valid', `${notBefore.toISOString()} to ${notAfter.toISOString()}, ${describeTimeLeft(notBefore, notAfter, now)}`],
  ]
}

function describeTimeLeft(notBefore: Date, notAfter: Date, now: Date): string {
  if (now < notBefore) return `not valid yet, in ${inDays(now, notBefore)}`
  return now <= notAfter ? `ends in ${inDays(now, notAfter)}` : `ended ${inDays(notAfter, now)} ago`
}

function inDays(from: Date, to: Date): string {
  return `${Math.floor((to.getTime() - from.getTime()) / DAY_MS)} days`
}

/** Names in a certificate are whatever somebody wrote there. */
function oneLine(value: string): string {
  const clean = value.replace(/\p{Cc}+/gu, ' ')
  return clean.length <= VALUE_LIMIT_CHARACTERS ? clean : `${clean.slice(0, VALUE_LIMIT_CHARACTERS)}...`
}
