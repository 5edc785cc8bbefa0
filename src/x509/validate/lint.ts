/** Warnings: what a pool accepts and an operator should know all the same, most of it about other clients. No verdict depends on it. */
import type { X509Certificate } from 'node:crypto'
import { isAddress } from '../../base/names/ip-address.js'
import { DAY_MS } from '../issue/signing.js'
import { describeCertificate, subjectInSentence } from '../summary.js'
import { findOtherPath } from './browser.js'
import { type CertificateFacts, readFacts } from './certificate-facts.js'
import { readCrls } from './crl.js'
import type { Question, Verdict } from './verdict.js'

interface Description {
  /** The end of a sentence that begins with the certificate. */
  readonly message: string
  readonly remedy: string
}

const REBUILD = 'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem'
const REQUEST = 'wlb cert request'

const WARNINGS = {
  ORDER_UNUSUAL: {
    message: 'is not sent right after the certificate it has issued: pools sort that out, other clients need not',
    remedy: REBUILD,
  },
  SENT_TWICE: { message: 'is sent more than once', remedy: REBUILD },
  UNRELATED: { message: 'is sent and has no place on the path', remedy: REBUILD },
  OTHER_PATH: {
    message: 'has a second path that is valid; a pool tries the first one only, browsers try both and accept',
    remedy: 'xe pool-uninstall-ca-certificate name=FILE; xe pool-certificate-sync',
  },
  NO_ALTERNATIVE_NAME: {
    message: 'has no subject alternative name: pools fall back on the common name, browsers and most libraries do not',
    remedy: REQUEST,
  },
  ADDRESS_AS_DNS_NAME: {
    message: 'has an IP address written as a dNSName: pools compare it as text, other clients refuse it',
    remedy: 'xe pool-initialize-wlb wlb_url=FQDN:8012',
  },
  COMMON_NAME_UNLISTED: {
    message: 'has a common name that is not among its dNSNames, and is then not looked at',
    remedy: REQUEST,
  },
  WILDCARD: {
    message: 'speaks for every name below a domain: who takes its key from one machine can pose as all of them',
    remedy: REQUEST,
  },
  LEAF_IS_AUTHORITY: {
    message: 'is an authority: who takes its key from the appliance can vouch for other names, and browsers refuse it',
    remedy: REQUEST,
  },
  LIFETIME_LONG: { message: 'is valid for more than 398 days, which some clients refuse', remedy: REQUEST },
  PURPOSE_MISSING: {
    message: 'does not say that it is for TLS servers (extended key usage): pools do not mind, some clients do',
    remedy: REQUEST,
  },
  EXPIRES_SOON: { message: 'expires within 30 days', remedy: REQUEST },
  JUST_BEGUN: {
    message: 'has been valid for less than an hour: a host whose clock runs late refuses it',
    remedy: 'chronyc tracking',
  },
  SERIAL_ODD: {
    message: 'has a serial number that is negative, zero or longer than 20 bytes: some clients cannot read it',
    remedy: REQUEST,
  },
  CRL_EXPIRES_SOON: {
    message: 'has a revocation list that expires within 7 days, and with it every connection of the pool',
    remedy: 'xe pool-crl-uninstall name=FILE; xe pool-crl-install filename=FILE',
  },
} as const satisfies Readonly<Record<string, Description>>

export type WarningCode = keyof typeof WARNINGS

export interface Warning {
  readonly code: WarningCode
  readonly certificate: X509Certificate
  readonly message: string
  readonly remedy: string
}

const HOUR_MS = 3_600_000
const LIFETIME_DAYS = 398
const EXPIRES_SOON_DAYS = 30
const CRL_EXPIRES_SOON_DAYS = 7
const SERIAL_BYTES = 20

/** Checks what was presented and the path a verdict took. Defects are not repeated as warnings. */
export function lint(question: Question, verdict: Verdict): Warning[] {
  const { presented, now } = question
  const warnings: Warning[] = []
  const add = (code: WarningCode, certificate: X509Certificate, evidence?: string) =>
    warnings.push(describeWarning(code, certificate, evidence))
  const [leaf] = presented
  if (!leaf) return []
  checkSending(presented, verdict, add)
  checkLeaf(readFacts(leaf), now, add)
  for (const certificate of verdict.path) checkDates(certificate, now, add)
  checkRevocationList(question, readFacts(leaf), add)
  const other = verdict.accepted ? undefined : findOtherPath(question, verdict)
  if (other) add('OTHER_PATH', leaf, other.path.slice(1).map(subjectInSentence).join(' > '))
  return warnings
}

type Add = (code: WarningCode, certificate: X509Certificate, evidence?: string) => void

/** Leaf, its issuer, and so on (RFC 5246, 7.4.2). */
function checkSending(presented: readonly X509Certificate[], { path }: Verdict, add: Add): void {
  const sent = new Map<string, X509Certificate>()
  const twice = new Map<string, X509Certificate>()
  for (const one of presented) (sent.has(one.fingerprint256) ? twice : sent).set(one.fingerprint256, one)
  for (const one of twice.values()) add('SENT_TWICE', one)

  const onPath = new Set(path.map(({ fingerprint256 }) => fingerprint256))
  const related = [...sent.keys()].filter((fingerprint) => onPath.has(fingerprint))
  for (const [fingerprint, one] of sent) if (!onPath.has(fingerprint)) add('UNRELATED', one)
  const wanted = path.filter(({ fingerprint256 }) => sent.has(fingerprint256))
  const displaced = wanted.find(({ fingerprint256 }, index) => related[index] !== fingerprint256)
  if (displaced) add('ORDER_UNUSUAL', displaced)
}

function checkLeaf(facts: CertificateFacts, now: Date, add: Add): void {
  const { certificate, alternativeNames, basicConstraints, extendedKeyUsage, notBefore, notAfter, serial } = facts
  const dnsNames = (alternativeNames ?? []).flatMap(({ kind, bytes }) =>
    kind === 'dns' ? [bytes.toString('latin1')] : [],
  )
  const { commonName } = describeCertificate(certificate)
  if (!alternativeNames) add('NO_ALTERNATIVE_NAME', certificate)
  const addresses = dnsNames.filter((name) => isAddress(name))
  if (addresses.length > 0) add('ADDRESS_AS_DNS_NAME', certificate, addresses.join(', '))
  const isListed = dnsNames.some((name) => name.toLowerCase() === commonName?.toLowerCase())
  if (dnsNames.length > 0 && commonName !== undefined && !isListed) {
    add('COMMON_NAME_UNLISTED', certificate, commonName)
  }
  const wildcards = dnsNames.filter((name) => name.includes('*'))
  if (wildcards.length > 0) add('WILDCARD', certificate, wildcards.join(', '))
  if (basicConstraints?.ca) add('LEAF_IS_AUTHORITY', certificate)
  if (!extendedKeyUsage) add('PURPOSE_MISSING', certificate)
  const days = notBefore && notAfter ? Math.floor((+notAfter - +notBefore) / DAY_MS) : 0
  if (days > LIFETIME_DAYS && !facts.isSelfSigned) add('LIFETIME_LONG', certificate, `${days} days`)
  if (notBefore && +now >= +notBefore && +now - +notBefore < HOUR_MS) {
    add('JUST_BEGUN', certificate, `since ${notBefore.toISOString()}`)
  }
  const isZero = serial.every((byte) => byte === 0)
  if (isZero || (serial[0] ?? 0) >= 0x80 || serial.length > SERIAL_BYTES) {
    add('SERIAL_ODD', certificate, serial.toString('hex'))
  }
}

function checkDates(certificate: X509Certificate, now: Date, add: Add): void {
  const { notAfter } = readFacts(certificate)
  if (isSoon(notAfter, now, EXPIRES_SOON_DAYS)) add('EXPIRES_SOON', certificate, notAfter?.toISOString())
}

/** The list that lasts longest is the one OpenSSL ends up with. */
function checkRevocationList({ crls = [], now }: Question, leaf: CertificateFacts, add: Add): void {
  const ends = crls
    .flatMap(readCrls)
    .filter(({ issuerKey }) => issuerKey === leaf.issuerKey)
    .map(({ nextUpdate }) => nextUpdate)
  const last = ends.reduce((a, b) => (a && b && a > b ? a : b), ends[0])
  if (isSoon(last, now, CRL_EXPIRES_SOON_DAYS)) add('CRL_EXPIRES_SOON', leaf.certificate, last?.toISOString())
}

function isSoon(date: Date | undefined, now: Date, days: number): boolean {
  return date !== undefined && date > now && +date - +now < days * DAY_MS
}

function describeWarning(code: WarningCode, certificate: X509Certificate, evidence?: string): Warning {
  const { message, remedy } = WARNINGS[code]
  const found = evidence === undefined ? '' : `: ${evidence}`
  return { code, certificate, message: `${subjectInSentence(certificate)} ${message}${found}.`, remedy }
}
